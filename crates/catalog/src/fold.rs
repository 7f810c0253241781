use jiff::{Timestamp, civil::Date};
use tokio_postgres::error::SqlState;

use crate::{Catalog, Error};

/// Views of one image on one day that are not in the database yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayCount {
    /// The image's row.
    pub image_id: i64,
    /// The day, in UTC.
    pub day: Date,
    /// Views.
    pub views: u64,
    /// Bytes that were sent for them.
    pub bytes: u64,
    /// The last of them.
    pub last_viewed_at: Timestamp,
}

/// Rows in one statement: larger ones gain nothing and hold their locks longer.
const BATCH: usize = 5_000;

/// How often an image may go away between our look at it and the end of the statement before that is no accident any more.
const TRIES: u32 = 20;
/// How much longer each pause between two of them is than the one before.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(5);

/// Adds counts, all of them in one transaction. Images that are gone by now are passed over.
///
/// Rows are written in the order of their image, so that two services that fold at once can't wait for each other.
pub async fn fold_counts(catalog: &Catalog, mut counts: Vec<DayCount>) -> Result<(), Error> {
    if counts.is_empty() {
        return Ok(());
    }
    counts.sort_unstable_by_key(|count| (count.image_id, count.day));
    for tried in 1..TRIES {
        match fold(catalog, &counts).await {
            Err(Error::Statement { source, .. })
                if source.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) =>
            {
                tokio::time::sleep(PAUSE * tried).await;
            }
            outcome => return outcome,
        }
    }
    fold(catalog, &counts).await
}

async fn fold(catalog: &Catalog, counts: &[DayCount]) -> Result<(), Error> {
    const OPERATION: &str = "fold counts";
    const SQL: &str = "
        WITH seen AS (
            SELECT new.* FROM unnest($1::bigint[], $2::date[], $3::bigint[], $4::bigint[], $5::timestamptz[])
                AS new (image_id, day, views, bytes, at)
            JOIN image ON image.id = new.image_id ORDER BY new.image_id, new.day
        ), by_day AS (
            INSERT INTO view_count_day AS old (image_id, day, views, bytes)
            SELECT image_id, day, sum(views), sum(bytes) FROM seen GROUP BY image_id, day ORDER BY image_id, day
            ON CONFLICT (image_id, day) DO UPDATE SET views = old.views + excluded.views, bytes = old.bytes + excluded.bytes
        )
        INSERT INTO view_count AS old (image_id, views, bytes, last_viewed_at)
        SELECT image_id, sum(views), sum(bytes), max(at) FROM seen GROUP BY image_id ORDER BY image_id
        ON CONFLICT (image_id) DO UPDATE SET views = old.views + excluded.views, bytes = old.bytes + excluded.bytes,
            last_viewed_at = greatest(old.last_viewed_at, excluded.last_viewed_at)";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let statement = transaction
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    for batch in counts.chunks(BATCH) {
        let ids: Vec<i64> = batch.iter().map(|count| count.image_id).collect();
        let days: Vec<Date> = batch.iter().map(|count| count.day).collect();
        let views: Vec<i64> = batch.iter().map(|count| number(count.views)).collect();
        let bytes: Vec<i64> = batch.iter().map(|count| number(count.bytes)).collect();
        let times: Vec<Timestamp> = batch.iter().map(|count| count.last_viewed_at).collect();
        transaction
            .execute(&statement, &[&ids, &days, &views, &bytes, &times])
            .await
            .map_err(Error::statement(OPERATION))?;
    }
    transaction.commit().await.map_err(Error::statement(OPERATION))
}
