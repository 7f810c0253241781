use std::time::Duration;

use catalog::ScrubPlace;
use jiff::{SignedDuration, Timestamp};

/// Up to which blob a round should have come by now; none where the next one is still to begin.
///
/// A round goes through the rows in the order of their numbers, as far as its part of the period is over. So whoever was read longest ago is read
/// next, without a column that says when, which would be written as often as it is read. New rows come in at the end, within the same round.
pub(super) fn due(place: &ScrubPlace, last: i64, now: Timestamp, period: Duration) -> Option<i64> {
    let began = place.began_at?;
    let elapsed = Duration::try_from(now.duration_since(began)).unwrap_or(Duration::ZERO);
    if elapsed < period {
        return Some(share(last, elapsed, period));
    }
    // What is late is still of this round.
    (place.after < last).then_some(last)
}

/// The place at the beginning of the next round.
pub(super) fn begin(place: &ScrubPlace, now: Timestamp) -> ScrubPlace {
    ScrubPlace {
        after: 0,
        began_at: Some(now),
        ended_at: place.began_at.map(|_| now).or(place.ended_at),
        blobs: 0,
        bytes: 0,
    }
}

/// The same place by a clock that was put back to before its round began: as much of the period is over as of the rows.
pub(super) fn set_right(
    place: &ScrubPlace,
    last: i64,
    now: Timestamp,
    period: Duration,
) -> Option<ScrubPlace> {
    place.began_at.filter(|began| *began > now)?;
    let over = i128::try_from(period.as_nanos()).unwrap_or(i128::MAX) * i128::from(place.after.min(last))
        / i128::from(last.max(1));
    let over = SignedDuration::from_nanos(i64::try_from(over).unwrap_or(i64::MAX));
    Some(ScrubPlace {
        began_at: Some(now.checked_sub(over).unwrap_or(now)),
        ..*place
    })
}

fn share(last: i64, elapsed: Duration, period: Duration) -> i64 {
    let (elapsed, period) = (elapsed.as_nanos().max(1), period.as_nanos().max(1));
    let share = u128::from(last.unsigned_abs()) * elapsed;
    i64::try_from(share.div_ceil(period)).unwrap_or(last).min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn place(after: i64) -> ScrubPlace {
        ScrubPlace {
            after,
            began_at: Some(at("2026-11-01T00:00:00Z")),
            ..ScrubPlace::default()
        }
    }

    #[test]
    fn a_round_takes_its_period() {
        for (now, after, due_until) in [
            ("2026-11-01T00:00:00Z", 0, Some(1)),
            ("2026-11-01T12:00:00Z", 0, Some(17)),
            ("2026-11-16T00:00:00Z", 400, Some(500)),
            ("2026-11-30T23:59:59Z", 999, Some(1_000)),
            // Late: it is brought to its end first.
            ("2026-12-09T00:00:00Z", 999, Some(1_000)),
            ("2026-12-01T00:00:00Z", 1_000, None),
            // A clock that was put back.
            ("2026-10-01T00:00:00Z", 40, Some(1)),
        ] {
            assert_eq!(
                due(&place(after), 1_000, at(now), 30 * DAY),
                due_until,
                "{now} {after}"
            );
        }
        assert_eq!(
            due(&ScrubPlace::default(), 1_000, at("2026-11-01T00:00:00Z"), DAY),
            None
        );
        assert_eq!(due(&place(0), 0, at("2026-11-09T00:00:00Z"), 30 * DAY), Some(0));
    }

    #[test]
    fn a_clock_that_was_put_back_does_not_stop_it() {
        let now = at("2026-10-01T00:00:00Z");
        let right = set_right(&place(500), 1_000, now, 30 * DAY).unwrap();
        assert_eq!(right.began_at, Some(at("2026-09-16T00:00:00Z")));
        assert_eq!(due(&right, 1_000, now, 30 * DAY), Some(500));
        assert_eq!(
            set_right(&place(500), 1_000, at("2026-11-02T00:00:00Z"), DAY),
            None
        );
    }

    #[test]
    fn the_first_round_has_no_end_behind_it() {
        let now = at("2026-11-01T00:00:00Z");
        let first = begin(&ScrubPlace::default(), now);
        assert_eq!((first.began_at, first.ended_at), (Some(now), None));
        assert_eq!(begin(&first, now).ended_at, Some(now));
    }
}
