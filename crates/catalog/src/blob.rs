use deadpool_postgres::Transaction;
use domain::{BlobKey, Camera, Md5, MediaType, Sha256};
use jiff::Timestamp;
use tokio_postgres::types::Json;

use crate::Error;

/// Bytes that are staged, hashed and inspected.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBlob {
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
    /// With which camera they say that they were taken.
    pub camera: Option<Camera>,
}

const OPERATION: &str = "lock a blob";

/// A blob's row, locked until the transaction ends.
pub(crate) struct LockedBlob {
    pub(crate) id: i64,
    pub(crate) key: BlobKey,
    /// The row was made by this transaction, and counts the link already.
    pub(crate) is_new: bool,
}

/// The blob's row, locked until the transaction ends. Uploads of the same MD5 go one by one: the second finds the first
/// one's row. A sweep of these bytes that is under way is waited for. `beside` is another blob to lock with it: the lower
/// number first, as everybody does who locks several.
pub(crate) async fn lock_blob(
    transaction: &Transaction<'_>,
    new: &NewBlob,
    beside: Option<i64>,
    now: Timestamp,
) -> Result<LockedBlob, Error> {
    const BOTH: &str = "SELECT FROM blob WHERE sha256 = $1 OR id = $2 ORDER BY id FOR UPDATE";
    const FIND: &str =
        "SELECT id, key, camera IS NULL AS lacks_camera FROM blob WHERE sha256 = $1 FOR UPDATE";
    let sha256 = new.sha256.0.as_slice();
    lock_md5(transaction, new.md5).await?;
    if let Some(beside) = beside {
        transaction
            .execute(BOTH, &[&sha256, &beside])
            .await
            .map_err(Error::statement(OPERATION))?;
    }
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
        let id = row.get("id");
        if let Some(camera) = new.camera.as_ref().filter(|_| row.get("lacks_camera")) {
            remember_camera(transaction, id, camera).await?;
        }
        return Ok(LockedBlob {
            id,
            key,
            is_new: false,
        });
    }
    insert_blob(transaction, new, now).await
}

/// Makes uploads of this MD5 wait until the transaction ends, and waits for those that came before.
pub(crate) async fn lock_md5(transaction: &Transaction<'_>, md5: Md5) -> Result<(), Error> {
    const LOCK: &str =
        "SELECT pg_advisory_xact_lock(('x' || encode(substring($1::bytea for 8), 'hex'))::bit(64)::bigint)";
    let lock = transaction
        .prepare_cached(LOCK)
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(&lock, &[&md5.0.as_slice()])
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

/// Of bytes that came before anybody looked for a camera in them.
async fn remember_camera(transaction: &Transaction<'_>, id: i64, camera: &Camera) -> Result<(), Error> {
    const SQL: &str = "UPDATE blob SET camera = $2 WHERE id = $1";
    let statement = transaction
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(&statement, &[&id, &Json(camera)])
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

async fn insert_blob(
    transaction: &Transaction<'_>,
    new: &NewBlob,
    now: Timestamp,
) -> Result<LockedBlob, Error> {
    const SAME_MD5: &str = "SELECT EXISTS (SELECT FROM blob WHERE md5 = $1)";
    const INSERT: &str = "
        INSERT INTO blob (sha256, md5, key, size_bytes, media_type, width, height, camera, links, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9) RETURNING id";
    let (md5, sha256) = (new.md5.0.as_slice(), new.sha256.0.as_slice());
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
                &new.camera.as_ref().map(Json),
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
