//! Blobs one by one, for holding a store against its rows and for putting lost bytes back.

use domain::{BlobKey, Md5, PublicId, Sha256};
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::{Catalog, Error, damage::heal, sweep::loss_of};

/// Where a blob's bytes rest, and which they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlob {
    /// Its row.
    pub id: i64,
    /// What the bytes are.
    pub sha256: Sha256,
    /// Where they rest.
    pub key: BlobKey,
    /// How many.
    pub size_bytes: u64,
}

fn read(operation: &'static str, row: &Row) -> Result<StoredBlob, Error> {
    Ok(StoredBlob {
        id: row.get("id"),
        sha256: Sha256::from_slice(row.get("sha256")).map_err(|error| Error::row(operation, error))?,
        key: row
            .get::<_, &str>("key")
            .parse()
            .map_err(|error| Error::row(operation, error))?,
        size_bytes: row.get::<_, i64>("size_bytes").unsigned_abs(),
    })
}

/// Up to `limit` blobs behind the row `after`: those that wait for the sweep, too, for until then they can be asked back. Empty at
/// the end.
pub async fn list_stored(catalog: &Catalog, after: i64, limit: i64) -> Result<Vec<StoredBlob>, Error> {
    const OPERATION: &str = "list all blobs";
    const SQL: &str = "SELECT id, sha256, key, size_bytes FROM blob WHERE id > $1 ORDER BY id LIMIT $2";
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query(SQL, &[&after, &limit])
        .await
        .map_err(Error::statement(OPERATION))?;
    rows.iter().map(|row| read(OPERATION, row)).collect()
}

/// The blob under an image, a withdrawn one's too.
pub async fn find_stored_by_id(catalog: &Catalog, id: PublicId) -> Result<Option<StoredBlob>, Error> {
    const OPERATION: &str = "find an image's blob";
    const SQL: &str = "
        SELECT blob.id, sha256, key, blob.size_bytes FROM image JOIN blob ON blob.id = blob_id WHERE public_id = $1";
    let row = catalog.find_row(OPERATION, SQL, &[&id.as_str()]).await?;
    row.map(|row| read(OPERATION, &row)).transpose()
}

/// The blobs with this MD5, of which there may be several.
pub async fn find_stored_by_md5(catalog: &Catalog, md5: Md5) -> Result<Vec<StoredBlob>, Error> {
    const OPERATION: &str = "find blobs by their MD5";
    const SQL: &str = "SELECT id, sha256, key, size_bytes FROM blob WHERE md5 = $1 ORDER BY id";
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query(SQL, &[&md5.0.as_slice()])
        .await
        .map_err(Error::statement(OPERATION))?;
    rows.iter().map(|row| read(OPERATION, row)).collect()
}

/// Up to `limit` images over a blob, live ones first: `(public id, name)`. None where the blob's row is gone.
pub async fn images_over(
    catalog: &Catalog,
    blob: i64,
    limit: i64,
) -> Result<Option<Vec<(String, String)>>, Error> {
    const OPERATION: &str = "list a blob's images";
    const THERE: &str = "SELECT FROM blob WHERE id = $1";
    const SQL: &str = "
        SELECT public_id, name FROM image WHERE blob_id = $1 ORDER BY ended_at IS NOT NULL, id LIMIT $2";
    if catalog.find_row(OPERATION, THERE, &[&blob]).await?.is_none() {
        return Ok(None);
    }
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query(SQL, &[&blob, &limit])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(Some(rows.iter().map(|row| (row.get(0), row.get(1))).collect()))
}

/// Has `put` put the bytes of a blob in their place while its row is locked, as an upload of them would, and takes the mark away
/// that they are damaged; none where the row is gone or speaks of other bytes by now. `put` is dropped should the session, and with it the lock,
/// end.
pub async fn hold_blob<F, E>(
    catalog: &Catalog,
    blob: &StoredBlob,
    now: Timestamp,
    put: impl FnOnce() -> F,
) -> Result<Option<Result<(), E>>, Error>
where
    F: Future<Output = Result<(), E>>,
{
    const OPERATION: &str = "put a blob's bytes back";
    const LOCK: &str = "SELECT FROM blob WHERE id = $1 AND sha256 = $2 AND key = $3 FOR UPDATE";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let row = transaction
        .query_opt(LOCK, &[&blob.id, &blob.sha256.0.as_slice(), &blob.key.as_str()])
        .await
        .map_err(Error::statement(OPERATION))?;
    if row.is_none() {
        return Ok(None);
    }
    let outcome = tokio::select! {
        outcome = put() => outcome,
        error = loss_of(&transaction) => return Err(Error::statement(OPERATION)(error)),
    };
    if outcome.is_ok() {
        heal(&transaction, blob.id, blob.key.as_str(), now).await?;
    }
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(Some(outcome))
}
