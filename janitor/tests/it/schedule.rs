//! When the daily clean-up comes, whatever the clocks do.

use janitor::{next_run, parse_time};
use jiff::{Timestamp, tz::TimeZone};

/// Whose clocks, the time of day, now, and when the clean-up comes.
const CASES: [(&str, &str, &str, &str, &str); 15] = [
    (
        "UTC",
        "03:00:00",
        "2026-11-21T02:59:59Z",
        "2026-11-21T03:00:00Z",
        "later today",
    ),
    (
        "UTC",
        "03:00:00",
        "2026-11-21T03:00:00Z",
        "2026-11-22T03:00:00Z",
        "not twice at the instant itself",
    ),
    (
        "UTC",
        "03:00:00",
        "2026-11-21T03:00:00.001Z",
        "2026-11-22T03:00:00Z",
        "tomorrow",
    ),
    (
        "UTC",
        "00:00:00",
        "2026-12-31T23:59:59Z",
        "2027-01-01T00:00:00Z",
        "over the end of a year",
    ),
    (
        "UTC",
        "23:59:59",
        "2028-02-28T23:59:59Z",
        "2028-02-29T23:59:59Z",
        "a leap day",
    ),
    (
        "Asia/Shanghai",
        "03:00:00",
        "2026-11-20T18:59:59Z",
        "2026-11-20T19:00:00Z",
        "the zone's own day",
    ),
    (
        "Asia/Shanghai",
        "03:00:00",
        "2026-11-20T19:00:00Z",
        "2026-11-21T19:00:00Z",
        "and the next",
    ),
    (
        "Europe/Berlin",
        "02:30:00",
        "2026-03-28T12:00:00Z",
        "2026-03-29T01:30:00Z",
        "02:30 is skipped: 03:30 summer time",
    ),
    (
        "Europe/Berlin",
        "02:30:00",
        "2026-03-29T01:30:00Z",
        "2026-03-30T00:30:00Z",
        "and 02:30 the day after",
    ),
    (
        "Europe/Berlin",
        "02:30:00",
        "2026-10-24T12:00:00Z",
        "2026-10-25T00:30:00Z",
        "02:30 comes twice: the first",
    ),
    (
        "Europe/Berlin",
        "02:30:00",
        "2026-10-25T00:30:00Z",
        "2026-10-26T01:30:00Z",
        "and not the second",
    ),
    (
        "Europe/Berlin",
        "02:30:00",
        "2026-10-25T01:15:00Z",
        "2026-10-26T01:30:00Z",
        "not between the two either",
    ),
    (
        "America/New_York",
        "03:00:00",
        "2026-03-08T06:59:59Z",
        "2026-03-08T07:00:00Z",
        "the hour after the skipped one",
    ),
    (
        "America/Santiago",
        "00:00:00",
        "2026-09-05T12:00:00Z",
        "2026-09-06T04:00:00Z",
        "a day without midnight begins at 01:00",
    ),
    (
        "Pacific/Apia",
        "03:00:00",
        "2011-12-29T13:00:00Z",
        "2011-12-30T13:00:00Z",
        "30 December 2011 never was in Samoa",
    ),
];

#[test]
fn the_daily_clean_up_comes_once_a_day_whatever_the_clocks_do() {
    for (zone, time, now, expected, why) in CASES {
        let zone = TimeZone::get(zone).unwrap();
        let now: Timestamp = now.parse().unwrap();
        let found = next_run(now, &zone, parse_time(time).unwrap());
        assert_eq!(found, expected.parse().unwrap(), "{why}: {time} after {now}");
    }
}

#[test]
fn over_the_years_there_is_one_clean_up_for_each_day() {
    let zones = [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Shanghai",
    ];
    for name in zones {
        let zone = TimeZone::get(name).unwrap();
        for time in ["00:00:00", "01:30:00", "02:00:00", "02:30:00", "23:59:59"] {
            let time = parse_time(time).unwrap();
            let mut now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
            for _ in 0..800 {
                let next = next_run(now, &zone, time);
                let (today, day) = (zone.to_datetime(now).date(), zone.to_datetime(next).date());
                assert!(next > now, "{name} {time}");
                assert!(
                    day == today || day == today.tomorrow().unwrap(),
                    "{name} {time}: {day}"
                );
                let hours = next.duration_since(now).as_hours();
                assert!(hours <= 25, "{name} {time}: {hours} hours");
                now = next;
            }
            assert!(
                now > "2028-03-10T00:00:00Z".parse().unwrap(),
                "{name} {time}: no day twice"
            );
        }
    }
}

#[test]
fn a_time_of_day_is_read_or_refused() {
    for (text, read) in [
        ("03:00:00", "03:00:00"),
        ("23:59", "23:59:00"),
        (" 4:05:06 ", "04:05:06"),
    ] {
        assert_eq!(parse_time(text).unwrap().to_string(), read, "{text}");
    }
    for bad in ["", "3", "24:00:00", "03:60:00", "three", "03:00:00Z", "-1:00"] {
        assert!(parse_time(bad).is_err(), "{bad}");
    }
}
