//! A database with its three services' pools, and images to put into it.

use std::convert::Infallible;

use catalog::{Catalog, NewBlob, NewImage, PublishError, Published, ServiceRole, publish};
use domain::{BlobKey, Expiry, FileName, Md5, MediaType, PublicId, Sha256, Visibility};
use jiff::{SignedDuration, Timestamp};
use sha2::Digest as _;
use test_kit::TestDatabase;
use tokio_postgres::Client;

pub(crate) struct Rig {
    pub(crate) database: TestDatabase,
    pub(crate) upload: Catalog,
    pub(crate) serve: Catalog,
    pub(crate) janitor: Catalog,
    /// The owner's connection, to see and to do what no service may.
    pub(crate) owner: Client,
}

/// The present of these tests, unless they say otherwise.
pub(crate) fn noon() -> Timestamp {
    "2026-07-01T12:00:00Z".parse().unwrap()
}

/// So many seconds after noon, or before it.
pub(crate) fn at(seconds: i64) -> Timestamp {
    noon() + SignedDuration::from_secs(seconds)
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::over(TestDatabase::create().await).await
    }

    pub(crate) async fn over(database: TestDatabase) -> Self {
        Self {
            upload: database.catalog_as(ServiceRole::Upload),
            serve: database.catalog_as(ServiceRole::Serve),
            janitor: database.catalog_as(ServiceRole::Janitor),
            owner: database.connect().await,
            database,
        }
    }

    pub(crate) async fn account(&self, name: &str) -> i64 {
        test_kit::account(&self.database, name).await
    }

    /// Publishes at noon, with bytes that go nowhere.
    pub(crate) async fn publish(&self, new: &NewImage) -> Published {
        publish_at(&self.upload, new, noon()).await.unwrap()
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.owner.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// What must hold whatever has happened: a blob's links are its live images, it is doomed exactly when there are none,
    /// and an account's counters are the sums of its live images.
    pub(crate) async fn check_invariants(&self) {
        for (what, sql) in [
            (
                "links are live images",
                "SELECT count(*) FROM blob WHERE links <>
                    (SELECT count(*) FROM image WHERE image.blob_id = blob.id AND ended_at IS NULL)",
            ),
            (
                "doomed exactly without links",
                "SELECT count(*) FROM blob WHERE (links = 0) <> (doomed_at IS NOT NULL)",
            ),
            (
                "counters of accounts are sums",
                "SELECT count(*) FROM account LEFT JOIN
                    (SELECT account_id, count(*) AS files, sum(blob.size_bytes) AS bytes
                     FROM image JOIN blob ON blob.id = blob_id WHERE ended_at IS NULL GROUP BY account_id) AS held
                    ON held.account_id = account.id
                 WHERE used_files <> coalesce(files, 0) OR used_bytes <> coalesce(bytes, 0)",
            ),
        ] {
            assert_eq!(self.number(sql).await, 0, "{what}");
        }
    }
}

/// An image of bytes that follow from `content`; public, for ever, in the owner's default album.
pub(crate) fn image(account_id: i64, content: u64) -> NewImage {
    let bytes = content.to_le_bytes();
    NewImage {
        public_id: PublicId::from_random(process::random()),
        account_id,
        album_id: None,
        blob: NewBlob {
            md5: Md5(md5::Md5::digest(bytes).into()),
            sha256: Sha256(sha2::Sha256::digest(bytes).into()),
            size_bytes: 1_000 + content,
            media_type: MediaType::Png,
            dimensions: Some((640, 480)),
            camera: None,
        },
        name: FileName::clean("holiday.png", "image.png"),
        description: String::new(),
        visibility: Visibility::Public,
        expiry: Expiry::Never,
        ends_by_policy: false,
        client_address: Some([192, 0, 2, 7].into()),
        origin: catalog::Origin::default(),
    }
}

pub(crate) async fn publish_at(
    catalog: &Catalog,
    new: &NewImage,
    now: Timestamp,
) -> Result<Published, PublishError<Infallible>> {
    publish(catalog, new, now, |_| async { Ok(()) }).await
}

pub(crate) fn key_of(new: &NewImage) -> BlobKey {
    BlobKey::plain(new.blob.md5, new.blob.media_type)
}
