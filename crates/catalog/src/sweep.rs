use std::{collections::HashMap, time::Duration};

use deadpool_postgres::Transaction;
use domain::{BlobKey, VariantKey};
use jiff::Timestamp;

use crate::{Catalog, Error, backup::lets_sweep, derive::keys_of_variants};

/// A blob whose time has come, its row locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed {
    /// Its row.
    pub id: i64,
    /// Where its bytes rest.
    pub key: BlobKey,
    /// How many.
    pub size_bytes: u64,
    /// Where what was derived of them rests, or may.
    pub variants: Vec<VariantKey>,
}

/// What a batch freed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Blobs whose rows were claimed.
    pub claimed: usize,
    /// Blobs whose bytes and rows are gone.
    pub blobs: usize,
    /// Bytes that they had.
    pub bytes: u64,
}

const OPERATION: &str = "sweep blobs";

/// How often a sweep asks whether it still holds its locks. A server that died takes longer than this to come back, and only
/// then could somebody else lock the same rows.
const SESSION_CHECK: Duration = Duration::from_millis(20);

/// Claims up to `limit` blobs that were doomed at or before `doomed_before`, has `remove` free the bytes of each while their
/// rows are locked, and forgets the rows. `remove` gives the ids whose bytes are gone; the others stay for the next time.
///
/// INVARIANT: a blob with a live image is never claimed, and an upload of the same bytes waits for the row: it finds
/// either the blob untouched or none at all. While a backup copies what its rows speak of, nothing is claimed. The lock ends with our session: should that die meanwhile, `remove` is dropped
/// and must stop removing at once.
pub async fn sweep_batch<F>(
    catalog: &Catalog,
    limit: i64,
    doomed_before: Timestamp,
    remove: impl FnOnce(Vec<Doomed>) -> F,
) -> Result<Swept, Error>
where
    F: Future<Output = Vec<i64>>,
{
    const CLAIM: &str = "
        SELECT id, key, size_bytes FROM blob WHERE doomed_at <= $1 AND links = 0
        ORDER BY doomed_at LIMIT $2 FOR UPDATE SKIP LOCKED";
    // The ended images over a blob go with it.
    const FORGET: &str = "DELETE FROM blob WHERE id = ANY ($1) RETURNING size_bytes";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    if !lets_sweep(&transaction).await? {
        tracing::info!("a backup is under way: nothing is swept until it has its bytes");
        return Ok(Swept::default());
    }
    let rows = transaction
        .query(CLAIM, &[&doomed_before, &limit])
        .await
        .map_err(Error::statement(OPERATION))?;
    let mut doomed = Vec::with_capacity(rows.len());
    for row in &rows {
        let key = row
            .get::<_, &str>("key")
            .parse()
            .map_err(|error| Error::row(OPERATION, error))?;
        let size_bytes = row.get::<_, i64>("size_bytes").unsigned_abs();
        doomed.push(Doomed {
            id: row.get("id"),
            key,
            size_bytes,
            variants: Vec::new(),
        });
    }
    if doomed.is_empty() {
        return Ok(Swept::default());
    }
    add_variants(&transaction, &mut doomed).await?;
    let claimed = doomed.len();
    let gone = tokio::select! {
        gone = remove(doomed) => gone,
        error = loss_of(&transaction) => return Err(Error::statement(OPERATION)(error)),
    };
    let freed = transaction
        .query(FORGET, &[&gone])
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    let bytes = freed.iter().map(|row| row.get::<_, i64>(0).unsigned_abs()).sum();
    Ok(Swept {
        claimed,
        blobs: freed.len(),
        bytes,
    })
}

/// Variants are read after their blobs are locked: from here on none can be wished for or put in place.
async fn add_variants(transaction: &Transaction<'_>, doomed: &mut [Doomed]) -> Result<(), Error> {
    let blobs: Vec<(i64, &BlobKey)> = doomed.iter().map(|blob| (blob.id, &blob.key)).collect();
    let mut variants: HashMap<i64, Vec<VariantKey>> = HashMap::new();
    for (id, key) in keys_of_variants(transaction, &blobs).await? {
        variants.entry(id).or_default().push(key);
    }
    for blob in doomed {
        blob.variants = variants.remove(&blob.id).unwrap_or_default();
    }
    Ok(())
}

/// Waits until the session that holds a transaction's locks is gone.
pub(crate) async fn loss_of(transaction: &Transaction<'_>) -> tokio_postgres::Error {
    loop {
        tokio::time::sleep(SESSION_CHECK).await;
        if let Err(error) = transaction.simple_query("SELECT 1").await {
            return error;
        }
    }
}

/// How many blobs a sweep would free, and how many bytes: `(blobs, bytes)`.
pub async fn count_doomed(catalog: &Catalog, doomed_before: Timestamp) -> Result<(u64, u64), Error> {
    const OPERATION: &str = "count doomed blobs";
    const SQL: &str = "SELECT count(*), coalesce(sum(size_bytes), 0)::bigint FROM blob WHERE doomed_at <= $1";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one(SQL, &[&doomed_before])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok((
        row.get::<_, i64>(0).unsigned_abs(),
        row.get::<_, i64>(1).unsigned_abs(),
    ))
}

/// Forgets up to `limit` images that ended at or before `ended_before`, so that they can't be restored any more, and says how many.
/// (Those whose blob is swept go with it; these are the ones whose blob lives on for somebody else.)
pub async fn forget_ended(catalog: &Catalog, limit: i64, ended_before: Timestamp) -> Result<u64, Error> {
    const OPERATION: &str = "forget ended images";
    const SQL: &str = "
        DELETE FROM image WHERE id IN (
            SELECT id FROM image WHERE ended_at <= $1 ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
    let client = catalog.client(OPERATION).await?;
    client
        .execute(SQL, &[&ended_before, &limit])
        .await
        .map_err(Error::statement(OPERATION))
}
