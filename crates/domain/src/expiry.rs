use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// When an image ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// It stays until it is withdrawn.
    Never,
    /// From this instant on it answers 404.
    At(Timestamp),
}

impl Expiry {
    /// The expiry of something stored now that shall live so long; a zero lifetime means for ever. A lifetime past
    /// the end of the calendar is for ever, too.
    #[must_use]
    pub fn after(lifetime: Duration, now: Timestamp) -> Self {
        if lifetime.is_zero() {
            return Self::Never;
        }
        SignedDuration::try_from(lifetime)
            .ok()
            .and_then(|lifetime| now.checked_add(lifetime).ok())
            .map_or(Self::Never, Self::At)
    }

    /// From the nullable column that holds it.
    #[must_use]
    pub fn from_option(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Never, Self::At)
    }

    /// The instant, or none for ever.
    #[must_use]
    pub fn at(self) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at),
        }
    }

    /// The later of two: what a second upload of the same bytes does to the first one's life.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        match (self, other) {
            (Self::At(a), Self::At(b)) => Self::At(a.max(b)),
            _ => Self::Never,
        }
    }

    /// The same, but over at `at` if it would last longer.
    #[must_use]
    pub fn sooner(self, at: Timestamp) -> Self {
        Self::At(self.at().map_or(at, |own| own.min(at)))
    }
}

/// Whether an image that nobody has withdrawn is there at `now`. It is gone at the very second it expires.
#[must_use]
pub fn is_live(expiry: Expiry, now: Timestamp) -> bool {
    expiry.at().is_none_or(|at| now < at)
}

/// The text was not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no duration; write a whole number and one of s, m, h, d, w (such as 90s, 15m, 7d), or 0")]
pub struct InvalidDuration(pub String);

/// Reads `3s`, `15m`, `12h`, `7d`, `2w`; a bare number is seconds. `0` is a duration of zero.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let invalid = || InvalidDuration(text.to_owned());
    let trimmed = text.trim();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = trimmed.split_at(digits);
    let seconds_per_unit = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return Err(invalid()),
    };
    let number: u64 = number.parse().map_err(|_| invalid())?;
    number
        .checked_mul(seconds_per_unit)
        .map(Duration::from_secs)
        .ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_image_is_gone_at_the_second_it_expires() {
        let end = at("2026-11-21T00:00:00Z");
        assert!(is_live(Expiry::At(end), at("2026-11-20T23:59:59.999Z")));
        assert!(!is_live(Expiry::At(end), end));
        assert!(is_live(Expiry::Never, at("9999-01-01T00:00:00Z")));
    }

    #[test]
    fn a_zero_lifetime_is_for_ever() {
        let now = at("2026-11-21T00:00:00Z");
        assert_eq!(Expiry::after(Duration::ZERO, now), Expiry::Never);
        assert_eq!(
            Expiry::after(Duration::from_mins(1), now),
            Expiry::At(at("2026-11-21T00:01:00Z"))
        );
        assert_eq!(Expiry::after(Duration::from_secs(u64::MAX), now), Expiry::Never);
    }

    #[test]
    fn a_second_upload_never_shortens_a_life() {
        let (early, late) = (
            Expiry::At(at("2026-01-01T00:00:00Z")),
            Expiry::At(at("2027-01-01T00:00:00Z")),
        );
        assert_eq!(early.later(late), late);
        assert_eq!(late.later(early), late);
        assert_eq!(late.later(Expiry::Never), Expiry::Never);
        assert_eq!(Expiry::Never.later(early), Expiry::Never);
    }

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, seconds) in [
            ("3s", 3),
            ("15m", 900),
            ("12h", 43_200),
            ("7d", 604_800),
            ("2w", 1_209_600),
            ("0", 0),
            (" 90 ", 90),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in [
            "",
            "d",
            "-3s",
            "1.5h",
            "3 s",
            "7days",
            "99999999999999999999s",
            "18446744073709551615w",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
