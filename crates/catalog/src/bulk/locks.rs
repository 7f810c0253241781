//! What is locked before many images are changed.

use deadpool_postgres::Transaction;
use domain::PublicId;
use jiff::Timestamp;

use super::{BulkCaller, OPERATION};
use crate::{Error, withdraw::Locked};

/// One of the images that were asked for; its row is locked, and all that changing it touches.
pub(super) struct LockedImage {
    pub(super) account_id: i64,
    pub(super) album_id: i64,
    pub(super) is_live: bool,
    pub(super) locked: Locked,
}

/// Locks the blobs of these images, then those of their owners' images over them that bear on each other, then their accounts
/// and albums, and gives the images that were asked for. Nothing more needs to be waited for after this.
pub(super) async fn lock_many(
    transaction: &Transaction<'_>,
    caller: BulkCaller,
    ids: &[&str],
    now: Timestamp,
) -> Result<Vec<(PublicId, LockedImage)>, Error> {
    const BLOBS: &str = "
        SELECT id FROM blob
        WHERE id IN (SELECT blob_id FROM image WHERE public_id = ANY ($1) AND ($2::bigint IS NULL OR account_id = $2))
        ORDER BY id FOR UPDATE";
    const IMAGES: &str = "
        SELECT image.id, image.public_id, image.account_id, image.album_id, image.blob_id, image.size_bytes,
               image.ended_at IS NULL AND (image.expires_at IS NULL OR image.expires_at > $3) AS is_live,
               image.public_id = ANY ($1) AND ($2::bigint IS NULL OR account_id = $2) AND ($5::bigint IS NULL OR album_id = $5) AS asked
        FROM image
        WHERE blob_id = ANY ($4) AND (public_id = ANY ($1) OR ended_at IS NULL) AND ($2::bigint IS NULL OR account_id = $2)
        ORDER BY id FOR UPDATE";
    const ACCOUNTS: &str = "SELECT FROM account WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE";
    const ALBUMS: &str = "SELECT FROM album WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE";
    let rows = transaction
        .query(BLOBS, &[&ids, &caller.owner])
        .await
        .map_err(Error::statement(OPERATION))?;
    let blobs: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    let rows = transaction
        .query(IMAGES, &[&ids, &caller.owner, &now, &blobs, &caller.album_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    for (sql, column) in [(ACCOUNTS, "account_id"), (ALBUMS, "album_id")] {
        let touched: Vec<i64> = rows.iter().map(|row| row.get(column)).collect();
        transaction
            .execute(sql, &[&touched])
            .await
            .map_err(Error::statement(OPERATION))?;
    }
    let mut images = Vec::with_capacity(rows.len());
    for row in rows.iter().filter(|row| row.get("asked")) {
        let id: &str = row.get("public_id");
        let image = LockedImage {
            account_id: row.get("account_id"),
            album_id: row.get("album_id"),
            is_live: row.get("is_live"),
            locked: Locked {
                id: row.get("id"),
                blob_id: row.get("blob_id"),
                size_bytes: row.get("size_bytes"),
            },
        };
        images.push((id.parse().map_err(|error| Error::row(OPERATION, error))?, image));
    }
    Ok(images)
}

/// Whose album this is, if the caller may use it; it stays until the transaction ends.
pub(super) async fn hold_any_album(
    transaction: &Transaction<'_>,
    owner: Option<i64>,
    album_id: i64,
) -> Result<Option<i64>, Error> {
    const SQL: &str = "SELECT account_id FROM album WHERE id = $1 AND ($2::bigint IS NULL OR account_id = $2) FOR KEY SHARE";
    let row = transaction
        .query_opt(SQL, &[&album_id, &owner])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.map(|row| row.get(0)))
}
