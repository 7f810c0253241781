//! What a change of an image's life does to the rows around it: the blob's count of links and the account's use, within its quota.
//! Each is called with the blob's and the image's rows locked; the account's comes after them.

use deadpool_postgres::Transaction;
use jiff::Timestamp;

use crate::{Catalog, Error};

const OPERATION: &str = "count the links of a blob";

async fn run(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Result<u64, Error> {
    let statement = transaction
        .prepare_cached(sql)
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(&statement, parameters)
        .await
        .map_err(Error::statement(OPERATION))
}

/// A live image more is over this blob, so it is not doomed.
pub(crate) async fn link(transaction: &Transaction<'_>, blob_id: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE blob SET links = links + 1, doomed_at = NULL WHERE id = $1";
    run(transaction, SQL, &[&blob_id]).await.map(drop)
}

/// A live image less is over this blob; the last one dooms it.
pub(crate) async fn unlink(transaction: &Transaction<'_>, blob_id: i64, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "
        UPDATE blob SET links = links - 1, doomed_at = CASE WHEN links = 1 THEN $2::timestamptz END WHERE id = $1";
    run(transaction, SQL, &[&blob_id, &now]).await.map(drop)
}

/// Adds to what an account holds, if its quota has room; false when it has none, and then nothing is written.
///
/// INVARIANT: the test and the change are one statement on the account's row, so no two uploads at once can both take the
/// last room.
pub(crate) async fn charge(
    transaction: &Transaction<'_>,
    account_id: i64,
    files: i64,
    bytes: i64,
) -> Result<bool, Error> {
    const SQL: &str = "
        UPDATE account SET used_files = used_files + $2, used_bytes = used_bytes + $3
        WHERE id = $1 AND (quota_files IS NULL OR $2::bigint <= 0 OR used_files + $2 <= quota_files)
          AND (quota_bytes IS NULL OR $3::bigint <= 0 OR used_bytes + $3 <= quota_bytes)";
    run(transaction, SQL, &[&account_id, &files, &bytes])
        .await
        .map(|rows| rows == 1)
}

/// Whether an account's quota has room just now. Holds no lock: [`charge`] decides; this one spares the bytes' way to the
/// disk where the answer is plain.
pub(crate) async fn has_room(
    transaction: &Transaction<'_>,
    account_id: i64,
    files: i64,
    bytes: i64,
) -> Result<bool, Error> {
    const SQL: &str = "
        SELECT FROM account
        WHERE id = $1 AND (quota_files IS NULL OR $2::bigint <= 0 OR used_files + $2 <= quota_files)
          AND (quota_bytes IS NULL OR $3::bigint <= 0 OR used_bytes + $3 <= quota_bytes)";
    let statement = transaction
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    let row = transaction
        .query_opt(&statement, &[&account_id, &files, &bytes])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.is_some())
}

/// What an account may hold, and what it holds.
pub async fn find_quota(catalog: &Catalog, account_id: i64) -> Result<Option<domain::Quota>, Error> {
    const OPERATION: &str = "look at a quota";
    const SQL: &str = "SELECT quota_files, quota_bytes, used_files, used_bytes FROM account WHERE id = $1";
    let row = catalog.find_row(OPERATION, SQL, &[&account_id]).await?;
    let limit = |value: Option<i64>| value.map(i64::unsigned_abs);
    Ok(row.map(|row| domain::Quota {
        files: limit(row.get(0)),
        bytes: limit(row.get(1)),
        used_files: row.get::<_, i64>(2).unsigned_abs(),
        used_bytes: row.get::<_, i64>(3).unsigned_abs(),
    }))
}
