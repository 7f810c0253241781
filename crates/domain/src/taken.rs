use std::{fmt, str::FromStr};

use jiff::{
    Span, Timestamp,
    civil::DateTime,
    tz::{Offset, TimeZone},
};
use serde::{Deserialize, Serialize};

/// When a picture or video was taken, as its own metadata tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// What the clock on the wall showed.
    pub local: DateTime,
    /// How far that clock was ahead of UTC, in minutes; none where nothing tells.
    pub offset_minutes: Option<i16>,
    /// Where it stands.
    pub source: TakenSource,
}

/// What told when a picture was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TakenSource {
    /// EXIF's `DateTimeOriginal`.
    ExifOriginal,
    /// EXIF's `CreateDate`, also called `DateTimeDigitized`.
    ExifCreated,
    /// EXIF's `DateTime`, which programs set when they save.
    ExifModified,
    /// An XMP packet.
    Xmp,
    /// The container of a video.
    Container,
}

/// The text names no source of dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such source of dates")]
pub struct InvalidTakenSource;

/// The furthest that any clock is from UTC.
const MOST_OFFSET_MINUTES: i16 = 18 * 60;

impl Taken {
    /// A date that makes sense: no year before there was film for everyone, none of the moments at which clocks begin to count
    /// when nobody has set them, none in the future of `now`.
    #[must_use]
    pub fn sound(
        local: DateTime,
        offset_minutes: Option<i16>,
        source: TakenSource,
        now: Timestamp,
    ) -> Option<Self> {
        let offset_minutes = offset_minutes.filter(|minutes| minutes.abs() <= MOST_OFFSET_MINUTES);
        let taken = Self {
            local,
            offset_minutes,
            source,
        };
        let is_beginning = local.date() == jiff::civil::date(1904, 1, 1)
            || local == jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0)
            || local == jiff::civil::date(1980, 1, 1).at(0, 0, 0, 0);
        // Where the zone is unknown, the clock may have been a day ahead of ours.
        let latest = now.checked_add(Span::new().hours(24)).ok()?;
        (local.year() >= 1900 && !is_beginning && taken.at()? <= latest).then_some(taken)
    }

    /// The instant. Where the zone is unknown the wall's clock is taken for UTC's.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        let seconds = i32::from(self.offset_minutes.unwrap_or_default()) * 60;
        let zone = TimeZone::fixed(Offset::from_seconds(seconds).ok()?);
        self.local.to_zoned(zone).ok().map(|zoned| zoned.timestamp())
    }
}

impl TakenSource {
    /// Every source, the most trusted first.
    pub const ALL: [Self; 5] = [
        Self::ExifOriginal,
        Self::ExifCreated,
        Self::ExifModified,
        Self::Xmp,
        Self::Container,
    ];

    /// The word in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExifOriginal => "exif_original",
            Self::ExifCreated => "exif_created",
            Self::ExifModified => "exif_modified",
            Self::Xmp => "xmp",
            Self::Container => "container",
        }
    }
}

impl fmt::Display for TakenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TakenSource {
    type Err = InvalidTakenSource;

    fn from_str(text: &str) -> Result<Self, InvalidTakenSource> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or(InvalidTakenSource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_no_date() {
        let now: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        for (text, is_sound) in [
            ("2025-01-02T03:04:05", true),
            ("1975-06-01T12:00:00", true),
            ("2026-11-21T20:00:00", true),
            ("2026-11-23T00:00:00", false),
            ("9999-12-31T23:59:59", false),
            ("1904-01-01T00:00:00", false),
            ("1904-01-01T08:00:00", false),
            ("1970-01-01T00:00:00", false),
            ("1980-01-01T00:00:00", false),
            ("0001-01-01T00:00:00", false),
        ] {
            let local = text.parse().unwrap();
            let taken = Taken::sound(local, None, TakenSource::ExifOriginal, now);
            assert_eq!(taken.is_some(), is_sound, "{text}");
        }
    }

    #[test]
    fn the_zone_moves_the_instant_and_not_the_clock_on_the_wall() {
        let now: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let local: DateTime = "2025-01-02T03:04:05".parse().unwrap();
        for (offset, at) in [
            (Some(480), "2025-01-01T19:04:05Z"),
            (Some(-210), "2025-01-02T06:34:05Z"),
            (None, "2025-01-02T03:04:05Z"),
            (Some(9_999), "2025-01-02T03:04:05Z"),
        ] {
            let taken = Taken::sound(local, offset, TakenSource::Xmp, now).unwrap();
            assert_eq!(taken.at(), Some(at.parse().unwrap()), "{offset:?}");
        }
    }
}
