use std::net::IpAddr;

use deadpool_postgres::Transaction;
use domain::{BlobKey, Expiry, FileName, PublicId, Visibility};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    Catalog, Error, Event, Origin,
    blob::{NewBlob, lock_blob},
    damage::heal,
    derive::retry_broken,
    events::record_in,
    image::{COLUMNS, ImageRecord, read},
    quota::{charge, has_room, link, unlink},
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
    /// Its bytes.
    pub blob: NewBlob,
    /// The file's name.
    pub name: FileName,
    /// What its owner says about it.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// When it ends by itself.
    pub expiry: Expiry,
    /// Whether nobody said so, and the policies did: then they may let views keep it alive.
    pub ends_by_policy: bool,
    /// From where it came.
    pub client_address: Option<IpAddr>,
    /// What is known of the file beyond its bytes.
    pub origin: Origin,
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
    /// The owner's quota has no room for it.
    #[error("the quota is used up")]
    QuotaExceeded,
}

const OPERATION: &str = "publish an image";

/// Publishes an image in one transaction: locks the blob's row, has `place` put the bytes at their key for good, counts the
/// link, writes the image's row, commits.
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
    let size = i64::try_from(new.blob.size_bytes).map_err(|error| Error::row(OPERATION, error))?;
    let blob = lock_blob(&transaction, &new.blob, None, now).await?;
    let standing = find_standing(&transaction, new.account_id, blob.id, size, now).await?;
    if standing.is_none() {
        // Whatever may refuse the image comes before its bytes are put in place, so that a refused one leaves no file.
        if !has_album(&transaction, new).await? {
            return Err(PublishError::NoSuchAlbum);
        }
        if !has_room(&transaction, new.account_id, 1, size).await? {
            return Err(PublishError::QuotaExceeded);
        }
    }
    // Before the account's row is locked, so that its other uploads don't wait for our disk.
    place(blob.key.clone()).await.map_err(PublishError::Bytes)?;
    let mut is_healed = false;
    if !blob.is_new {
        retry_broken(&transaction, blob.id, now).await?;
        is_healed = heal(&transaction, blob.id, blob.key.as_str(), now).await?;
    }
    let (image, standing) = if let Some(public_id) = standing {
        let image = extend(&transaction, public_id, new.expiry, now).await?;
        (image, Standing::Existing)
    } else {
        if !blob.is_new {
            link(&transaction, blob.id).await?;
        }
        if !charge(&transaction, new.account_id, 1, size).await? {
            return Err(PublishError::QuotaExceeded);
        }
        let image = insert(&transaction, new, blob.id, now)
            .await?
            .ok_or(PublishError::NoSuchAlbum)?;
        (image, Standing::Uploaded)
    };
    new.origin.remember(&transaction, new.account_id, blob.id).await?;
    let event = Event {
        kind: "upload",
        account_id: Some(new.account_id),
        client_address: new.client_address,
        subject: image.public_id.to_string(),
        detail: json!({ "status": if standing == Standing::Uploaded { "uploaded" } else { "existing" } }),
    };
    record_in(&transaction, &event, now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    drop(client);
    if is_healed {
        catalog.until_heard().await;
    }
    Ok(Published { image, standing })
}

/// The owner's live image over this blob, its row locked. One that has expired and was not yet written off is written off
/// here, so that what an upload answers does not depend on when the janitor last came by.
pub(crate) async fn find_standing(
    transaction: &Transaction<'_>,
    account_id: i64,
    blob_id: i64,
    size_bytes: i64,
    now: Timestamp,
) -> Result<Option<PublicId>, Error> {
    const FIND: &str = "
        SELECT id, public_id, coalesce(ends_at(image) <= $3, false) AS expired FROM image
        WHERE account_id = $1 AND blob_id = $2 AND ended_at IS NULL FOR UPDATE";
    const WRITE_OFF: &str = "UPDATE image SET ended_at = expires_at, ended_by = 'expired' WHERE id = $1";
    let find = transaction
        .prepare_cached(FIND)
        .await
        .map_err(Error::statement(OPERATION))?;
    let row = transaction
        .query_opt(&find, &[&account_id, &blob_id, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(row) = row else { return Ok(None) };
    if !row.get::<_, bool>("expired") {
        let public_id: &str = row.get("public_id");
        return public_id
            .parse()
            .map(Some)
            .map_err(|error| Error::row(OPERATION, error));
    }
    let id: i64 = row.get("id");
    unlink(transaction, blob_id, now).await?;
    charge(transaction, account_id, -1, -size_bytes).await?;
    transaction
        .execute(WRITE_OFF, &[&id])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(None)
}

/// Whether the owner has the album that is meant. Holds no lock: [`insert`] decides.
async fn has_album(transaction: &Transaction<'_>, new: &NewImage) -> Result<bool, Error> {
    const SQL: &str = "
        SELECT EXISTS (SELECT FROM album WHERE account_id = $1
            AND CASE WHEN $2::bigint IS NULL THEN name = 'default' ELSE id = $2 END)";
    let statement = transaction
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    let row = transaction
        .query_one(&statement, &[&new.account_id, &new.album_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.get(0))
}

async fn insert(
    transaction: &Transaction<'_>,
    new: &NewImage,
    blob_id: i64,
    now: Timestamp,
) -> Result<Option<ImageRecord>, Error> {
    let sql = format!(
        "WITH image AS (
            INSERT INTO image (public_id, account_id, album_id, blob_id, name, description, visibility, kind, created_at, updated_at, expires_at,
                taken_at, taken_offset_minutes, taken_source, ends_by_policy)
            SELECT $1, $2, album.id, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12, $13, $14 FROM album
            WHERE album.account_id = $2 AND CASE WHEN $3::bigint IS NULL THEN album.name = 'default' ELSE album.id = $3 END
            RETURNING *
         )
         SELECT {COLUMNS} FROM image JOIN blob ON blob.id = image.blob_id"
    );
    let (taken_at, offset, told_by) = new.origin.columns();
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
                &new.blob.media_type.kind().as_str(),
                &now,
                &new.expiry.at(),
                &taken_at,
                &offset,
                &told_by,
                &new.ends_by_policy,
            ],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    row.map(|row| read(OPERATION, &row)).transpose()
}

async fn extend(
    transaction: &Transaction<'_>,
    public_id: PublicId,
    expiry: Expiry,
    now: Timestamp,
) -> Result<ImageRecord, Error> {
    let sql = format!(
        "WITH image AS (
            UPDATE image SET updated_at = $2, sent_again = sent_again + 1, expires_at = CASE WHEN $3::timestamptz IS NULL OR expires_at IS NULL THEN NULL ELSE greatest(expires_at, $3) END
            WHERE public_id = $1 RETURNING *
         )
         SELECT {COLUMNS} FROM image JOIN blob ON blob.id = image.blob_id"
    );
    let statement = transaction
        .prepare_cached(&sql)
        .await
        .map_err(Error::statement(OPERATION))?;
    let row = transaction
        .query_one(&statement, &[&public_id.as_str(), &now, &expiry.at()])
        .await
        .map_err(Error::statement(OPERATION))?;
    read(OPERATION, &row)
}
