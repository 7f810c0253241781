//! What stands in the header fields of tus.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{PublicId, Refusal, ResumeRefusal};
use http::{HeaderMap, header::CONTENT_TYPE};
use sha2::Digest as _;

/// The version that is spoken here.
pub(crate) const VERSION: &str = "1.0.0";
/// What of the protocol's extensions there is.
pub(crate) const EXTENSIONS: &str =
    "creation,creation-with-upload,checksum,termination,expiration,concatenation";
/// Digests of pieces.
pub(crate) const ALGORITHMS: &str = "sha1,md5,sha256";

const PIECE_TYPE: &str = "application/offset+octet-stream";
/// What a client may say about its upload, in bytes.
const LONGEST_METADATA: usize = 8 << 10;
/// Parts of one upload.
const MOST_PARTS: usize = 100;

fn invalid(field: &'static str, reason: &str) -> Refusal {
    Refusal::InvalidField {
        field,
        reason: reason.to_owned(),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    let value = headers.get(name);
    let text = value.map(|value| value.to_str().map_err(|_| invalid(name, "it is no text")));
    text.transpose()
}

/// Refuses whoever speaks another version, or none.
pub(crate) fn check_version(headers: &HeaderMap) -> Result<(), ResumeRefusal> {
    match headers.get("tus-resumable") {
        Some(version) if version == VERSION => Ok(()),
        _ => Err(ResumeRefusal::OtherVersion),
    }
}

/// A number of bytes that must be there.
pub(crate) fn count(headers: &HeaderMap, name: &'static str) -> Result<u64, Refusal> {
    let count = text(headers, name)?.and_then(|text| text.parse::<u64>().ok());
    count
        .filter(|count| i64::try_from(*count).is_ok())
        .ok_or_else(|| invalid(name, "expected a number of bytes"))
}

/// Whether the body is a piece of an upload.
pub(crate) fn is_piece(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value == PIECE_TYPE)
}

/// `Upload-Metadata` as it was written; empty when there is none.
pub(crate) fn metadata(headers: &HeaderMap) -> Result<String, Refusal> {
    let written = text(headers, "upload-metadata")?.unwrap_or_default();
    if written.len() > LONGEST_METADATA {
        return Err(invalid("upload-metadata", "it is longer than 8192 bytes"));
    }
    read_metadata(written).map(|_| written.to_owned())
}

/// Reads metadata: `name base64,name base64`, a value may be missing.
pub(crate) fn read_metadata(written: &str) -> Result<HashMap<String, String>, Refusal> {
    let broken = || invalid("upload-metadata", "expected `name base64,name base64,…` of UTF-8");
    let pairs = written.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let read = pairs.map(|pair| {
        let (name, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = STANDARD.decode(value.trim()).ok()?;
        Some((name.to_owned(), String::from_utf8(value).ok()?))
    });
    read.map(|pair| pair.ok_or_else(broken)).collect()
}

/// What `Upload-Concat` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Concat {
    /// Nothing: the upload is a file.
    None,
    /// The upload is a part of one.
    Part,
    /// The upload is to be joined of these.
    Join(Vec<PublicId>),
}

/// Reads `Upload-Concat`. Parts are named by their URLs, whole or without the host.
pub(crate) fn concat(headers: &HeaderMap) -> Result<Concat, Refusal> {
    const FIELD: &str = "upload-concat";
    match text(headers, FIELD)?.map(str::trim) {
        None => Ok(Concat::None),
        Some("partial") => Ok(Concat::Part),
        Some(other) => {
            let urls = other.strip_prefix("final;").unwrap_or_default();
            let ids = urls.split_ascii_whitespace().map(|url| {
                let last = url.rsplit('/').next().unwrap_or_default();
                last.parse()
                    .map_err(|_| Refusal::from(ResumeRefusal::NoSuchUpload))
            });
            let ids: Vec<PublicId> = ids.collect::<Result<_, _>>()?;
            if ids.is_empty() || ids.len() > MOST_PARTS {
                return Err(invalid(
                    FIELD,
                    "expected `partial`, or `final;` and the URLs of 1 to 100 parts",
                ));
            }
            Ok(Concat::Join(ids))
        }
    }
}

/// A digest that a piece must have.
pub(crate) struct PieceChecksum {
    hasher: PieceHasher,
    expected: Vec<u8>,
}

enum PieceHasher {
    Sha1(sha1::Sha1),
    Md5(md5::Md5),
    Sha256(sha2::Sha256),
}

impl PieceChecksum {
    /// Reads `Upload-Checksum`: `sha1 base64`.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Option<Self>, Refusal> {
        const FIELD: &str = "upload-checksum";
        let Some(written) = text(headers, FIELD)? else {
            return Ok(None);
        };
        let broken = || invalid(FIELD, "expected sha1, md5 or sha256, and the digest in base64");
        let (algorithm, digest) = written.trim().split_once(' ').ok_or_else(broken)?;
        let hasher = match algorithm {
            "sha1" => PieceHasher::Sha1(sha1::Sha1::new()),
            "md5" => PieceHasher::Md5(md5::Md5::new()),
            "sha256" => PieceHasher::Sha256(sha2::Sha256::new()),
            _ => return Err(broken()),
        };
        let expected = STANDARD.decode(digest.trim()).map_err(|_| broken())?;
        Ok(Some(Self { hasher, expected }))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.hasher {
            PieceHasher::Sha1(hasher) => hasher.update(bytes),
            PieceHasher::Md5(hasher) => hasher.update(bytes),
            PieceHasher::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// Whether the bytes were those that were meant.
    pub(crate) fn fits(self) -> bool {
        match self.hasher {
            PieceHasher::Sha1(hasher) => hasher.finalize()[..] == self.expected[..],
            PieceHasher::Md5(hasher) => hasher.finalize()[..] == self.expected[..],
            PieceHasher::Sha256(hasher) => hasher.finalize()[..] == self.expected[..],
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn head(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn metadata_is_pairs_of_a_name_and_base64() {
        let read = read_metadata("filename 5oiq5Zu+LnBuZw==, album Nw==,empty").unwrap();
        let pairs = [("filename", "截图.png"), ("album", "7"), ("empty", "")];
        assert_eq!(read.len(), 3);
        for (name, value) in pairs {
            assert_eq!(read[name], value);
        }
        assert!(read_metadata("").unwrap().is_empty());
        for broken in ["filename ???", "filename /w=="] {
            assert!(read_metadata(broken).is_err(), "{broken}");
        }
        assert!(metadata(&head("upload-metadata", &format!("a {}", "A".repeat(9_000)))).is_err());
    }

    #[test]
    fn concat_names_parts_by_their_urls() {
        let id: PublicId = "7h9KzQm2xRfW".parse().unwrap();
        for (value, expected) in [
            ("partial", Some(Concat::Part)),
            ("final;/v1/uploads/7h9KzQm2xRfW", Some(Concat::Join(vec![id]))),
            (
                "final;https://img.example/v1/uploads/7h9KzQm2xRfW /v1/uploads/7h9KzQm2xRfW",
                Some(Concat::Join(vec![id, id])),
            ),
            ("final;", None),
            ("final;/v1/uploads/nonsense", None),
            ("whole", None),
        ] {
            assert_eq!(concat(&head("upload-concat", value)).ok(), expected, "{value}");
        }
        assert_eq!(concat(&HeaderMap::new()), Ok(Concat::None));
    }

    #[test]
    fn a_piece_fits_the_digest_that_was_said() {
        for (value, fits) in [
            ("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", Some(true)),
            ("md5 XrY7u+Ae7tCTyyK7j1rNww==", Some(true)),
            ("sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=", Some(true)),
            ("sha1 AAAA", Some(false)),
            ("crc32 AAAA", None),
            ("sha1", None),
            ("sha1 ???", None),
        ] {
            let read = PieceChecksum::read(&head("upload-checksum", value))
                .ok()
                .flatten();
            let said = read.map(|mut checksum| {
                checksum.update(b"hello ");
                checksum.update(b"world");
                checksum.fits()
            });
            assert_eq!(said, fits, "{value}");
        }
    }

    #[test]
    fn versions_and_counts_are_read_strictly() {
        assert_eq!(check_version(&head("tus-resumable", "1.0.0")), Ok(()));
        for other in ["0.2.2", "1.0.1", ""] {
            assert_eq!(
                check_version(&head("tus-resumable", other)),
                Err(ResumeRefusal::OtherVersion)
            );
        }
        assert_eq!(count(&head("upload-offset", "70"), "upload-offset"), Ok(70));
        for other in ["-1", "x", "", "9223372036854775808"] {
            assert!(
                count(&head("upload-offset", other), "upload-offset").is_err(),
                "{other}"
            );
        }
    }
}
