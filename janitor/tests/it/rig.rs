//! A database, a store, a clock, and the upload service's part: putting pictures there.

use std::{path::PathBuf, sync::Arc, time::Duration};

use blobs::BlobWriter;
use catalog::{Catalog, ImageRecord, NewImage, ServiceRole, publish, withdraw};
use domain::{Expiry, FileName, MediaType, PublicId, Visibility};
use http_kit::Metrics;
use janitor::{Done, JanitorSettings, Service};
use jiff::SignedDuration;
use process::settings::Sources;
use tempfile::TempDir;
use test_kit::{ManualClock, TestDatabase, pictures};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes; reached only when something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Rig {
    pub(crate) database: TestDatabase,
    pub(crate) clock: ManualClock,
    pub(crate) owner: Client,
    pub(crate) upload: Catalog,
    pub(crate) writer: BlobWriter,
    folder: TempDir,
}

pub(crate) fn seconds(number: i64) -> SignedDuration {
    SignedDuration::from_secs(number)
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::over(TestDatabase::create().await).await
    }

    pub(crate) async fn over(database: TestDatabase) -> Self {
        let folder = TempDir::new().unwrap();
        Self {
            clock: ManualClock::default(),
            owner: database.connect().await,
            upload: database.catalog_as(ServiceRole::Upload),
            writer: BlobWriter::open(&folder.path().join("blobs")).unwrap(),
            database,
            folder,
        }
    }

    /// The folder that `BERTH_DATA` names.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Settings with a grace of an hour; what staging holds is abandoned after two.
    pub(crate) fn settings(&self) -> JanitorSettings {
        let (data, url) = (self.data(), self.database.url_as(ServiceRole::Janitor));
        let sources = Sources::from_pairs([
            ("BERTH_DATA", data.to_str().unwrap()),
            ("BERTH_DATABASE_URL", &url),
            ("BERTH_METRICS_LISTEN", "127.0.0.1:0"),
            ("BERTH_SWEEP_GRACE", "1h"),
            ("BERTH_STAGING_MAX_AGE", "2h"),
        ]);
        JanitorSettings::load(sources).unwrap()
    }

    pub(crate) fn service(&self, settings: &JanitorSettings) -> Service {
        Service::new(settings, self.clock.clock(), &Metrics::new()).unwrap()
    }

    /// One round of all passes, all of which go well.
    pub(crate) async fn clean(&self) -> Done {
        self.clean_with(&self.settings()).await
    }

    pub(crate) async fn clean_with(&self, settings: &JanitorSettings) -> Done {
        let round = self.service(settings).run_once(&CancellationToken::new()).await;
        assert!(round.failures.is_empty(), "{:?}", round.failures);
        round.done
    }

    pub(crate) async fn account(&self, name: &str) -> i64 {
        test_kit::account(&self.database, name).await
    }

    /// Uploads a picture as upload-svc does, for so many seconds, or for ever.
    pub(crate) async fn upload(&self, account_id: i64, seed: u64, life: Option<i64>) -> ImageRecord {
        upload(&self.upload, &self.writer, account_id, seed, life, &self.clock).await
    }

    /// The same for bytes of the test's own.
    pub(crate) async fn upload_bytes(&self, account_id: i64, bytes: Vec<u8>) -> ImageRecord {
        upload_bytes(&self.upload, &self.writer, account_id, bytes, None, &self.clock).await
    }

    pub(crate) async fn withdraw(&self, image: &ImageRecord) {
        let withdrawn = withdraw(
            &self.upload,
            image.account_id,
            image.public_id,
            None,
            self.clock.now(),
        )
        .await;
        assert!(withdrawn.unwrap());
    }

    /// Whether the bytes of an image are in the store.
    pub(crate) fn has_bytes(&self, image: &ImageRecord) -> bool {
        let file = self.data().join("blobs").join(&image.key);
        std::fs::metadata(file).is_ok_and(|file| file.len() == image.size_bytes)
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.owner.query_one(sql, &[]).await.unwrap().get(0)
    }
}

pub(crate) async fn upload(
    catalog: &Catalog,
    writer: &BlobWriter,
    account_id: i64,
    seed: u64,
    life: Option<i64>,
    clock: &ManualClock,
) -> ImageRecord {
    let bytes = pictures::png(6, 6, seed);
    upload_bytes(catalog, writer, account_id, bytes, life, clock).await
}

pub(crate) async fn upload_bytes(
    catalog: &Catalog,
    writer: &BlobWriter,
    account_id: i64,
    bytes: Vec<u8>,
    life: Option<i64>,
    clock: &ManualClock,
) -> ImageRecord {
    let mut staging = writer.stage().unwrap();
    staging.write(bytes.into()).await;
    let staged = Arc::new(staging.finish().await.unwrap());
    let now = clock.now();
    let new = NewImage {
        public_id: PublicId::from_random(process::random()),
        account_id,
        album_id: None,
        blob: catalog::NewBlob {
            md5: staged.md5(),
            sha256: staged.sha256(),
            size_bytes: staged.size_bytes(),
            media_type: MediaType::Png,
            dimensions: Some((6, 6)),
            camera: None,
        },
        name: FileName::clean("a.png", "image.png"),
        description: String::new(),
        visibility: Visibility::Public,
        expiry: life.map_or(Expiry::Never, |life| Expiry::At(now + seconds(life))),
        ends_by_policy: false,
        client_address: None,
        origin: catalog::Origin::default(),
    };
    let place = |key| writer.publish(staged, key);
    publish(catalog, &new, now, place).await.unwrap().image
}

/// The value of a metric, 0 where it has none yet.
pub(crate) fn metric(metrics: &Metrics, name: &str) -> f64 {
    let text = metrics.text();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}

/// Waits for something that will happen.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(in_time.is_ok(), "never happened: {what}");
}
