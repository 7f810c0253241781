use std::sync::atomic::Ordering;

use catalog::{forget_usage, keep_top_images, make_room_for_sites, merge_periods};
use jiff::{SignedDuration, ToSpan as _, civil::Date, tz::TimeZone};

use super::{BATCH, Done, Error, Work};

/// How long it is told which sites showed a single image.
const SITES_OF_IMAGES: i32 = 90;
/// How long it is told what was on top, and which sites showed what an account has: a year to compare with, and a month.
const DAYS: i32 = 400;
/// A journal that nothing was folded from for so long is gone.
const JOURNALS: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Keeps the rows that the answers about usage are read from few: the most viewed images of a day, room for sites that come late, months in
/// place of days on which images were last seen, and nothing of days that nobody asks about any more.
pub(super) async fn run(work: &Work<'_>, _: &mut Done) -> Result<(), Error> {
    if work.settings.pretend {
        return Ok(());
    }
    let today = work.now.to_zoned(TimeZone::UTC).date();
    let ago = |days: i32| today.checked_sub(days.days()).unwrap_or(Date::MIN);
    // Yesterday's may still be folded.
    let since = ago(1);
    make_room_for_sites(work.catalog, since).await?;
    keep_top_images(work.catalog, since).await?;
    let journals = work.now.checked_sub(JOURNALS).unwrap_or(work.now);
    let limit = i64::from(BATCH);
    // Once a day: it looks at all accounts' days, and nothing is due before the next.
    let day = i64::from(today.year()) * 1_000 + i64::from(today.day_of_year());
    while work.periods_merged_on.load(Ordering::Relaxed) != day {
        let merged = merge_periods(work.catalog, today, limit).await?;
        if merged < u64::from(BATCH) {
            work.periods_merged_on.store(day, Ordering::Relaxed);
        } else if !work.is_more(merged) {
            return Ok(());
        }
    }
    loop {
        let forgotten = forget_usage(work.catalog, ago(SITES_OF_IMAGES), ago(DAYS), journals, limit).await?;
        if !work.is_more(forgotten) {
            return Ok(());
        }
    }
}
