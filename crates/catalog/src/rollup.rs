use jiff::{Timestamp, civil::Date};

use crate::{
    Catalog, Error,
    fold::{SITES_OF_ACCOUNT, SITES_OF_IMAGE, TOP_IMAGES, begin_without_folds},
};

const OPERATION: &str = "roll up counts";

/// Where a day's sites are as many as fit, keeps the half that showed most and adds the rest to the others, so that a site that
/// comes late in the day finds room. Says how many rows went.
///
/// So a site that is among the larger half at any moment loses nothing; one that is not loses its name, never its views.
pub async fn make_room_for_sites(catalog: &Catalog, since: Date) -> Result<u64, Error> {
    const OF_ACCOUNTS: &str = "
        WITH crowded AS (
            SELECT account_id, day FROM account_site_day WHERE site = '*' AND day >= $1
        ), ranked AS (
            SELECT account_id, day, site,
                   row_number() OVER (PARTITION BY account_id, day ORDER BY views + refusals DESC, site) AS place,
                   count(*) OVER (PARTITION BY account_id, day) AS sites
            FROM account_site_day JOIN crowded USING (account_id, day) WHERE site NOT IN ('', '*')
        ), gone AS (
            DELETE FROM account_site_day USING ranked
            WHERE (account_site_day.account_id, account_site_day.day, account_site_day.site) = (ranked.account_id, ranked.day, ranked.site)
              AND ranked.sites >= $2::bigint - 2 AND ranked.place > $2::bigint / 2
            RETURNING account_site_day.*
        ), summed AS (
            SELECT account_id, day, sum(views) AS views, sum(bytes) AS bytes, sum(refusals) AS refusals, count(*) AS sites
            FROM gone GROUP BY 1, 2
        ), added AS (
            UPDATE account_site_day AS others
            SET views = others.views + summed.views, bytes = others.bytes + summed.bytes, refusals = others.refusals + summed.refusals
            FROM summed WHERE (others.account_id, others.day, others.site) = (summed.account_id, summed.day, '*')
        )
        SELECT coalesce(sum(sites), 0)::bigint FROM summed";
    let of_images = OF_ACCOUNTS
        .replace("account_site_day", "image_site_day")
        .replace("account_id", "image_id");
    let mut client = catalog.client(OPERATION).await?;
    let transaction = begin_without_folds(&mut client, OPERATION).await?;
    let mut gone = 0;
    for (sql, most) in [
        (OF_ACCOUNTS, SITES_OF_ACCOUNT),
        (of_images.as_str(), SITES_OF_IMAGE),
    ] {
        let row = transaction
            .query_one(sql, &[&since, &most])
            .await
            .map_err(Error::statement(OPERATION))?;
        gone += row.get::<_, i64>(0).unsigned_abs();
    }
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(gone)
}

/// Keeps the hundred most viewed images of each account and day. Says how many rows went.
pub async fn keep_top_images(catalog: &Catalog, since: Date) -> Result<u64, Error> {
    const SQL: &str = "
        DELETE FROM account_top_image USING (
            SELECT account_id, day, image_id, row_number() OVER (PARTITION BY account_id, day ORDER BY views DESC, image_id) AS place
            FROM account_top_image WHERE day >= $1
        ) AS ranked
        WHERE ranked.place > $2
          AND (account_top_image.account_id, account_top_image.day, account_top_image.image_id)
            = (ranked.account_id, ranked.day, ranked.image_id)";
    let client = catalog.client(OPERATION).await?;
    client
        .execute(SQL, &[&since, &TOP_IMAGES])
        .await
        .map_err(Error::statement(OPERATION))
}

/// Forgets up to `limit` rows of each kind: what sites showed single images before `sites_before`, what was on top and what sites
/// showed in all before `before`, and journals that nothing was folded from since `journals_before`. Says how many rows went.
pub async fn forget_usage(
    catalog: &Catalog,
    sites_before: Date,
    before: Date,
    journals_before: Timestamp,
    limit: i64,
) -> Result<u64, Error> {
    const BY_DAY: &str =
        "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE day < $1 LIMIT $2))";
    let client = catalog.client(OPERATION).await?;
    let mut gone = 0;
    for (table, before) in [
        ("image_site_day", sites_before),
        ("account_site_day", before),
        ("account_top_image", before),
    ] {
        gone += client
            .execute(&BY_DAY.replace("{table}", table), &[&before, &limit])
            .await
            .map_err(Error::statement(OPERATION))?;
    }
    let journals = "DELETE FROM view_journal WHERE folded_at < $1";
    let journals = client.execute(journals, &[&journals_before]).await;
    Ok(gone + journals.map_err(Error::statement(OPERATION))?)
}
