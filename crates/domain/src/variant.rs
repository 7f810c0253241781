use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{BlobKey, MediaType};

/// A format that variants come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VariantFormat {
    /// Lossy WebP: small, keeps transparency, and every browser since 2020 shows it.
    Webp,
    /// Baseline JPEG, for whoever takes nothing else; what was transparent is white.
    Jpeg,
}

/// The text names no format of variants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no format of variants; there are webp and jpeg")]
pub struct UnknownVariantFormat(String);

impl VariantFormat {
    /// Every format, the best first.
    pub const ALL: [Self; 2] = [Self::Webp, Self::Jpeg];

    /// The word in the database and in JSON: `webp` or `jpeg`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webp => "webp",
            Self::Jpeg => "jpeg",
        }
    }

    /// The extension in URLs and of files, in lower case without a dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Webp => "webp",
            Self::Jpeg => "jpg",
        }
    }

    /// What `Content-Type` says.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            Self::Webp => "image/webp",
            Self::Jpeg => "image/jpeg",
        }
    }
}

impl FromStr for VariantFormat {
    type Err = UnknownVariantFormat;

    fn from_str(text: &str) -> Result<Self, UnknownVariantFormat> {
        match text {
            "webp" => Ok(Self::Webp),
            "jpeg" | "jpg" => Ok(Self::Jpeg),
            _ => Err(UnknownVariantFormat(text.to_owned())),
        }
    }
}

impl fmt::Display for VariantFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl MediaType {
    /// Whether variants are derived of files of this format: of pictures that berth decodes itself, and of the pictures in videos.
    #[must_use]
    pub fn has_variants(self) -> bool {
        !matches!(self, Self::Avif | Self::Heic)
    }
}

/// The widths that variants have, in pixels, ascending: [`THUMB`](Self::THUMB) and [`SHOW`](Self::SHOW) always, and a ladder.
/// Whatever else is asked for goes up to the next of them, so that no request can make a size of its own, and the disk
/// can't be filled by asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedWidths(Vec<u32>);

/// The text lists no widths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected up to {} widths of {} to {} pixels, separated by commas",
    NamedWidths::MOST - 2,
    NamedWidths::NARROWEST,
    NamedWidths::WIDEST
)]
pub struct InvalidWidths;

impl NamedWidths {
    /// What a list shows: made of every picture after its upload.
    pub const THUMB: u32 = 300;
    /// What a page shows: made when it is first asked for.
    pub const SHOW: u32 = 810;
    /// The narrowest that may be named.
    pub const NARROWEST: u32 = 16;
    /// The widest that may be named.
    pub const WIDEST: u32 = 4096;
    /// How many may be named: each costs room for every picture that is shown in it.
    pub const MOST: usize = 16;

    /// The next named width that is at least `pixels`; none when all are narrower, which means the original.
    #[must_use]
    pub fn at_least(&self, pixels: u32) -> Option<u32> {
        self.0.iter().copied().find(|width| *width >= pixels)
    }

    /// The named widths, ascending.
    #[must_use]
    pub fn all(&self) -> &[u32] {
        &self.0
    }
}

impl Default for NamedWidths {
    fn default() -> Self {
        Self(vec![160, Self::THUMB, 480, 640, Self::SHOW, 1280, 1920])
    }
}

impl FromStr for NamedWidths {
    type Err = InvalidWidths;

    fn from_str(text: &str) -> Result<Self, InvalidWidths> {
        let mut widths = text
            .split(',')
            .map(|width| width.trim().parse::<u32>().map_err(|_| InvalidWidths))
            .collect::<Result<Vec<_>, _>>()?;
        widths.extend([Self::THUMB, Self::SHOW]);
        widths.sort_unstable();
        widths.dedup();
        let fits = |width: &u32| (Self::NARROWEST..=Self::WIDEST).contains(width);
        if widths.len() <= Self::MOST && widths.iter().all(fits) {
            Ok(Self(widths))
        } else {
            Err(InvalidWidths)
        }
    }
}

impl fmt::Display for NamedWidths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&words.join(","))
    }
}

/// Where a variant's bytes rest, relative to the store: `variants/{md5[0..2]}/{md5[2..]}-{width}.{ext}` beside a blob at
/// `{md5[0..2]}/{md5[2..]}.{ext}`. A blob whose key is the longer one has variants that carry it, too, so that two files of
/// one MD5 never share a thumbnail.
///
/// INVARIANT: a value of this type has that shape, so it can be joined to a folder without any further check.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariantKey(String);

impl VariantKey {
    /// The folder of the store that holds variants.
    pub const FOLDER: &str = "variants";

    /// The key of a blob's variant of this named width.
    #[must_use]
    pub fn new(blob: &BlobKey, width: u32, format: VariantFormat) -> Self {
        let (folder, name) = (blob.folder(), blob.stem());
        Self(format!(
            "{}/{folder}/{name}-{width}.{}",
            Self::FOLDER,
            format.extension()
        ))
    }

    /// The key as text, without a leading slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder part: `variants/ab`.
    #[must_use]
    pub fn folder(&self) -> &str {
        &self.0[..Self::FOLDER.len() + 3]
    }
}

impl fmt::Display for VariantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Md5, Sha256};

    #[test]
    fn unknown_widths_go_up_to_the_next_named_one() {
        let widths = NamedWidths::default();
        for (asked, named) in [
            (0, Some(160)),
            (1, Some(160)),
            (160, Some(160)),
            (161, Some(300)),
            (480, Some(480)),
            (481, Some(640)),
            (1920, Some(1920)),
            (1921, None),
            (u32::MAX, None),
        ] {
            assert_eq!(widths.at_least(asked), named, "{asked}");
        }
    }

    #[test]
    fn a_list_of_widths_is_sorted_and_each_is_sane() {
        let widths: NamedWidths = "640, 100,1280,640".parse().unwrap();
        assert_eq!(
            widths.all(),
            [100, 300, 640, 810, 1280],
            "thumb and show are always there"
        );
        assert_eq!(widths.to_string(), "100,300,640,810,1280");
        let many = (0..15)
            .map(|n| (100 + n).to_string())
            .collect::<Vec<_>>()
            .join(",");
        for bad in ["", "300,", "0", "15", "4097", "wide", "-1", &many] {
            assert_eq!(bad.parse::<NamedWidths>(), Err(InvalidWidths), "{bad:?}");
        }
    }

    #[test]
    fn variants_lie_beside_their_blob_and_two_blobs_never_share_one() {
        let md5: Md5 = "7d4496551a953ca22cbf92a45e0057d4".parse().unwrap();
        let blob = BlobKey::plain(md5, MediaType::Png);
        let key = VariantKey::new(&blob, 300, VariantFormat::Webp);
        assert_eq!(
            key.as_str(),
            "variants/7d/4496551a953ca22cbf92a45e0057d4-300.webp"
        );
        assert_eq!(key.folder(), "variants/7d");
        let other = BlobKey::colliding(md5, Sha256([0xab; 32]), MediaType::Png);
        assert_eq!(
            VariantKey::new(&other, 300, VariantFormat::Jpeg).as_str(),
            "variants/7d/4496551a953ca22cbf92a45e0057d4-abababababababab-300.jpg"
        );
    }
}
