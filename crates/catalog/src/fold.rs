use deadpool_postgres::Transaction;
use jiff::{Timestamp, civil::Date};
use tokio_postgres::error::SqlState;

use crate::{Catalog, Error};

/// What was asked of one image on one day and is not in the database yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayCount {
    /// The image's row.
    pub image_id: i64,
    /// The day, in UTC.
    pub day: Date,
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
    /// The last of the views.
    pub last_viewed_at: Option<Timestamp>,
}

impl DayCount {
    /// Nothing yet.
    #[must_use]
    pub fn none(image_id: i64, day: Date) -> Self {
        Self {
            image_id,
            day,
            views: 0,
            bytes: 0,
            bots: 0,
            bot_bytes: 0,
            refusals: 0,
            last_viewed_at: None,
        }
    }
}

/// Which site showed an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Referrer {
    /// One of those that there was no room to tell apart.
    Other,
    /// The request named none.
    Unnamed,
    /// This host.
    Host(String),
}

impl Referrer {
    const OTHER: &str = "*";
    const UNNAMED: &str = "";

    fn as_text(&self) -> &str {
        match self {
            Self::Other => Self::OTHER,
            Self::Unnamed => Self::UNNAMED,
            Self::Host(host) => host,
        }
    }

    pub(crate) fn from_text(text: &str) -> Self {
        match text {
            Self::OTHER => Self::Other,
            Self::UNNAMED => Self::Unnamed,
            host => Self::Host(host.to_owned()),
        }
    }
}

/// What one site asked of one image on one day. Bots apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferrerCount {
    /// The image's row.
    pub image_id: i64,
    /// The day, in UTC.
    pub day: Date,
    /// The site.
    pub referrer: Referrer,
    /// Views on its pages.
    pub views: u64,
    /// Bytes that were sent for them.
    pub bytes: u64,
    /// Requests that the hotlink rules refused.
    pub refusals: u64,
}

/// Counts that are added once, however often they are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// The journal that they stand in.
    pub journal: [u8; 16],
    /// Which of its folds this is, from 1 upwards. What is sent under one epoch must never change.
    pub epoch: u64,
    /// By image and day, each once.
    pub days: Vec<DayCount>,
    /// By image, day and site, each once.
    pub referrers: Vec<ReferrerCount>,
}

/// Rows in one statement: larger ones gain nothing.
const BATCH: usize = 5_000;
/// Sites that are told apart for one image on one day; the next ones are the others, until the janitor has made room.
pub(crate) const SITES_OF_IMAGE: i64 = 50;
/// The same for all images of one account.
pub(crate) const SITES_OF_ACCOUNT: i64 = 1_000;
/// How many images are the most viewed of a day.
pub(crate) const TOP_IMAGES: i64 = 100;

/// How often an image may go away between our look at it and the end of the statement before that is no accident any more.
const TRIES: u32 = 20;
/// How much longer each pause between two of them is than the one before.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(5);

const OPERATION: &str = "fold counts";

/// A transaction that folds wait for: it changes the rows that they do, in an order of its own.
pub(crate) async fn begin_without_folds<'a>(
    client: &'a mut deadpool_postgres::Client,
    operation: &'static str,
) -> Result<Transaction<'a>, Error> {
    let transaction = client.transaction().await.map_err(Error::statement(operation))?;
    transaction
        .batch_execute("SELECT pg_advisory_xact_lock(hashtext('fold views'))")
        .await
        .map_err(Error::statement(operation))?;
    Ok(transaction)
}

/// Adds counts, all of them in one transaction, unless they are in the database already: then it says false. Images that are
/// gone by now are passed over.
pub async fn fold_counts(catalog: &Catalog, mut fold: Fold, now: Timestamp) -> Result<bool, Error> {
    fold.days
        .sort_unstable_by_key(|count| (count.image_id, count.day));
    for tried in 1..TRIES {
        match try_fold(catalog, &fold, now).await {
            Err(Error::Statement { source, .. })
                if source.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) =>
            {
                tokio::time::sleep(PAUSE * tried).await;
            }
            outcome => return outcome,
        }
    }
    try_fold(catalog, &fold, now).await
}

async fn try_fold(catalog: &Catalog, fold: &Fold, now: Timestamp) -> Result<bool, Error> {
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    if !claim(&transaction, fold, now).await? {
        return Ok(false);
    }
    for batch in fold.days.chunks(BATCH) {
        add_days(&transaction, batch).await?;
    }
    for batch in fold.referrers.chunks(BATCH) {
        add_referrers(&transaction, batch).await?;
    }
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(true)
}

/// Writes the epoch down. False where it stands there already.
///
/// Folds go one after the other, so that two that touch the same rows can't wait for each other. And their commit waits for the
/// disk, whatever the database's own settings are: the journal is cleared on its word.
async fn claim(transaction: &Transaction<'_>, fold: &Fold, now: Timestamp) -> Result<bool, Error> {
    const LOCK: &str = "
        SELECT pg_advisory_xact_lock(hashtext('fold views'))::text, set_config('synchronous_commit', 'on', true)";
    const SQL: &str = "
        INSERT INTO view_journal AS old (id, epoch, folded_at) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, folded_at = excluded.folded_at WHERE old.epoch < excluded.epoch";
    transaction
        .batch_execute(LOCK)
        .await
        .map_err(Error::statement(OPERATION))?;
    let statement = transaction
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    let rows = transaction
        .execute(&statement, &[&fold.journal.as_slice(), &number(fold.epoch), &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(rows > 0)
}

async fn add_days(transaction: &Transaction<'_>, batch: &[DayCount]) -> Result<(), Error> {
    const SQL: &str = "
        WITH seen AS MATERIALIZED (
            SELECT new.*, image.account_id
            FROM unnest($1::bigint[], $2::date[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::timestamptz[])
                AS new (image_id, day, views, bytes, bots, bot_bytes, refusals, at)
            JOIN image ON image.id = new.image_id
        ), by_day AS (
            INSERT INTO view_count_day AS old (image_id, day, views, bytes, bots, bot_bytes, refusals)
            SELECT image_id, day, views, bytes, bots, bot_bytes, refusals FROM seen ORDER BY image_id, day
            ON CONFLICT (image_id, day) DO UPDATE SET
                views = old.views + excluded.views, bytes = old.bytes + excluded.bytes, bots = old.bots + excluded.bots,
                bot_bytes = old.bot_bytes + excluded.bot_bytes, refusals = old.refusals + excluded.refusals
            RETURNING image_id, day, views
        ), best AS (
            SELECT seen.account_id, by_day.*,
                   row_number() OVER (PARTITION BY seen.account_id, by_day.day ORDER BY by_day.views DESC, by_day.image_id) AS place
            FROM by_day JOIN seen USING (image_id, day) WHERE seen.views > 0
        ), top AS (
            INSERT INTO account_top_image AS old (account_id, day, image_id, views)
            SELECT account_id, day, image_id, views FROM best WHERE place <= $9
            ON CONFLICT (account_id, day, image_id) DO UPDATE SET views = greatest(old.views, excluded.views)
        ), by_account AS (
            INSERT INTO account_day AS old (account_id, day, views, bytes, bots, bot_bytes, refusals)
            SELECT account_id, day, sum(views), sum(bytes), sum(bots), sum(bot_bytes), sum(refusals) FROM seen GROUP BY 1, 2
            ON CONFLICT (account_id, day) DO UPDATE SET
                views = old.views + excluded.views, bytes = old.bytes + excluded.bytes, bots = old.bots + excluded.bots,
                bot_bytes = old.bot_bytes + excluded.bot_bytes, refusals = old.refusals + excluded.refusals
        )
        INSERT INTO view_count AS old (image_id, views, bytes, bots, bot_bytes, refusals, last_viewed_at)
        SELECT image_id, sum(views), sum(bytes), sum(bots), sum(bot_bytes), sum(refusals), max(at)
        FROM seen GROUP BY image_id ORDER BY image_id
        ON CONFLICT (image_id) DO UPDATE SET
            views = old.views + excluded.views, bytes = old.bytes + excluded.bytes, bots = old.bots + excluded.bots,
            bot_bytes = old.bot_bytes + excluded.bot_bytes, refusals = old.refusals + excluded.refusals,
            last_viewed_at = greatest(old.last_viewed_at, excluded.last_viewed_at)";
    let column = |of: fn(&DayCount) -> u64| batch.iter().map(|count| number(of(count))).collect::<Vec<i64>>();
    let ids: Vec<i64> = batch.iter().map(|count| count.image_id).collect();
    let days: Vec<Date> = batch.iter().map(|count| count.day).collect();
    let times: Vec<Option<Timestamp>> = batch.iter().map(|count| count.last_viewed_at).collect();
    let statement = transaction
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(
            &statement,
            &[
                &ids,
                &days,
                &column(|count| count.views),
                &column(|count| count.bytes),
                &column(|count| count.bots),
                &column(|count| count.bot_bytes),
                &column(|count| count.refusals),
                &times,
                &TOP_IMAGES,
            ],
        )
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

/// A site that has no row yet gets one as long as there are few enough of them; else it is one of the others.
async fn add_referrers(transaction: &Transaction<'_>, batch: &[ReferrerCount]) -> Result<(), Error> {
    const SQL: &str = "
        WITH seen AS MATERIALIZED (
            SELECT new.*, image.account_id
            FROM unnest($1::bigint[], $2::date[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
                AS new (image_id, day, site, views, bytes, refusals)
            JOIN image ON image.id = new.image_id
        ), of_image AS (
            SELECT seen.*, site IN ('', '*') OR EXISTS (
                SELECT FROM image_site_day AS old WHERE (old.image_id, old.day, old.site) = (seen.image_id, seen.day, seen.site)
            ) AS has_room FROM seen
        ), in_image AS (
            SELECT image_id, day, views, bytes, refusals, CASE WHEN has_room
                OR row_number() OVER (PARTITION BY image_id, day, has_room ORDER BY views + refusals DESC)
                 + (SELECT count(*) FROM image_site_day AS old WHERE (old.image_id, old.day) = (of_image.image_id, of_image.day)) <= $7
                THEN site ELSE '*' END AS site
            FROM of_image
        ), by_image AS (
            INSERT INTO image_site_day AS old (image_id, day, site, views, bytes, refusals)
            SELECT image_id, day, site, sum(views), sum(bytes), sum(refusals) FROM in_image GROUP BY 1, 2, 3
            ON CONFLICT (image_id, day, site) DO UPDATE SET
                views = old.views + excluded.views, bytes = old.bytes + excluded.bytes, refusals = old.refusals + excluded.refusals
        ), of_account AS (
            SELECT summed.*, site IN ('', '*') OR EXISTS (
                SELECT FROM account_site_day AS old WHERE (old.account_id, old.day, old.site) = (summed.account_id, summed.day, summed.site)
            ) AS has_room
            FROM (SELECT account_id, day, site, sum(views) AS views, sum(bytes) AS bytes, sum(refusals) AS refusals
                  FROM seen GROUP BY 1, 2, 3) AS summed
        ), held AS (
            SELECT account_id, day, count(*) AS sites FROM account_site_day
            WHERE (account_id, day) IN (SELECT account_id, day FROM of_account WHERE NOT has_room) GROUP BY 1, 2
        ), in_account AS (
            SELECT account_id, day, views, bytes, refusals, CASE WHEN has_room
                OR row_number() OVER (PARTITION BY account_id, day, has_room ORDER BY views + refusals DESC) + coalesce(held.sites, 0) <= $8
                THEN site ELSE '*' END AS site
            FROM of_account LEFT JOIN held USING (account_id, day)
        )
        INSERT INTO account_site_day AS old (account_id, day, site, views, bytes, refusals)
        SELECT account_id, day, site, sum(views), sum(bytes), sum(refusals) FROM in_account GROUP BY 1, 2, 3
        ON CONFLICT (account_id, day, site) DO UPDATE SET
            views = old.views + excluded.views, bytes = old.bytes + excluded.bytes, refusals = old.refusals + excluded.refusals";
    let column =
        |of: fn(&ReferrerCount) -> u64| batch.iter().map(|count| number(of(count))).collect::<Vec<i64>>();
    let ids: Vec<i64> = batch.iter().map(|count| count.image_id).collect();
    let days: Vec<Date> = batch.iter().map(|count| count.day).collect();
    let sites: Vec<&str> = batch.iter().map(|count| count.referrer.as_text()).collect();
    let statement = transaction
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(
            &statement,
            &[
                &ids,
                &days,
                &sites,
                &column(|count| count.views),
                &column(|count| count.bytes),
                &column(|count| count.refusals),
                &SITES_OF_IMAGE,
                &SITES_OF_ACCOUNT,
            ],
        )
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

/// Forgets how far a journal was folded: its file is gone.
pub async fn forget_journal(catalog: &Catalog, journal: [u8; 16]) -> Result<(), Error> {
    const OPERATION: &str = "forget a journal of views";
    let client = catalog.client(OPERATION).await?;
    client
        .execute("DELETE FROM view_journal WHERE id = $1", &[&journal.as_slice()])
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
