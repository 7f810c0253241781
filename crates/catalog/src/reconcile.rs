//! What the janitor asks when it holds the store against the rows: files that no row speaks of, and rows whose file is not there.

use domain::BlobKey;

use crate::{Catalog, Error, blob::lock_md5, sweep::loss_of};

/// A blob that images link to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedBlob {
    /// Its row.
    pub id: i64,
    /// Where its bytes should rest.
    pub key: BlobKey,
    /// How many.
    pub size_bytes: u64,
}

/// Which of these keys no row speaks of. That of an upload under way is among them until it is committed.
pub async fn find_strangers(catalog: &Catalog, keys: &[BlobKey]) -> Result<Vec<BlobKey>, Error> {
    const OPERATION: &str = "look for rows of files";
    const SQL: &str = "
        SELECT key FROM unnest($1::text[]) AS key WHERE NOT EXISTS (SELECT FROM blob WHERE blob.key = key.key)";
    let texts: Vec<&str> = keys.iter().map(BlobKey::as_str).collect();
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query(SQL, &[&texts])
        .await
        .map_err(Error::statement(OPERATION))?;
    rows.iter()
        .map(|row| {
            row.get::<_, &str>("key")
                .parse()
                .map_err(|error| Error::row(OPERATION, error))
        })
        .collect()
}

/// Has `remove` unlink a file of which no row speaks. False where one does by now.
///
/// INVARIANT: uploads of this MD5 wait for us, from before they look for a row to after they are committed, so none of them has
/// found the file there and relies on it. The lock ends with our session: should that die, `remove` is dropped.
pub async fn remove_stranger<F>(
    catalog: &Catalog,
    key: &BlobKey,
    remove: impl FnOnce() -> F,
) -> Result<bool, Error>
where
    F: Future<Output = bool>,
{
    const OPERATION: &str = "remove a file without a row";
    const SQL: &str = "SELECT EXISTS (SELECT FROM blob WHERE key = $1)";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    lock_md5(&transaction, key.md5()).await?;
    let row = transaction
        .query_one(SQL, &[&key.as_str()])
        .await
        .map_err(Error::statement(OPERATION))?;
    if row.get(0) {
        return Ok(false);
    }
    tokio::select! {
        removed = remove() => Ok(removed),
        error = loss_of(&transaction) => Err(Error::statement(OPERATION)(error)),
    }
}

/// Up to `limit` blobs behind the row `after` that images link to. Empty at the end.
pub async fn list_linked_blobs(catalog: &Catalog, after: i64, limit: i64) -> Result<Vec<LinkedBlob>, Error> {
    const OPERATION: &str = "list blobs";
    const SQL: &str = "SELECT id, key, size_bytes FROM blob WHERE id > $1 AND links > 0 ORDER BY id LIMIT $2";
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query(SQL, &[&after, &limit])
        .await
        .map_err(Error::statement(OPERATION))?;
    rows.iter()
        .map(|row| {
            Ok(LinkedBlob {
                id: row.get("id"),
                key: row
                    .get::<_, &str>("key")
                    .parse()
                    .map_err(|error| Error::row(OPERATION, error))?,
                size_bytes: row.get::<_, i64>("size_bytes").unsigned_abs(),
            })
        })
        .collect()
}

/// Whether images link to this row still.
pub async fn is_linked(catalog: &Catalog, id: i64) -> Result<bool, Error> {
    const OPERATION: &str = "look at a blob again";
    const SQL: &str = "SELECT FROM blob WHERE id = $1 AND links > 0";
    Ok(catalog.find_row(OPERATION, SQL, &[&id]).await?.is_some())
}
