use std::net::IpAddr;

use deadpool_postgres::Transaction;
use domain::{BlobKey, Expiry, FileName, Md5, MediaType, PublicId, Sha256, Visibility};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    Catalog, Error, Event,
    events::record_in,
    image::{COLUMNS, ImageRecord, read},
};

/// An image to be published: its bytes are staged, hashed and inspected.
#[derive(Debug, Clone)]
pub struct NewImage {
    /// The id that it gets if it is new.
    pub public_id: PublicId,
    /// Whose it is.
    pub account_id: i64,
    /// The album, which must be its owner's; the owner's `default` when none is named.
    pub album_id: Option<i64>,
    /// What clients call the bytes.
    pub md5: Md5,
    /// What the bytes are.
    pub sha256: Sha256,
    /// How many bytes.
    pub size_bytes: u64,
    /// Of which format.
    pub media_type: MediaType,
    /// Width and height in pixels, where the header tells.
    pub dimensions: Option<(u32, u32)>,
    /// The file's name.
    pub name: FileName,
    /// What its owner says about it.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// When it ends by itself.
    pub expiry: Expiry,
    /// From where it came.
    pub client_address: Option<IpAddr>,
}

/// Whether an upload made an image or found it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The owner had no live image of these bytes; now there is one.
    Uploaded,
    /// There was one; its life was extended.
    Existing,
}

/// What publishing gave.
#[derive(Debug, Clone)]
pub struct Published {
    /// The image, new or found.
    pub image: ImageRecord,
    /// Which of the two.
    pub standing: Standing,
}

/// Why an image was not published. Nothing is left of it in the database.
#[derive(Debug, thiserror::Error)]
pub enum PublishError<B> {
    /// The rows could not be written.
    #[error(transparent)]
    Catalog(#[from] Error),
    /// The bytes could not be put in place.
    #[error("the bytes could not be put in place")]
    Bytes(#[source] B),
    /// The owner has no album of that id.
    #[error("there is no such album")]
    NoSuchAlbum,
}

const OPERATION: &str = "publish an image";

/// Publishes an image in one transaction: locks the blob's row, writes the image's row, has `place` put the bytes at their
/// key for good, counts the link, commits.
///
/// `place` also runs for a blob that is there already, so that a file that was lost is healed by the next upload of
/// its bytes. It must be safe to repeat and must not return before the bytes would survive a power cut. A failure
/// after it leaves at worst a file that no row speaks of: it costs space, and is never shown.
///
/// Don't drop the future half-way: run it in a task of its own.
pub async fn publish<B, F>(
    catalog: &Catalog,
    new: &NewImage,
    now: Timestamp,
    place: impl FnOnce(BlobKey) -> F,
) -> Result<Published, PublishError<B>>
where
    F: Future<Output = Result<(), B>>,
{
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let blob = lock_blob(&transaction, new, now).await?;
    let standing = find_standing(&transaction, new, blob.id, now).await?;
    let (image, standing) = if let Some(public_id) = standing {
        let image = extend(&transaction, &public_id, new.expiry, now).await?;
        (image, Standing::Existing)
    } else {
        let image = insert(&transaction, new, blob.id, now)
            .await?
            .ok_or(PublishError::NoSuchAlbum)?;
        (image, Standing::Uploaded)
    };
    // After whatever may refuse the image, so that a refused one leaves no file; before the account's row is locked, so
    // that its other uploads don't wait for our disk.
    place(blob.key.clone()).await.map_err(PublishError::Bytes)?;
    if standing == Standing::Uploaded {
        link(&transaction, &blob, new).await?;
    }
    let event = Event {
        kind: "upload",
        account_id: Some(new.account_id),
        client_address: new.client_address,
        subject: image.public_id.to_string(),
        detail: json!({ "status": if standing == Standing::Uploaded { "uploaded" } else { "existing" } }),
    };
    record_in(&transaction, &event, now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(Published { image, standing })
}

struct LockedBlob {
    id: i64,
    key: BlobKey,
    /// The row was made by this transaction, and counts the link already.
    is_new: bool,
}

/// The blob's row, locked until the transaction ends. Uploads of the same MD5 go one by one: the second finds the first
/// one's row. A sweep of these bytes that is under way is waited for.
async fn lock_blob(
    transaction: &Transaction<'_>,
    new: &NewImage,
    now: Timestamp,
) -> Result<LockedBlob, Error> {
    const LOCK: &str =
        "SELECT pg_advisory_xact_lock(('x' || encode(substring($1::bytea for 8), 'hex'))::bit(64)::bigint)";
    const FIND: &str = "SELECT id, key FROM blob WHERE sha256 = $1 FOR UPDATE";
    const SAME_MD5: &str = "SELECT EXISTS (SELECT FROM blob WHERE md5 = $1)";
    const INSERT: &str = "
        INSERT INTO blob (sha256, md5, key, size_bytes, media_type, width, height, links, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8) RETURNING id";
    let (md5, sha256) = (new.md5.0.as_slice(), new.sha256.0.as_slice());
    let lock = transaction
        .prepare_cached(LOCK)
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(&lock, &[&md5])
        .await
        .map_err(Error::statement(OPERATION))?;
    let find = transaction
        .prepare_cached(FIND)
        .await
        .map_err(Error::statement(OPERATION))?;
    if let Some(row) = transaction
        .query_opt(&find, &[&sha256])
        .await
        .map_err(Error::statement(OPERATION))?
    {
        let key = row
            .get::<_, &str>("key")
            .parse()
            .map_err(|error| Error::row(OPERATION, error))?;
        return Ok(LockedBlob {
            id: row.get("id"),
            key,
            is_new: false,
        });
    }
    let same_md5 = transaction
        .query_one(SAME_MD5, &[&md5])
        .await
        .map_err(Error::statement(OPERATION))?;
    let key = if same_md5.get(0) {
        BlobKey::colliding(new.md5, new.sha256, new.media_type)
    } else {
        BlobKey::plain(new.md5, new.media_type)
    };
    let size = i64::try_from(new.size_bytes).map_err(|error| Error::row(OPERATION, error))?;
    let pixels = |pixels: u32| i32::try_from(pixels).ok();
    let (width, height) = new
        .dimensions
        .map_or((None, None), |(width, height)| (pixels(width), pixels(height)));
    let insert = transaction
        .prepare_cached(INSERT)
        .await
        .map_err(Error::statement(OPERATION))?;
    let row = transaction
        .query_one(
            &insert,
            &[
                &sha256,
                &md5,
                &key.as_str(),
                &size,
                &new.media_type.mime(),
                &width,
                &height,
                &now,
            ],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(LockedBlob {
        id: row.get("id"),
        key,
        is_new: true,
    })
}

/// The owner's live image over this blob. One that has expired and was not yet written off is written off here, so that
/// what an upload answers does not depend on when the janitor last came by.
async fn find_standing(
    transaction: &Transaction<'_>,
    new: &NewImage,
    blob_id: i64,
    now: Timestamp,
) -> Result<Option<String>, Error> {
    const FIND: &str = "
        SELECT id, public_id, coalesce(expires_at <= $3, false) AS expired FROM image
        WHERE account_id = $1 AND blob_id = $2 AND ended_at IS NULL FOR UPDATE";
    const WRITE_OFF: &str = "UPDATE image SET ended_at = expires_at, ended_by = 'expired' WHERE id = $1";
    const UNLINK: &str = "UPDATE blob SET links = links - 1, doomed_at = CASE WHEN links = 1 THEN $2::timestamptz END WHERE id = $1";
    const USE: &str = "
        UPDATE account SET used_files = used_files - 1, used_bytes = used_bytes - $2 WHERE id = $1";
    let find = transaction
        .prepare_cached(FIND)
        .await
        .map_err(Error::statement(OPERATION))?;
    let row = transaction
        .query_opt(&find, &[&new.account_id, &blob_id, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(row) = row else { return Ok(None) };
    if !row.get::<_, bool>("expired") {
        return Ok(Some(row.get("public_id")));
    }
    let id: i64 = row.get("id");
    let size = i64::try_from(new.size_bytes).map_err(|error| Error::row(OPERATION, error))?;
    transaction
        .execute(WRITE_OFF, &[&id])
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(UNLINK, &[&blob_id, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(USE, &[&new.account_id, &size])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(None)
}

async fn insert(
    transaction: &Transaction<'_>,
    new: &NewImage,
    blob_id: i64,
    now: Timestamp,
) -> Result<Option<ImageRecord>, Error> {
    let sql = format!(
        "WITH image AS (
            INSERT INTO image (public_id, account_id, album_id, blob_id, name, description, visibility, kind, created_at, updated_at, expires_at)
            SELECT $1, $2, album.id, $4, $5, $6, $7, $8, $9, $9, $10 FROM album
            WHERE album.account_id = $2 AND CASE WHEN $3::bigint IS NULL THEN album.name = 'default' ELSE album.id = $3 END
            RETURNING *
         )
         SELECT {COLUMNS} FROM image JOIN blob ON blob.id = image.blob_id"
    );
    let statement = transaction
        .prepare_cached(&sql)
        .await
        .map_err(Error::statement(OPERATION))?;
    let row = transaction
        .query_opt(
            &statement,
            &[
                &new.public_id.as_str(),
                &new.account_id,
                &new.album_id,
                &blob_id,
                &new.name.as_str(),
                &new.description,
                &new.visibility.as_str(),
                &new.media_type.kind().as_str(),
                &now,
                &new.expiry.at(),
            ],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    row.map(|row| read(OPERATION, &row)).transpose()
}

/// Counts the new link: on the blob, which is doomed no longer, and on the account.
async fn link(transaction: &Transaction<'_>, blob: &LockedBlob, new: &NewImage) -> Result<(), Error> {
    const LINK: &str = "UPDATE blob SET links = links + 1, doomed_at = NULL WHERE id = $1";
    const USE: &str =
        "UPDATE account SET used_files = used_files + 1, used_bytes = used_bytes + $2 WHERE id = $1";
    if !blob.is_new {
        let link = transaction
            .prepare_cached(LINK)
            .await
            .map_err(Error::statement(OPERATION))?;
        transaction
            .execute(&link, &[&blob.id])
            .await
            .map_err(Error::statement(OPERATION))?;
    }
    let size = i64::try_from(new.size_bytes).map_err(|error| Error::row(OPERATION, error))?;
    let used = transaction
        .prepare_cached(USE)
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(&used, &[&new.account_id, &size])
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

async fn extend(
    transaction: &Transaction<'_>,
    public_id: &str,
    expiry: Expiry,
    now: Timestamp,
) -> Result<ImageRecord, Error> {
    let sql = format!(
        "WITH image AS (
            UPDATE image SET updated_at = $2, expires_at = CASE WHEN $3::timestamptz IS NULL OR expires_at IS NULL THEN NULL ELSE greatest(expires_at, $3) END
            WHERE public_id = $1 RETURNING *
         )
         SELECT {COLUMNS} FROM image JOIN blob ON blob.id = image.blob_id"
    );
    let statement = transaction
        .prepare_cached(&sql)
        .await
        .map_err(Error::statement(OPERATION))?;
    let row = transaction
        .query_one(&statement, &[&public_id, &now, &expiry.at()])
        .await
        .map_err(Error::statement(OPERATION))?;
    read(OPERATION, &row)
}
