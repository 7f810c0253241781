use jiff::civil::Date;

use crate::{Catalog, Error, fold::begin_without_folds};

/// Makes months of up to `limit` images' days on which they were last seen, where these are before the month before that of `today`, so that a list of what
/// is unused has few periods to look into. Says how many images that were: fewer than the limit means that all are done.
///
/// Looks at every day on which an account's images were last seen, so once a day is enough.
pub async fn merge_periods(catalog: &Catalog, today: Date, limit: i64) -> Result<u64, Error> {
    const OPERATION: &str = "merge the days on which images were last seen";
    const SQL: &str = "
        WITH RECURSIVE period (account_id, first_day) AS (
            (SELECT account_id, seen_period FROM image_seen ORDER BY account_id, seen_period LIMIT 1)
            UNION ALL
            SELECT later.* FROM period CROSS JOIN LATERAL (
                SELECT account_id, seen_period FROM image_seen
                WHERE (image_seen.account_id, image_seen.seen_period) > (period.account_id, period.first_day)
                ORDER BY account_id, seen_period LIMIT 1
            ) AS later
        ), due AS (
            SELECT seen.image_id FROM period CROSS JOIN LATERAL (
                SELECT image_id FROM image_seen
                WHERE image_seen.account_id = period.account_id AND image_seen.seen_period = period.first_day LIMIT $2
            ) AS seen
            WHERE period.first_day > '-infinity' AND extract(day FROM period.first_day) > 1
              AND period.first_day < (date_trunc('month', $1::date::timestamp) - interval '1 month')::date
            LIMIT $2
        )
        UPDATE image_seen SET seen_period = seen_period - (extract(day FROM seen_period)::integer - 1)
        FROM due WHERE image_seen.image_id = due.image_id";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = begin_without_folds(&mut client, OPERATION).await?;
    let merged = transaction
        .execute(SQL, &[&today, &limit])
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(merged)
}
