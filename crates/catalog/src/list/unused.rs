//! What nobody has looked at for long, in each order of lists.
//!
//! An order has one index and so has the day on which images were last seen; a list that is picked by the one and sorted by the other is found by neither
//! alone. Where much is unused, the next fifty of it are near by in the order of the list. Where little is, images that were last seen in one period lie
//! together in `image_seen`, in each order: fifty of each period, and of those the first. Periods are few ([`merge_periods`](crate::merge_periods)).

use jiff::Timestamp;
use tokio_postgres::types::Type;

use super::{ImageFilter, ImageQuery, ImageSort, statement::Statement};
use crate::image::COLUMNS;

/// How many images of the list are looked at, one by one, before the periods are asked: the time that this takes is lost where little is unused.
const NEARBY: i64 = 250;

/// Whether a list shows an owner's unused images, and is picked by nothing else. A second filter may be much rarer than this one.
pub(super) fn is_all_that_is_asked(query: &ImageQuery) -> bool {
    let alone = ImageFilter {
        unused_since: query.filter.unused_since,
        ..ImageFilter::default()
    };
    query.owner.is_some() && query.filter.unused_since.is_some() && query.filter == alone
}

/// Those that are unused among the next images of the list. Fewer than the limit: it may have stopped before the end.
pub(super) fn nearby(query: &ImageQuery, now: Timestamp) -> Statement {
    let mut statement = Statement::empty();
    let (key, direction) = query.sort.sql();
    let owner = statement.add(query.owner, Type::INT8);
    let live = statement.live(now);
    let behind = match &query.after {
        Some(after) => format!(" AND {}", statement.beyond(after, key, "image.id", direction)),
        None => String::new(),
    };
    let (_, unused) = statement.unused(query.filter.unused_since.unwrap_or(now));
    let limit = statement.add(query.limit, Type::INT8);
    // The innermost question is one of a row, which no plan turns into a join of all rows.
    statement.sql = format!(
        "SELECT {COLUMNS} FROM (
             SELECT near.* FROM (
                 SELECT image.*, {key} AS sort_key FROM image WHERE image.account_id = {owner} AND {live}{behind}
                 ORDER BY {key} {direction}, image.id {direction} LIMIT {NEARBY}
             ) AS near
             WHERE (SELECT {unused} FROM image_seen AS seen WHERE seen.image_id = near.id)
             ORDER BY near.sort_key {direction}, near.id {direction} LIMIT {limit}
         ) AS image JOIN blob ON blob.id = image.blob_id
         ORDER BY image.sort_key {direction}, image.id {direction}"
    );
    statement
}

/// A page of each period, merged.
pub(super) fn by_period(query: &ImageQuery, now: Timestamp) -> Statement {
    let mut statement = Statement::empty();
    let (key, direction) = (key_of(query.sort), query.sort.sql().1);
    let owner = statement.add(query.owner, Type::INT8);
    let live = statement.live(now);
    let behind = match &query.after {
        Some(after) => format!(
            " AND {}",
            statement.beyond(after, key, "seen.image_id", direction)
        ),
        None => String::new(),
    };
    let (day, unused) = statement.unused(query.filter.unused_since.unwrap_or(now));
    let limit = statement.add(query.limit, Type::INT8);
    let next = |begins: &str| {
        format!(
            "SELECT seen.seen_period FROM image_seen AS seen WHERE seen.account_id = {owner} AND seen.seen_period <= {day}{begins}
             ORDER BY seen.seen_period LIMIT 1"
        )
    };
    statement.sql = format!(
        "WITH RECURSIVE period (first_day) AS (
             ({first}) UNION ALL SELECT ({later}) FROM period WHERE period.first_day IS NOT NULL
         )
         SELECT {COLUMNS} FROM (
             SELECT page.* FROM period CROSS JOIN LATERAL (
                 SELECT image.*, {key} AS sort_key FROM image_seen AS seen JOIN image ON image.id = seen.image_id
                 WHERE seen.account_id = {owner} AND seen.seen_period = period.first_day AND {unused} AND {live}{behind}
                 ORDER BY {key} {direction}, seen.image_id {direction} LIMIT {limit}
             ) AS page
             ORDER BY page.sort_key {direction}, page.id {direction} LIMIT {limit}
         ) AS image JOIN blob ON blob.id = image.blob_id
         ORDER BY image.sort_key {direction}, image.id {direction}",
        first = next(""),
        later = next(" AND seen.seen_period > period.first_day"),
    );
    statement
}

/// What an order goes by, where images lie together by when they were seen.
fn key_of(sort: ImageSort) -> &'static str {
    match sort {
        ImageSort::Newest | ImageSort::Oldest => "seen.created_at",
        ImageSort::Taken => "seen.taken_at",
        ImageSort::Name => "seen.name",
        ImageSort::Size => "seen.size_bytes",
    }
}

impl Statement {
    /// The last day on which an image of the list may have been seen, and whether one was: by the day, and on that day by the second.
    pub(super) fn unused(&mut self, since: Timestamp) -> (String, String) {
        let since = self.add(since, Type::TIMESTAMPTZ);
        let day = format!("({since} AT TIME ZONE 'UTC')::date");
        let last = "(SELECT last_viewed_at FROM view_count WHERE view_count.image_id = seen.image_id)";
        let unused = format!(
            "seen.seen_on <= {day} AND (seen.seen_on < {day} OR coalesce({last}, '-infinity') < {since})"
        );
        (day, unused)
    }
}
