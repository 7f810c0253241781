use std::str::FromStr;

use crate::{Md5, Sha256};

/// What a client says its file's bytes hash to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is its digest")]
pub enum Checksum {
    Md5(Md5),
    Sha256(Sha256),
}

/// The text was no checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected md5=<32 hexadecimal characters> or sha256=<64>")]
pub struct InvalidChecksum;

impl Checksum {
    /// Whether bytes with these hashes are the ones that the client meant.
    #[must_use]
    pub fn fits(&self, md5: Md5, sha256: Sha256) -> bool {
        match self {
            Self::Md5(expected) => *expected == md5,
            Self::Sha256(expected) => *expected == sha256,
        }
    }
}

impl FromStr for Checksum {
    type Err = InvalidChecksum;

    fn from_str(text: &str) -> Result<Self, InvalidChecksum> {
        let (algorithm, digest) = text.trim().split_once('=').ok_or(InvalidChecksum)?;
        let checksum = match algorithm.to_ascii_lowercase().as_str() {
            "md5" => digest.parse().map(Self::Md5),
            "sha256" | "sha-256" => digest.parse().map(Self::Sha256),
            _ => return Err(InvalidChecksum),
        };
        checksum.map_err(|_| InvalidChecksum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "7d4496551a953ca22cbf92a45e0057d4";
    const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_checksum_names_its_algorithm() {
        for (text, good) in [
            (format!("md5={MD5}"), true),
            (format!("MD5={}", MD5.to_uppercase()), true),
            (format!(" sha256={SHA256} "), true),
            (format!("sha-256={SHA256}"), true),
            (MD5.to_owned(), false),
            (format!("sha256={MD5}"), false),
            (format!("crc32={MD5}"), false),
            (String::new(), false),
        ] {
            assert_eq!(text.parse::<Checksum>().is_ok(), good, "{text}");
        }
    }

    #[test]
    fn it_fits_the_bytes_that_it_was_made_of() {
        let (md5, sha256) = (MD5.parse().unwrap(), SHA256.parse().unwrap());
        assert!(Checksum::Md5(md5).fits(md5, sha256));
        assert!(Checksum::Sha256(sha256).fits(md5, sha256));
        assert!(!Checksum::Md5(Md5([0; 16])).fits(md5, sha256));
        assert!(!Checksum::Sha256(Sha256([0; 32])).fits(md5, sha256));
    }
}
