use domain::PublicId;
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::Failure;

/// What the command line looks at in an image. Times are as the API writes them.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) signed_url: Option<String>,
    #[serde(default)]
    pub(crate) thumbnail_url: Option<String>,
    #[serde(default)]
    pub(crate) delete_url: Option<String>,
    #[serde(default)]
    pub(crate) md5: String,
    #[serde(default)]
    pub(crate) sha256: String,
    #[serde(default)]
    pub(crate) size_bytes: u64,
    #[serde(default)]
    pub(crate) media_type: String,
    #[serde(default)]
    pub(crate) kind: String,
    pub(crate) width: Option<u64>,
    pub(crate) height: Option<u64>,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) album: Option<i64>,
    #[serde(default)]
    pub(crate) visibility: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) views: u64,
    #[serde(default)]
    pub(crate) created_at: String,
    #[serde(default)]
    pub(crate) expires_at: Option<String>,
    #[serde(default)]
    pub(crate) taken_at: Option<String>,
    #[serde(default)]
    pub(crate) taken_zone: Option<String>,
    #[serde(default)]
    pub(crate) ended_at: Option<String>,
    #[serde(default)]
    pub(crate) ended_by: Option<String>,
}

impl Image {
    /// The moment at which it was taken, if that is known.
    pub(crate) fn taken(&self) -> Option<Timestamp> {
        self.taken_at.as_ref()?.parse().ok()
    }

    /// The day on the wall where it was taken.
    pub(crate) fn taken_day(&self) -> Option<&str> {
        self.taken_at.as_ref()?.get(..10)
    }

    /// When it ends by itself.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.expires_at.as_ref()?.parse().ok()
    }

    /// Width and height as `1600×1200`.
    pub(crate) fn dimensions(&self) -> String {
        match (self.width, self.height) {
            (Some(width), Some(height)) => format!("{width}×{height}"),
            _ => String::new(),
        }
    }
}

/// Reads an image's id, or finds it in one of its URLs.
pub(crate) fn read_id(text: &str) -> Result<PublicId, Failure> {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let stem = last.split_once('.').map_or(last, |(stem, _)| stem);
    let id = stem.parse();
    Ok(id.map_err(|error| format!("{text}: {error}"))?)
}

/// A moment as a clock on this machine's wall shows it, to the minute.
pub(crate) fn local(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(moment) => moment
            .to_zoned(TimeZone::system())
            .strftime("%Y-%m-%d %H:%M")
            .to_string(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_in_any_of_its_urls() {
        for text in [
            "7h9KzQm2xRfW",
            "https://img.example/i/7h9KzQm2xRfW.jpg",
            "https://img.example/i/7h9KzQm2xRfW?w=300",
            "/i/7h9KzQm2xRfW.jpg?e=1&s=a/b.c",
        ] {
            assert_eq!(read_id(text).unwrap().as_str(), "7h9KzQm2xRfW", "{text}");
        }
        assert!(read_id("https://img.example/ab/cdef.png").is_err());
    }
}
