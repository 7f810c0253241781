use domain::{MediaType, PublicId};
use jiff::{Timestamp, civil::Date};
use tokio_postgres::{Row, types::ToSql};

use crate::{Catalog, Error, Referrer};

/// Days in UTC, both among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first.
    pub from: Date,
    /// The last.
    pub to: Date,
}

/// How often something was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Use {
    /// Views by people, as far as anybody can tell.
    pub views: u64,
    /// Bytes that were sent for them.
    pub bytes: u64,
    /// Views by programs that say that they are ones.
    pub bots: u64,
    /// Bytes that were sent for those.
    pub bot_bytes: u64,
    /// Requests that the hotlink rules refused.
    pub refusals: u64,
}

/// What one site asked for. Bots apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteUse {
    /// The site.
    pub site: Referrer,
    /// Views on its pages.
    pub views: u64,
    /// Bytes that were sent for them.
    pub bytes: u64,
    /// Requests that the hotlink rules refused.
    pub refusals: u64,
}

/// How an image is used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageUse {
    /// Since it was published.
    pub ever: Use,
    /// The last view.
    pub last_viewed_at: Option<Timestamp>,
    /// By day, the first first; days on which nothing was asked for are not among them.
    pub days: Vec<(Date, Use)>,
    /// By site, the one with the most views first, then the one with the most refusals.
    pub sites: Vec<SiteUse>,
}

/// One of the most viewed images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopImage {
    /// Its name in URLs.
    pub public_id: PublicId,
    /// Its file name.
    pub name: String,
    /// Its format.
    pub media_type: MediaType,
    /// Views in the period.
    pub views: u64,
    /// Bytes that were sent for them.
    pub bytes: u64,
}

/// How an image was used in a period. It may be one that nobody ever asked for.
pub async fn image_use(catalog: &Catalog, image_id: i64, period: Period) -> Result<ImageUse, Error> {
    const OPERATION: &str = "say how an image is used";
    const EVER: &str = "
        SELECT views, bytes, bots, bot_bytes, refusals, last_viewed_at FROM view_count WHERE image_id = $1";
    const DAYS: &str = "
        SELECT views, bytes, bots, bot_bytes, refusals, day FROM view_count_day
        WHERE image_id = $1 AND day BETWEEN $2 AND $3 ORDER BY day";
    const SITES: &str = "
        SELECT site, sum(views)::bigint, sum(bytes)::bigint, sum(refusals)::bigint FROM image_site_day
        WHERE image_id = $1 AND day BETWEEN $2 AND $3 GROUP BY site ORDER BY 2 DESC, 4 DESC, site";
    let ever = ask(catalog, OPERATION, EVER, &[&image_id]).await?;
    let within: [&(dyn ToSql + Sync); 3] = [&image_id, &period.from, &period.to];
    let days = ask(catalog, OPERATION, DAYS, &within).await?;
    let sites = ask(catalog, OPERATION, SITES, &within).await?;
    Ok(ImageUse {
        ever: ever.first().map(read_use).unwrap_or_default(),
        last_viewed_at: ever.first().and_then(|row| row.get("last_viewed_at")),
        days: days.iter().map(|row| (row.get("day"), read_use(row))).collect(),
        sites: sites.iter().map(read_site).collect(),
    })
}

/// The statements of [`crate::stats`], each from rows that folds and triggers keep; none looks at every image. `{mine}` and `{whose}`
/// are whose. Each names all five parameters, the account, the days, now and soon, so that one list of them serves all.
pub(crate) const STATEMENTS: [&str; 7] = [HELD, DAYS, TOP_IMAGES, SITES, STORAGE, EXPIRING, EXPIRING_FIRST];

pub(crate) const HELD: &str = "
    SELECT coalesce(sum(used_files), 0)::bigint, coalesce(sum(used_bytes), 0)::bigint FROM account
    WHERE {whose} AND $2::date <= $3::date AND $4::timestamptz <= $5::timestamptz";
pub(crate) const DAYS: &str = "
    SELECT sum(views)::bigint AS views, sum(bytes)::bigint AS bytes, sum(bots)::bigint AS bots, sum(bot_bytes)::bigint AS bot_bytes,
           sum(refusals)::bigint AS refusals, day
    FROM account_day WHERE {mine} AND day BETWEEN $2 AND $3 AND $4::timestamptz <= $5::timestamptz GROUP BY day ORDER BY day";
/// An image that is among the most viewed of no day is not among those of many.
pub(crate) const TOP_IMAGES: &str = "
    WITH candidate AS MATERIALIZED (
        SELECT image_id FROM account_top_image WHERE {mine} AND day BETWEEN $2 AND $3
        GROUP BY image_id ORDER BY sum(views) DESC LIMIT 200
    )
    SELECT image.public_id, image.name, blob.media_type, seen.views, seen.bytes
    FROM candidate
    CROSS JOIN LATERAL (
        SELECT sum(views)::bigint AS views, sum(bytes)::bigint AS bytes FROM view_count_day
        WHERE view_count_day.image_id = candidate.image_id AND day BETWEEN $2 AND $3
    ) AS seen
    JOIN image ON image.id = candidate.image_id JOIN blob ON blob.id = image.blob_id
    WHERE image.ended_at IS NULL AND (image.expires_at IS NULL OR image.expires_at > $4::timestamptz) AND $4 <= $5::timestamptz
    ORDER BY seen.views DESC, image.id LIMIT 20";
pub(crate) const SITES: &str = "
    SELECT site, sum(views)::bigint, sum(bytes)::bigint, sum(refusals)::bigint FROM account_site_day
    WHERE {mine} AND day BETWEEN $2 AND $3 AND $4::timestamptz <= $5::timestamptz GROUP BY site ORDER BY 2 DESC, 4 DESC, site";
pub(crate) const STORAGE: &str = "
    SELECT media_type, kind, sum(images)::bigint, sum(bytes)::bigint FROM account_storage
    WHERE {mine} AND $2::date <= $3::date AND $4::timestamptz <= $5::timestamptz
    GROUP BY 1, 2 HAVING sum(images) > 0 ORDER BY 4 DESC, 1";
/// Counted up to a bound: beyond it the exact number tells nobody more.
pub(crate) const EXPIRING: &str = "
    SELECT count(*) FROM (
        SELECT FROM image WHERE {mine} AND ended_at IS NULL AND expires_at > $4 AND expires_at <= $5 AND $2::date <= $3::date LIMIT 10000
    ) AS soon";
pub(crate) const EXPIRING_FIRST: &str = "
    SELECT soon.public_id, soon.name, blob.media_type, soon.expires_at FROM (
        SELECT public_id, name, blob_id, expires_at FROM image
        WHERE {mine} AND ended_at IS NULL AND expires_at > $4 AND expires_at <= $5 AND $2::date <= $3::date
        ORDER BY expires_at LIMIT 20
    ) AS soon JOIN blob ON blob.id = soon.blob_id ORDER BY soon.expires_at";

/// Names whose rows a statement reads: one account's, or everybody's.
pub(crate) fn of_owner(sql: &str, owner: Option<i64>) -> String {
    let (mine, whose) = match owner {
        Some(_) => ("account_id = $1", "id = $1"),
        None => ("$1::bigint IS NULL", "$1::bigint IS NULL"),
    };
    sql.replace("{mine}", mine).replace("{whose}", whose)
}

pub(crate) async fn ask(
    catalog: &Catalog,
    operation: &'static str,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Error> {
    let client = catalog.client(operation).await?;
    let statement = client
        .prepare_cached(sql)
        .await
        .map_err(Error::statement(operation))?;
    client
        .query(&statement, parameters)
        .await
        .map_err(Error::statement(operation))
}

pub(crate) fn read_use(row: &Row) -> Use {
    let number = |column: &str| row.get::<_, i64>(column).unsigned_abs();
    Use {
        views: number("views"),
        bytes: number("bytes"),
        bots: number("bots"),
        bot_bytes: number("bot_bytes"),
        refusals: number("refusals"),
    }
}

pub(crate) fn read_site(row: &Row) -> SiteUse {
    let number = |column: usize| row.get::<_, i64>(column).unsigned_abs();
    SiteUse {
        site: Referrer::from_text(row.get(0)),
        views: number(1),
        bytes: number(2),
        refusals: number(3),
    }
}
