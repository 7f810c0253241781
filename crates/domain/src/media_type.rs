use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Whether bytes are a still (or animated) picture or a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A picture, animated or not.
    Image,
    /// A video.
    Video,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Image, Self::Video];

    /// The word in the database and in JSON: `image` or `video`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
        }
    }
}

/// A format that berth takes, told by the bytes and never by what a client says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant is the name of its format")]
pub enum MediaType {
    Jpeg,
    Png,
    Gif,
    Webp,
    Avif,
    Heic,
    Bmp,
    Tiff,
    Mp4,
    Mov,
    M4v,
    Avi,
    Mkv,
    Webm,
}

/// The text names no format that berth knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no known type; known are jpg, png, gif, webp, avif, heic, bmp, tiff, mp4, mov, m4v, avi, mkv, webm"
)]
pub struct UnknownMediaType(String);

impl MediaType {
    /// Every format, in the order in which documents list them.
    pub const ALL: [Self; 14] = [
        Self::Jpeg,
        Self::Png,
        Self::Gif,
        Self::Webp,
        Self::Avif,
        Self::Heic,
        Self::Bmp,
        Self::Tiff,
        Self::Mp4,
        Self::Mov,
        Self::M4v,
        Self::Avi,
        Self::Mkv,
        Self::Webm,
    ];

    /// The one extension that berth's own URLs and files carry, in lower case without a dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Webp => "webp",
            Self::Avif => "avif",
            Self::Heic => "heic",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::M4v => "m4v",
            Self::Avi => "avi",
            Self::Mkv => "mkv",
            Self::Webm => "webm",
        }
    }

    /// What `Content-Type` says.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
            Self::Heic => "image/heic",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
            Self::Mp4 => "video/mp4",
            Self::Mov => "video/quicktime",
            Self::M4v => "video/x-m4v",
            Self::Avi => "video/x-msvideo",
            Self::Mkv => "video/x-matroska",
            Self::Webm => "video/webm",
        }
    }

    /// Picture or video.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Jpeg
            | Self::Png
            | Self::Gif
            | Self::Webp
            | Self::Avif
            | Self::Heic
            | Self::Bmp
            | Self::Tiff => Kind::Image,
            Self::Mp4 | Self::Mov | Self::M4v | Self::Avi | Self::Mkv | Self::Webm => Kind::Video,
        }
    }

    /// Whether browsers show the file itself where a picture is wanted. Safari shows HEIC and TIFF, and says so in `Accept`.
    #[must_use]
    pub fn is_picture_for_browsers(self) -> bool {
        self.kind() == Kind::Image && !matches!(self, Self::Tiff | Self::Heic)
    }

    /// The format that an extension means, in any case, aliases (`jpeg`, `tif`, `heif`) included.
    #[must_use]
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "jpeg" | "jpe" => Some(Self::Jpeg),
            "heif" => Some(Self::Heic),
            "tif" => Some(Self::Tiff),
            other => Self::ALL.into_iter().find(|known| known.extension() == other),
        }
    }

    /// The format whose [`mime`](Self::mime) this is, as a database column holds it.
    #[must_use]
    pub fn from_mime(mime: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.mime() == mime)
    }
}

impl FromStr for MediaType {
    type Err = UnknownMediaType;

    /// Reads an extension or a MIME type, as an operator writes it in a list of allowed types.
    fn from_str(text: &str) -> Result<Self, UnknownMediaType> {
        let text = text.trim();
        Self::from_extension(text)
            .or_else(|| Self::from_mime(text))
            .ok_or_else(|| UnknownMediaType(text.to_owned()))
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mime())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_again_by_its_extension_and_its_mime() {
        for known in MediaType::ALL {
            assert_eq!(MediaType::from_extension(known.extension()), Some(known));
            assert_eq!(MediaType::from_mime(known.mime()), Some(known));
        }
        assert_eq!(MediaType::from_extension("JPEG"), Some(MediaType::Jpeg));
        assert_eq!(MediaType::from_extension("svg"), None);
    }
}
