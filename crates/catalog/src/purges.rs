use domain::VariantFormat;
use jiff::Timestamp;
use serde_json::json;
use tokio_postgres::Row;

use crate::{Catalog, Error, Event, events::record_in};

/// An image whose URLs shared caches are to forget, as it was before it changed. It may be gone by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// Its row.
    pub id: i64,
    /// The image's name in URLs.
    pub public_id: String,
    /// Where its bytes were: `ab/cdef….ext`.
    pub key: String,
    /// The variants that were there: named width and format.
    pub variants: Vec<(u32, VariantFormat)>,
    /// Its owner's name.
    pub username: String,
    /// Its file name.
    pub name: String,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// How often it was tried, this time included.
    pub tries: u32,
    /// The URLs that are left; none before anything was tried.
    pub urls: Option<Vec<String>>,
}

/// Says whether changes are to be written down for somebody to tell caches of them. When they are not, what was written down is
/// forgotten.
pub async fn set_purge_hook(catalog: &Catalog, is_on: bool) -> Result<(), Error> {
    const OPERATION: &str = "set whether caches are told of changes";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    transaction
        .execute("UPDATE purge_hook SET is_on = $1 WHERE is_on <> $1", &[&is_on])
        .await
        .map_err(Error::statement(OPERATION))?;
    if !is_on {
        transaction
            .batch_execute("DELETE FROM purge; DELETE FROM purge_many")
            .await
            .map_err(Error::statement(OPERATION))?;
    }
    transaction.commit().await.map_err(Error::statement(OPERATION))
}

/// Makes up to `limit` rows for single images of what was written down for many at once. True where there is more to do.
pub async fn spread_purges(catalog: &Catalog, limit: i64) -> Result<bool, Error> {
    const OPERATION: &str = "write down images that caches are to forget";
    const LOCK: &str = "
        SELECT id, after, album_id, account_id, username FROM purge_many ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED";
    // What has ended was written down when it did; but an account's may have been under its new name.
    const ALBUM: &str = "image.album_id = $4 AND image.ended_at IS NULL";
    const ACCOUNT: &str = "image.account_id = $4";
    const SITE: &str = "$4::bigint IS NULL AND image.ended_at IS NULL";
    // What is private is in no shared cache.
    const SPREAD: &str = "
        WITH next AS (
            SELECT image.id, queue_purge(image, $3) FROM image
            WHERE image.id > $1 AND image.visibility <> 'private' AND {condition} ORDER BY image.id LIMIT $2
        )
        SELECT count(*), max(id) FROM next";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let locked = transaction
        .query_opt(LOCK, &[])
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(locked) = locked else { return Ok(false) };
    let (id, after): (i64, i64) = (locked.get("id"), locked.get("after"));
    let (album, account): (Option<i64>, Option<i64>) = (locked.get("album_id"), locked.get("account_id"));
    let condition = match (album, account) {
        (Some(_), _) => ALBUM,
        (None, Some(_)) => ACCOUNT,
        (None, None) => SITE,
    };
    let username: Option<&str> = locked.get("username");
    let row = transaction
        .query_one(
            &SPREAD.replace("{condition}", condition),
            &[&after, &limit, &username, &album.or(account)],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    let (spread, last): (i64, Option<i64>) = (row.get(0), row.get(1));
    match last.filter(|_| spread == limit) {
        Some(last) => {
            let sql = "UPDATE purge_many SET after = $2 WHERE id = $1";
            transaction.execute(sql, &[&id, &last]).await
        }
        None => {
            transaction
                .execute("DELETE FROM purge_many WHERE id = $1", &[&id])
                .await
        }
    }
    .map_err(Error::statement(OPERATION))?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(true)
}

/// Takes up to `limit` that are due at `now`, for the caller alone until `until`; then they are due again, whatever became of the
/// caller. What was written down less than a second ago is left for the next time: by then every serve-svc knows of the change, and
/// no cache can fetch again what it is told to forget.
pub async fn claim_purges(
    catalog: &Catalog,
    limit: i64,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<Purge>, Error> {
    const OPERATION: &str = "take what caches are to forget";
    const SQL: &str = "
        UPDATE purge SET due_at = $3, tries = tries + 1 WHERE id IN (
            SELECT id FROM purge WHERE due_at <= $2 AND queued_at <= clock_timestamp() - interval '1 second'
            ORDER BY due_at, id LIMIT $1 FOR UPDATE SKIP LOCKED
        ) RETURNING *";
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query(SQL, &[&limit, &now, &until])
        .await
        .map_err(Error::statement(OPERATION))?;
    rows.iter().map(|row| read(OPERATION, row)).collect()
}

fn read(operation: &'static str, row: &Row) -> Result<Purge, Error> {
    let variants: Vec<(u32, String)> =
        serde_json::from_value(row.get("variants")).map_err(|error| Error::row(operation, error))?;
    Ok(Purge {
        id: row.get("id"),
        public_id: row.get("public_id"),
        key: row.get("key"),
        variants: variants
            .into_iter()
            .filter_map(|(width, format)| Some((width, format.parse().ok()?)))
            .collect(),
        username: row.get("username"),
        name: row.get("name"),
        created_at: row.get("created_at"),
        tries: u32::from(row.get::<_, i16>("tries").unsigned_abs()),
        urls: row.get("urls"),
    })
}

/// Every URL of it was told.
pub async fn finish_purge(catalog: &Catalog, id: i64) -> Result<(), Error> {
    const OPERATION: &str = "forget what caches have forgotten";
    let client = catalog.client(OPERATION).await?;
    client
        .execute("DELETE FROM purge WHERE id = $1", &[&id])
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

/// These are left, to be tried again at `due_at`.
pub async fn put_purge_off(
    catalog: &Catalog,
    id: i64,
    urls: &[String],
    due_at: Timestamp,
) -> Result<(), Error> {
    const OPERATION: &str = "put off what caches are to forget";
    let client = catalog.client(OPERATION).await?;
    client
        .execute(
            "UPDATE purge SET urls = $2, due_at = $3 WHERE id = $1",
            &[&id, &urls, &due_at],
        )
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

/// These are left, and nobody will try again: writes an event down.
pub async fn give_purge_up(
    catalog: &Catalog,
    purge: &Purge,
    urls: &[String],
    reason: &str,
    now: Timestamp,
) -> Result<(), Error> {
    const OPERATION: &str = "give up what caches are to forget";
    let event = Event {
        kind: "purge_failed",
        account_id: None,
        client_address: None,
        subject: purge.public_id.clone(),
        detail: json!({ "urls": urls, "tries": purge.tries, "reason": reason }),
    };
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let gone = transaction
        .execute("DELETE FROM purge WHERE id = $1", &[&purge.id])
        .await
        .map_err(Error::statement(OPERATION))?;
    if gone > 0 {
        record_in(&transaction, &event, now).await?;
    }
    transaction.commit().await.map_err(Error::statement(OPERATION))
}

/// How many images there are whose URLs caches are still to forget.
pub async fn count_purges(catalog: &Catalog) -> Result<u64, Error> {
    const OPERATION: &str = "count what caches are to forget";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one("SELECT count(*) FROM purge", &[])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}
