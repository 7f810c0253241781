use jiff::Timestamp;

use crate::{Catalog, Error};

/// How much the accounts hold, from their counter rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Live images, as of the last expiry pass.
    pub images: u64,
    /// Bytes that they would take if none were shared.
    pub bytes: u64,
}

/// Sums up the accounts' counters; cheap at any number of images.
pub async fn totals(catalog: &Catalog) -> Result<Totals, Error> {
    const OPERATION: &str = "sum up what accounts hold";
    const SQL: &str = "
        SELECT coalesce(sum(used_files), 0)::bigint, coalesce(sum(used_bytes), 0)::bigint FROM account";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one(SQL, &[])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(Totals {
        images: row.get::<_, i64>(0).unsigned_abs(),
        bytes: row.get::<_, i64>(1).unsigned_abs(),
    })
}

/// How many images an expiry at `now` would write off.
pub async fn count_due(catalog: &Catalog, now: Timestamp) -> Result<u64, Error> {
    const OPERATION: &str = "count due images";
    const SQL: &str =
        "SELECT count(*) FROM image WHERE ended_at IS NULL AND expires_at <= $1 AND ends_at(image) <= $1";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one(SQL, &[&now])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}
