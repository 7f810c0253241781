use std::{fmt, str::FromStr};

use crate::{Md5, MediaType, Sha256};

/// Where a blob's bytes rest, relative to the store: `{md5[0..2]}/{md5[2..]}.{ext}`, and for a second, different
/// file of the same MD5 `{md5[0..2]}/{md5[2..]}-{sha256[0..16]}.{ext}`.
///
/// INVARIANT: a value of this type has that shape, so it can be joined to a folder or a bucket prefix without any
/// further check.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobKey(String);

/// The text was not the key of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a blob key: expected ab/cdef….ext with 32 hexadecimal characters")]
pub struct InvalidBlobKey;

const MD5_LENGTH: usize = 32;
const COLLISION_SUFFIX_LENGTH: usize = 16;

impl BlobKey {
    /// The key of the first file with this MD5.
    #[must_use]
    pub fn plain(md5: Md5, media_type: MediaType) -> Self {
        let name = md5.to_string();
        Self(format!(
            "{}/{}.{}",
            &name[..2],
            &name[2..],
            media_type.extension()
        ))
    }

    /// The key of a file whose MD5 another file already has.
    #[must_use]
    pub fn colliding(md5: Md5, sha256: Sha256, media_type: MediaType) -> Self {
        let (name, sha256) = (md5.to_string(), sha256.to_string());
        let suffix = &sha256[..COLLISION_SUFFIX_LENGTH];
        Self(format!(
            "{}/{}-{suffix}.{}",
            &name[..2],
            &name[2..],
            media_type.extension()
        ))
    }

    /// The key as text, `ab/cdef….ext`, without a leading slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder part: the first two hexadecimal characters.
    #[must_use]
    pub fn folder(&self) -> &str {
        &self.0[..2]
    }

    /// The name without its folder and its extension: what the files derived from the blob are named after.
    #[must_use]
    pub fn stem(&self) -> &str {
        let name = &self.0[3..];
        name.split_once('.').map_or(name, |(stem, _)| stem)
    }

    /// The MD5 that the key is named after.
    #[must_use]
    pub fn md5(&self) -> Md5 {
        let digits: String = self.0.chars().filter(|c| *c != '/').take(MD5_LENGTH).collect();
        digits.parse().unwrap_or(Md5([0; 16]))
    }
}

impl FromStr for BlobKey {
    type Err = InvalidBlobKey;

    fn from_str(text: &str) -> Result<Self, InvalidBlobKey> {
        let is_hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let (folder, rest) = text.split_once('/').ok_or(InvalidBlobKey)?;
        let (stem, extension) = rest.split_once('.').ok_or(InvalidBlobKey)?;
        let (digits, suffix) = match stem.split_once('-') {
            Some((digits, suffix)) => (digits, Some(suffix)),
            None => (stem, None),
        };
        let well_formed = folder.len() == 2
            && is_hex(folder)
            && digits.len() == MD5_LENGTH - 2
            && is_hex(digits)
            && suffix.is_none_or(|s| s.len() == COLLISION_SUFFIX_LENGTH && is_hex(s))
            && MediaType::from_extension(extension).is_some_and(|known| known.extension() == extension);
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidBlobKey)
        }
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_md5_cut_after_two_characters() {
        let md5: Md5 = "7d4496551a953ca22cbf92a45e0057d4".parse().unwrap();
        let key = BlobKey::plain(md5, MediaType::Png);
        assert_eq!(key.as_str(), "7d/4496551a953ca22cbf92a45e0057d4.png");
        assert_eq!(key.md5(), md5);
        assert_eq!(key.as_str().parse::<BlobKey>().unwrap(), key);
        let second = BlobKey::colliding(md5, Sha256([0xab; 32]), MediaType::Png);
        assert_eq!(
            second.as_str(),
            "7d/4496551a953ca22cbf92a45e0057d4-abababababababab.png"
        );
        assert_eq!(second.md5(), md5);
        assert_eq!(second.as_str().parse::<BlobKey>().unwrap(), second);
    }

    #[test]
    fn nothing_but_a_key_is_a_key() {
        for bad in [
            "",
            "/7d/4496551a953ca22cbf92a45e0057d4.png",
            "7d/4496551a953ca22cbf92a45e0057d4",
            "7d/4496551a953ca22cbf92a45e0057d4.exe",
            "7d/4496551a953ca22cbf92a45e0057d4.PNG",
            "7D/4496551a953ca22cbf92a45e0057d4.png",
            "../4496551a953ca22cbf92a45e0057d4.png",
            "7d/../../../../../etc/passwd/x.png",
            "7d/4496551a953ca22cbf92a45e0057d4.png/..",
            "7d/4496551a953ca22cbf92a45e0057d4-ab.png",
            "7d/4496551a953ca22cbf92a45e0057d4.png\0",
            "é/4496551a953ca22cbf92a45e0057d4.png",
        ] {
            assert_eq!(bad.parse::<BlobKey>(), Err(InvalidBlobKey), "{bad:?}");
        }
    }
}
