use std::net::IpAddr;

use deadpool_postgres::Transaction;
use domain::{BlobKey, PublicId, is_live};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    Catalog, ChangeError, Error, Event, Origin,
    blob::{LockedBlob, NewBlob, lock_blob},
    damage::heal,
    derive::retry_broken,
    events::record_in,
    image::{Expected, ImageRecord, read_locked},
    publish::find_standing,
    quota::{charge, has_room, link, unlink},
    withdraw::hold_bytes,
};

const OPERATION: &str = "replace an image's bytes";

/// Why an image's bytes were not replaced. It has the old ones.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError<B> {
    /// The image can't be changed like this.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The bytes could not be put in place.
    #[error("the bytes could not be put in place")]
    Bytes(#[source] B),
}

impl<B> From<Error> for ReplaceError<B> {
    fn from(error: Error) -> Self {
        Self::Change(error.into())
    }
}

/// Which image's bytes are to be replaced, and by whom.
#[derive(Clone, Copy)]
pub struct Replacing<'a> {
    /// Whose image.
    pub account_id: i64,
    /// Which.
    pub public_id: PublicId,
    /// What its client believes it to be.
    pub expected: Expected<'a>,
    /// From where the bytes came.
    pub client_address: Option<IpAddr>,
    /// What is known of the new file beyond its bytes.
    pub origin: Origin,
}

/// Gives a live image other bytes in one transaction, and keeps its link: locks both blobs, has `place` put the new bytes
/// at their key (as [`crate::publish()`] does, with the same duties), points the image at them, and counts the old ones down.
///
/// Don't drop the future half-way: run it in a task of its own.
pub async fn replace<B, F>(
    catalog: &Catalog,
    replacing: Replacing<'_>,
    new: &NewBlob,
    now: Timestamp,
    place: impl FnOnce(BlobKey) -> F,
) -> Result<ImageRecord, ReplaceError<B>>
where
    F: Future<Output = Result<(), B>>,
{
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let (image, old_blob_id, blob) = lock(&transaction, &replacing, new, now).await?;
    let size = bytes(new.size_bytes)?;
    let grows = size - bytes(image.size_bytes)?;
    let is_other = blob.id != old_blob_id;
    if is_other {
        let standing = find_standing(&transaction, replacing.account_id, blob.id, size, now).await?;
        if let Some(other) = standing {
            return Err(ChangeError::AlreadyLive(other).into());
        }
        if !has_room(&transaction, replacing.account_id, 0, grows).await? {
            return Err(ChangeError::QuotaExceeded.into());
        }
    }
    place(blob.key.clone()).await.map_err(ReplaceError::Bytes)?;
    if !blob.is_new {
        retry_broken(&transaction, blob.id, now).await?;
        heal(&transaction, blob.id, blob.key.as_str(), now).await?;
    }
    if is_other {
        swap(
            &transaction,
            &replacing,
            &image,
            old_blob_id,
            &blob,
            new,
            grows,
            now,
        )
        .await?;
    }
    let image = read_locked(OPERATION, &transaction, image.id).await?;
    replacing
        .origin
        .remember(&transaction, replacing.account_id, blob.id)
        .await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    drop(client);
    catalog.until_heard().await;
    Ok(image)
}

fn bytes(size: u64) -> Result<i64, Error> {
    i64::try_from(size).map_err(|error| Error::row(OPERATION, error))
}

/// Locks the image's blob and the new one, then the image, and looks whether it may be changed. The number is its blob's.
async fn lock(
    transaction: &Transaction<'_>,
    replacing: &Replacing<'_>,
    new: &NewBlob,
    now: Timestamp,
) -> Result<(ImageRecord, i64, LockedBlob), ChangeError> {
    const FIND: &str = "SELECT blob_id FROM image WHERE public_id = $1 AND account_id = $2";
    const LOCK: &str = "SELECT id FROM image WHERE public_id = $1 AND account_id = $2 FOR UPDATE";
    let id = replacing.public_id.as_str();
    hold_bytes(transaction, replacing.public_id).await?;
    let row = transaction
        .query_opt(FIND, &[&id, &replacing.account_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    let old_blob_id: i64 = row.ok_or(ChangeError::NotFound)?.get(0);
    let blob = lock_blob(transaction, new, Some(old_blob_id), now).await?;
    let row = transaction
        .query_opt(LOCK, &[&id, &replacing.account_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    let image = read_locked(OPERATION, transaction, row.ok_or(ChangeError::NotFound)?.get(0)).await?;
    if image.ended.is_some() || !is_live(image.expiry, now) {
        Err(ChangeError::NotFound)
    } else if !(replacing.expected)(&image) {
        Err(ChangeError::Unexpected)
    } else {
        Ok((image, old_blob_id, blob))
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the two halves of one transaction share what they know"
)]
async fn swap(
    transaction: &Transaction<'_>,
    replacing: &Replacing<'_>,
    image: &ImageRecord,
    old_blob_id: i64,
    blob: &LockedBlob,
    new: &NewBlob,
    grows: i64,
    now: Timestamp,
) -> Result<(), ChangeError> {
    // The day it was taken belongs to the bytes.
    const POINT: &str = "
        UPDATE image SET blob_id = $2, kind = $3, updated_at = $4,
            taken_at = $5, taken_offset_minutes = $6, taken_source = $7 WHERE id = $1";
    if !blob.is_new {
        link(transaction, blob.id).await?;
    }
    unlink(transaction, old_blob_id, now).await?;
    if !charge(transaction, replacing.account_id, 0, grows).await? {
        return Err(ChangeError::QuotaExceeded);
    }
    let kind = new.media_type.kind().as_str();
    let (taken_at, offset, told_by) = replacing.origin.columns();
    transaction
        .execute(
            POINT,
            &[&image.id, &blob.id, &kind, &now, &taken_at, &offset, &told_by],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    let event = Event {
        kind: "replace",
        account_id: Some(replacing.account_id),
        client_address: replacing.client_address,
        subject: replacing.public_id.to_string(),
        detail: json!({ "from": image.sha256.to_string(), "to": new.sha256.to_string() }),
    };
    Ok(record_in(transaction, &event, now).await?)
}
