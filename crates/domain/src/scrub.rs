use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What of a file's metadata is taken out before it is published. Pixels, colour profile and orientation always stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scrub {
    /// Nothing: the bytes are published as they were sent.
    Keep,
    /// What tells where it was taken, by whom and with which very device: position, names, serial numbers, maker's notes,
    /// preview pictures, XMP, IPTC, comments. The date, the camera's model and its settings stay.
    #[default]
    Location,
    /// All metadata.
    All,
}

/// The text names no way to scrub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected keep, location or all")]
pub struct InvalidScrub;

impl Scrub {
    /// The word in the database, in settings and in forms.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Location => "location",
            Self::All => "all",
        }
    }
}

impl fmt::Display for Scrub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scrub {
    type Err = InvalidScrub;

    fn from_str(text: &str) -> Result<Self, InvalidScrub> {
        [Self::Keep, Self::Location, Self::All]
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or(InvalidScrub)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_found_again_by_its_word() {
        for known in [Scrub::Keep, Scrub::Location, Scrub::All] {
            assert_eq!(known.as_str().parse(), Ok(known));
        }
        assert_eq!("none".parse::<Scrub>(), Err(InvalidScrub));
    }
}
