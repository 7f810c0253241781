use catalog::{DayCount, Referrer, ReferrerCount};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{Entry, Kind, SECONDS_A_DAY, Site};

/// What a half of a journal holds, as the catalog wants it: one row an image and day, and one for each site of these.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) days: Vec<DayCount>,
    pub(super) referrers: Vec<ReferrerCount>,
}

impl Counts {
    /// Sums up entries, which come in any order.
    pub(super) fn of(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable_by(|one, other| {
            let key = |entry: &Entry| (entry.image, entry.day);
            key(one).cmp(&key(other)).then_with(|| one.site.cmp(&other.site))
        });
        let mut counts = Self::default();
        for entry in entries {
            let day = date(entry.day);
            let last_viewed_at = (entry.last > 0)
                .then(|| Timestamp::from_microsecond(entry.last).ok())
                .flatten();
            let is_new = counts
                .days
                .last()
                .is_none_or(|last| (last.image_id, last.day) != (entry.image, day));
            if is_new {
                counts.days.push(DayCount::none(entry.image, day));
            }
            if let Some(sum) = counts.days.last_mut() {
                match entry.kind {
                    Kind::View => {
                        sum.views += entry.times;
                        sum.bytes += entry.bytes;
                        sum.last_viewed_at = sum.last_viewed_at.max(last_viewed_at);
                    }
                    Kind::Bot => {
                        sum.bots += entry.times;
                        sum.bot_bytes += entry.bytes;
                    }
                    Kind::Refusal => sum.refusals += entry.times,
                }
            }
            counts.add_referrer(&entry, day);
        }
        counts
    }

    fn add_referrer(&mut self, entry: &Entry, day: Date) {
        // Bots apart: a search engine shows up in no list of sites.
        if entry.kind == Kind::Bot {
            return;
        }
        let referrer = match &entry.site {
            Site::Other => Referrer::Other,
            Site::Unnamed => Referrer::Unnamed,
            Site::Host(host) => Referrer::Host(host.clone()),
        };
        let is_new = self
            .referrers
            .last()
            .is_none_or(|last| (last.image_id, last.day) != (entry.image, day) || last.referrer != referrer);
        if is_new {
            self.referrers.push(ReferrerCount {
                image_id: entry.image,
                day,
                referrer,
                views: 0,
                bytes: 0,
                refusals: 0,
            });
        }
        if let Some(sum) = self.referrers.last_mut() {
            if entry.kind == Kind::View {
                sum.views += entry.times;
                sum.bytes += entry.bytes;
            } else {
                sum.refusals += entry.times;
            }
        }
    }
}

/// The day so many days after the first of 1970, in UTC.
fn date(day: i32) -> Date {
    Timestamp::from_second(i64::from(day) * SECONDS_A_DAY)
        .unwrap_or_default()
        .to_zoned(TimeZone::UTC)
        .date()
}
