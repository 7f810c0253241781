//! Views that are counted and not yet in the database.
//!
//! Counts stand in memory, apart for each image and day, until [`fold`] takes them into Postgres, once a second. A
//! process that is killed loses at most that second. (Room is left for the memory-mapped journal that will survive it:
//! it takes the place of the maps here, behind [`Tally::count`] and [`Tally::take`], and gives each batch an epoch,
//! which the fold records in the same transaction.)

pub(crate) mod fold;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use catalog::DayCount;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// So many cores can count at once.
const SHARDS: usize = 16;
const SECONDS_A_DAY: i64 = 24 * 60 * 60;

/// Counts by image and day.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    shards: [Mutex<HashMap<Place, Count>>; SHARDS],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    /// The image's row.
    image_id: i64,
    /// Days since 1970, in UTC.
    day: i64,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    views: u64,
    bytes: u64,
    last: Timestamp,
}

impl Tally {
    /// Counts one view of an image, for which so many bytes were sent.
    pub(crate) fn count(&self, image_id: i64, now: Timestamp, bytes: u64) {
        let day = now.as_second().div_euclid(SECONDS_A_DAY);
        let count = Count {
            views: 1,
            bytes,
            last: now,
        };
        self.add(Place { image_id, day }, count);
    }

    /// Views that are not in the database yet.
    pub(crate) fn left(&self) -> u64 {
        let shards = self.shards.iter();
        shards
            .map(|shard| lock(shard).values().map(|count| count.views).sum::<u64>())
            .sum()
    }

    /// Takes everything away to be folded.
    fn take(&self) -> Vec<DayCount> {
        let places = self
            .shards
            .iter()
            .flat_map(|shard| std::mem::take(&mut *lock(shard)));
        places.map(|(place, count)| place.day_count(count)).collect()
    }

    /// Adds counts that were taken and did not get anywhere.
    fn put_back(&self, counts: &[DayCount]) {
        for count in counts {
            let (place, count) = Place::of(count);
            self.add(place, count);
        }
    }

    fn add(&self, place: Place, count: Count) {
        let shard = usize::try_from(place.image_id.unsigned_abs()).unwrap_or_default() % SHARDS;
        lock(&self.shards[shard])
            .entry(place)
            .and_modify(|sum| {
                sum.views = sum.views.saturating_add(count.views);
                sum.bytes = sum.bytes.saturating_add(count.bytes);
                sum.last = sum.last.max(count.last);
            })
            .or_insert(count);
    }
}

impl Place {
    fn of(count: &DayCount) -> (Self, Count) {
        let midnight = count
            .day
            .to_zoned(TimeZone::UTC)
            .map(|day| day.timestamp().as_second());
        let place = Self {
            image_id: count.image_id,
            day: midnight.unwrap_or_default().div_euclid(SECONDS_A_DAY),
        };
        let sum = Count {
            views: count.views,
            bytes: count.bytes,
            last: count.last_viewed_at,
        };
        (place, sum)
    }

    fn day_count(self, count: Count) -> DayCount {
        DayCount {
            image_id: self.image_id,
            day: self.date(),
            views: count.views,
            bytes: count.bytes,
            last_viewed_at: count.last,
        }
    }

    fn date(self) -> Date {
        Timestamp::from_second(self.day.saturating_mul(SECONDS_A_DAY))
            .unwrap_or_default()
            .to_zoned(TimeZone::UTC)
            .date()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(mut counts: Vec<DayCount>) -> Vec<DayCount> {
        counts.sort_by_key(|count| (count.image_id, count.day));
        counts
    }

    #[test]
    fn views_are_summed_by_image_and_by_day_in_utc() {
        let tally = Tally::default();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        tally.count(1, at("2026-11-20T23:59:59.9Z"), 10);
        tally.count(1, at("2026-11-21T00:00:00Z"), 20);
        tally.count(1, at("2026-11-21T12:00:00Z"), 0);
        tally.count(1, at("2026-11-21T08:00:00Z"), 5);
        tally.count(17, at("1969-12-31T23:00:00Z"), 1);
        let counts = sorted(tally.take());
        let of = |image_id, day: &str, views, bytes, last: &str| DayCount {
            image_id,
            day: day.parse().unwrap(),
            views,
            bytes,
            last_viewed_at: at(last),
        };
        assert_eq!(
            counts,
            [
                of(1, "2026-11-20", 1, 10, "2026-11-20T23:59:59.9Z"),
                of(1, "2026-11-21", 3, 25, "2026-11-21T12:00:00Z"),
                of(17, "1969-12-31", 1, 1, "1969-12-31T23:00:00Z"),
            ]
        );
        assert!(tally.take().is_empty());
    }

    #[test]
    fn what_is_put_back_is_added_to_what_came_meanwhile() {
        let tally = Tally::default();
        let now: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        tally.count(1, now, 10);
        tally.count(2, now, 1);
        let taken = tally.take();
        tally.count(1, now, 5);
        tally.put_back(&taken);
        let sums: Vec<_> = sorted(tally.take())
            .iter()
            .map(|count| (count.image_id, count.views, count.bytes))
            .collect();
        assert_eq!(sums, [(1, 2, 15), (2, 1, 1)]);
    }

    #[test]
    fn many_threads_lose_no_view() {
        let tally = Tally::default();
        let now: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|n| tally.count(n % 7, now, 1)));
            }
        });
        assert_eq!(tally.take().iter().map(|count| count.views).sum::<u64>(), 40_000);
    }
}
