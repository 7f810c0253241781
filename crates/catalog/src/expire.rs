use jiff::{SignedDuration, Timestamp};

use crate::{Catalog, Error};

const OPERATION: &str = "expire images";
const SQL: &str = "
    WITH free AS (
        SELECT image.id, image.blob_id, blob.size_bytes
        FROM image JOIN blob ON blob.id = image.blob_id
        WHERE image.ended_at IS NULL AND image.expires_at <= $1
          AND (sliding(image) IS NULL OR ends_at(image) <= $3::timestamptz)
        ORDER BY image.expires_at LIMIT $2
        FOR UPDATE OF blob SKIP LOCKED
    ), due AS (
        SELECT image.id, image.account_id, image.blob_id, free.size_bytes
        FROM free JOIN image ON image.id = free.id AND image.blob_id = free.blob_id
        WHERE image.ended_at IS NULL AND image.expires_at <= $1
        FOR UPDATE OF image SKIP LOCKED
    ), ended AS (
        UPDATE image SET ended_at = image.expires_at, ended_by = 'expired' FROM due WHERE image.id = due.id
        RETURNING image.id
    ), unlinked AS (
        UPDATE blob SET links = blob.links - gone.links,
                        doomed_at = CASE WHEN blob.links = gone.links THEN $1::timestamptz END
        FROM (SELECT blob_id, count(*) AS links FROM due GROUP BY blob_id) AS gone
        WHERE blob.id = gone.blob_id
    ), held AS (
        SELECT id FROM account WHERE id IN (SELECT account_id FROM due) ORDER BY id FOR NO KEY UPDATE
    ), freed AS (
        UPDATE account SET used_files = account.used_files - gone.files, used_bytes = account.used_bytes - gone.bytes
        FROM (SELECT account_id, count(*) AS files, sum(size_bytes)::bigint AS bytes FROM due GROUP BY account_id) AS gone
        JOIN held ON held.id = gone.account_id
        WHERE account.id = gone.account_id
    )
    SELECT count(*) FROM ended";

/// How much longer than its end an image that views keep alive waits to be written off, though it answers no more: views of its last
/// moments may still be on their way, from a serve-svc whose line to the database was broken.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// Writes off up to `limit` images whose time is over at `now`; blobs that nothing links to any more are doomed. Says how
/// many were written off; fewer than `limit` means that none is left but those that somebody held a lock on, or wrote off
/// meanwhile.
///
/// Blobs and images that are locked are skipped. INVARIANT: the blobs are locked by a step of their own, before any image. A
/// row that is skipped for its second lock keeps its first, so one step for both would hold images whose blobs an upload
/// has, and then wait for the account that the upload has, too. The accounts are waited for, in the order of their ids
/// (`held`), so that two batches at once can't wait for each other.
pub async fn expire_batch(catalog: &Catalog, limit: i64, now: Timestamp) -> Result<u64, Error> {
    expire(catalog, limit, now, Some(slid_before(now))).await
}

/// The same, but for images that views keep alive: for when nobody knows yet whether all views that were counted have come in.
pub async fn expire_fixed_batch(catalog: &Catalog, limit: i64, now: Timestamp) -> Result<u64, Error> {
    expire(catalog, limit, now, None).await
}

fn slid_before(now: Timestamp) -> Timestamp {
    now.checked_sub(MARGIN).unwrap_or(Timestamp::MIN)
}

async fn expire(
    catalog: &Catalog,
    limit: i64,
    now: Timestamp,
    slid_before: Option<Timestamp>,
) -> Result<u64, Error> {
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one(SQL, &[&now, &limit, &slid_before])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}

/// How Postgres would find what is over (`EXPLAIN`), for tests that hold it to its indexes. Writes nothing off.
pub async fn explain_expire(catalog: &Catalog, limit: i64, now: Timestamp) -> Result<String, Error> {
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query(&format!("EXPLAIN {SQL}"), &[&now, &limit, &slid_before(now)])
        .await
        .map_err(Error::statement(OPERATION))?;
    let lines: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    Ok(lines.join("\n"))
}

/// Writes down the ends of up to `limit` images that views keep alive, where one comes within the hour and the views that were folded
/// have moved it. Says how many that were.
pub async fn slide_expiries(catalog: &Catalog, limit: i64, now: Timestamp) -> Result<u64, Error> {
    const OPERATION: &str = "let views keep images alive";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one("SELECT slide_expiries($1, $2)", &[&now, &limit])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}
