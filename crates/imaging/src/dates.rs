//! When something was taken: EXIF, XMP, and what containers of videos say.

use domain::{Taken, TakenSource};
use jiff::{
    Timestamp,
    civil::{DateTime, Time, date},
};

use crate::{exif::EXIF_DIRECTORY, ifd::Tiff, source::Source};

/// What EXIF says: the moment of the exposure, else of the scan, else of the last save, each with the zone that goes with it.
pub(crate) fn of_exif(source: &Source, now: Timestamp) -> Option<Taken> {
    let tiff = Tiff::open(source)?;
    let main = tiff.directory(tiff.first)?;
    let exif = main
        .find(EXIF_DIRECTORY)
        .and_then(|entry| tiff.number(entry))
        .and_then(|at| tiff.directory(at))
        .unwrap_or_default();
    let places = [
        (&exif, 0x9003, 0x9011, TakenSource::ExifOriginal),
        (&exif, 0x9004, 0x9012, TakenSource::ExifCreated),
        (&main, 0x0132, 0x9010, TakenSource::ExifModified),
    ];
    places.into_iter().find_map(|(directory, moment, zone, told_by)| {
        let local = directory.find(moment).and_then(|entry| tiff.text(entry))?;
        let offset = exif
            .find(zone)
            .and_then(|entry| tiff.text(entry))
            .and_then(|text| offset(&text));
        Taken::sound(exif_time(&local)?, offset, told_by, now)
    })
}

/// What an XMP packet says. It is looked through for the few names that matter, as an attribute or as an element: a parser of
/// XML would be the largest thing in this room.
pub(crate) fn of_xmp(packet: &[u8], now: Timestamp) -> Option<Taken> {
    let text = String::from_utf8_lossy(packet);
    [
        "exif:DateTimeOriginal",
        "photoshop:DateCreated",
        "xmp:CreateDate",
        "exif:DateTimeDigitized",
    ]
    .into_iter()
    .find_map(|name| {
        let value = value_of(&text, name)?;
        of_iso(value, TakenSource::Xmp, now)
    })
}

/// What a packet of XMP says under a prefixed name, as an attribute or as an element.
pub(crate) fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.match_indices(name).find_map(|(place, _)| {
        let rest = text[place + name.len()..].trim_start();
        if let Some(element) = rest.strip_prefix('>') {
            return element.split('<').next();
        }
        let value = rest.strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        value[1..].split(quote).next()
    })
}

/// `2015-07-24T10:10:05-0700` and its relatives: with a colon in the zone or without, with `Z`, or with no zone at all.
pub(crate) fn of_iso(text: &str, source: TakenSource, now: Timestamp) -> Option<Taken> {
    let text = text.trim();
    let (clock, zone) = match text.find('T').or_else(|| text.find(' ')) {
        None => {
            return Taken::sound(
                text.parse::<jiff::civil::Date>().ok()?.at(0, 0, 0, 0),
                None,
                source,
                now,
            );
        }
        Some(t) => {
            let end = text[t..]
                .find(['Z', '+', '-'])
                .map_or(text.len(), |place| t + place);
            text.split_at(end)
        }
    };
    let local = clock.trim().parse::<DateTime>().ok()?;
    // Fractions of a second are no use to anybody, and a column would round them.
    let local = local.with().subsec_nanosecond(0).build().ok()?;
    Taken::sound(local, offset(zone), source, now)
}

/// `2025:01:02 03:04:05`, as EXIF and some cameras write it.
pub(crate) fn exif_time(text: &str) -> Option<DateTime> {
    let mut numbers = text
        .split([':', '-', '/', '.', ' ', 'T'])
        .map(|number| number.trim().parse::<i16>().ok());
    let mut next = || numbers.next().flatten();
    let (year, month, day) = (next()?, next()?, next()?);
    let small = |number: i16| i8::try_from(number).ok();
    let (hour, minute, second) = (next()?, next()?, next().unwrap_or_default());
    let day = jiff::civil::Date::new(year, small(month)?, small(day)?).ok()?;
    // A leap second is a second like others.
    let clock = Time::new(small(hour)?, small(minute)?, small(second)?.min(59), 0).ok()?;
    Some(day.to_datetime(clock))
}

/// `+08:00`, `-0700`, `Z`: minutes ahead of UTC.
fn offset(text: &str) -> Option<i16> {
    let text = text.trim();
    if text == "Z" {
        return Some(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let hours: i16 = hours.parse().ok()?;
    let minutes: i16 = if minutes.is_empty() {
        0
    } else {
        minutes.parse().ok()?
    };
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// Seconds since a moment in UTC from which a container counts.
pub(crate) fn of_seconds_since(year: i16, seconds: i64, now: Timestamp) -> Option<Taken> {
    let begin = date(year, 1, 1).at(0, 0, 0, 0);
    let local = begin.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()?;
    // Zero is "nobody has set it".
    (seconds != 0).then(|| Taken::sound(local, Some(0), TakenSource::Container, now))?
}

/// AVI's `IDIT`: `Mon Mar 10 15:04:43 2003`, or as EXIF writes it.
pub(crate) fn of_idit(text: &str, now: Timestamp) -> Option<Taken> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let text = text.trim_matches(|letter: char| letter.is_whitespace() || letter == '\0');
    let in_words = || {
        let mut words = text.split_whitespace().skip(1);
        let (month, day, clock, year) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let month = MONTHS
            .iter()
            .position(|known| month.to_ascii_lowercase().starts_with(known))?
            + 1;
        exif_time(&format!("{year}:{month}:{day} {clock}"))
    };
    let local = exif_time(text).or_else(in_words)?;
    Taken::sound(local, None, TakenSource::Container, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn dates_are_read_in_every_way_they_are_written() {
        let iso = |text: &str| of_iso(text, TakenSource::Container, now());
        for (taken, local, offset) in [
            (iso("2015-07-24T10:10:05-0700"), "2015-07-24T10:10:05", Some(-420)),
            (
                iso("2015-07-24T10:10:05.250+08:00"),
                "2015-07-24T10:10:05",
                Some(480),
            ),
            (iso("2015-07-24T10:10:05Z"), "2015-07-24T10:10:05", Some(0)),
            (iso("2015-07-24T10:10"), "2015-07-24T10:10:00", None),
            (iso("2015-07-24"), "2015-07-24T00:00:00", None),
            (
                of_idit("Mon Mar 10 15:04:43 2003\n\0", now()),
                "2003-03-10T15:04:43",
                None,
            ),
            (of_idit("2005:08:17 11:42:43", now()), "2005-08-17T11:42:43", None),
            (
                of_idit("TUE OCT 26 16:46:04 2004", now()),
                "2004-10-26T16:46:04",
                None,
            ),
            (
                of_seconds_since(1904, 3_600_000_000, now()),
                "2018-01-28T16:00:00",
                Some(0),
            ),
        ] {
            let taken = taken.unwrap();
            assert_eq!(
                (taken.local.to_string().as_str(), taken.offset_minutes),
                (local, offset)
            );
        }
        for nothing in [
            iso("soon"),
            iso(""),
            of_idit("Mon", now()),
            of_seconds_since(1904, 0, now()),
        ] {
            assert_eq!(nothing, None);
        }
        for broken in [
            "0000:00:00 00:00:00",
            "    :  :     :  :  ",
            "2025:13:01 00:00:00",
            "",
        ] {
            assert_eq!(exif_time(broken), None, "{broken}");
        }
    }

    #[test]
    fn xmp_is_read_as_attribute_and_as_element() {
        for packet in [
            "<rdf:Description exif:DateTimeOriginal=\"2020-01-02T03:04:05+01:00\"/>",
            "<exif:DateTimeOriginal>2020-01-02T03:04:05+01:00</exif:DateTimeOriginal>",
            "<a xmp:CreateDate='2020-01-02T03:04:05+01:00'>",
        ] {
            let taken = of_xmp(packet.as_bytes(), now()).unwrap();
            assert_eq!(taken.offset_minutes, Some(60), "{packet}");
        }
        assert_eq!(of_xmp(b"exif:DateTimeOriginal=", now()), None);
    }
}
