use std::time::Duration;

use jiff::{Timestamp, civil, tz::TimeZone};
use tokio::time::Instant;

/// Reads the time of day of the daily clean-up: `03:00:00` or `03:00`.
pub fn parse_time(text: &str) -> Result<civil::Time, &'static str> {
    let text = text.trim();
    civil::Time::strptime("%H:%M:%S", text)
        .or_else(|_| civil::Time::strptime("%H:%M", text))
        .map_err(|_| "expected a time of day such as 03:00:00")
}

/// The next instant after `now` at which the clocks of `zone` show `time`, once a day. On a day on which they skip it, it
/// is as much later as they were put forward; on one on which they show it twice, it is the first.
#[must_use]
pub fn next_run(now: Timestamp, zone: &TimeZone, time: civil::Time) -> Timestamp {
    let today = zone.to_datetime(now).date();
    let candidates = std::iter::successors(Some(today), |day| day.tomorrow().ok());
    // Today's or tomorrow's; one more where the calendar lost a whole day (the date line was moved across Samoa).
    candidates
        .take(3)
        .filter_map(|day| {
            zone.to_ambiguous_timestamp(day.to_datetime(time))
                .compatible()
                .ok()
        })
        .find(|candidate| *candidate > now)
        .unwrap_or(Timestamp::MAX)
}

/// When the janitor works: from interval to interval, by a clock that nobody sets, and once a day by the one on the wall.
#[derive(Debug)]
pub(crate) struct Schedule {
    interval: Duration,
    daily: Option<(civil::Time, TimeZone)>,
    next_pass: Instant,
    looked_at: Timestamp,
}

/// Why it is time to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Another interval is over, or nothing was done yet.
    Interval,
    /// The time of the daily clean-up has come.
    Daily,
}

impl Schedule {
    pub(crate) fn new(
        interval: Duration,
        cleanup_time: Option<civil::Time>,
        zone: &TimeZone,
        now: Timestamp,
    ) -> Self {
        Self {
            interval,
            daily: cleanup_time.map(|time| (time, zone.clone())),
            next_pass: Instant::now(),
            looked_at: now,
        }
    }

    /// Whether it is time to work. Each occasion is told once. A clock that is put back brings the day's clean-up again and
    /// harms nothing; one that is put forward over it brings it at once.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<Occasion> {
        let before = std::mem::replace(&mut self.looked_at, now);
        let is_daily = self.next_daily(before).is_some_and(|next| next <= now);
        let is_next = Instant::now() >= self.next_pass;
        if is_daily || is_next {
            self.next_pass = Instant::now() + self.interval;
        }
        match (is_daily, is_next) {
            (true, _) => Some(Occasion::Daily),
            (false, true) => Some(Occasion::Interval),
            (false, false) => None,
        }
    }

    /// How long it is until the next occasion.
    pub(crate) fn pause(&self, now: Timestamp) -> Duration {
        let until_pass = self.next_pass.saturating_duration_since(Instant::now());
        let until_daily = self
            .next_daily(now)
            .and_then(|next| Duration::try_from(next.duration_since(now)).ok());
        until_daily.map_or(until_pass, |until_daily| until_daily.min(until_pass))
    }

    fn next_daily(&self, now: Timestamp) -> Option<Timestamp> {
        self.daily.as_ref().map(|(time, zone)| next_run(now, zone, *time))
    }
}
