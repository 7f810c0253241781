//! What a client says its file's bytes hash to: the field `checksum`, or the header fields `Content-MD5` (RFC 1864), `Digest` (RFC
//! 3230) and `Content-Digest` (RFC 9530). All of them that are there must hold.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use blobs::Staged;
use domain::{Checksum, ImageRefusal, Md5, Refusal, Sha256};
use http::HeaderMap;

const FIELD: &str = "checksum";

/// Reads every checksum of a request. Algorithms that we don't know are passed over, as the RFCs ask; a broken digest of one
/// that we know is refused.
pub(super) fn read(headers: &HeaderMap, fields: &HashMap<String, String>) -> Result<Vec<Checksum>, Refusal> {
    let mut checksums = Vec::new();
    if let Some(text) = fields.get(FIELD).filter(|text| !text.is_empty()) {
        checksums.push(
            text.parse()
                .map_err(|error: domain::InvalidChecksum| invalid(error.to_string()))?,
        );
    }
    for name in ["content-md5", "digest", "content-digest"] {
        for value in headers.get_all(name) {
            let text = value
                .to_str()
                .map_err(|_| invalid(format!("{name} is no text")))?;
            let all: Vec<&str> = if name == "content-md5" {
                vec![text]
            } else {
                text.split(',').collect()
            };
            for each in all {
                let read = read_header(name, each.trim());
                checksums.extend(read.ok_or_else(|| invalid(format!("{name} can't be read")))?);
            }
        }
    }
    Ok(checksums)
}

/// One digest, or nothing of an algorithm that we don't know; none is a broken one.
fn read_header(name: &str, text: &str) -> Option<Vec<Checksum>> {
    let (algorithm, digest) = match name {
        "content-md5" => ("md5", text),
        _ => text.split_once('=')?,
    };
    let digest = if name == "content-digest" {
        digest.strip_prefix(':')?.strip_suffix(':')?
    } else {
        digest
    };
    let bytes = || STANDARD.decode(digest).ok();
    Some(match algorithm.trim().to_ascii_lowercase().as_str() {
        "md5" => vec![Checksum::Md5(Md5::from_slice(&bytes()?).ok()?)],
        "sha-256" => vec![Checksum::Sha256(Sha256::from_slice(&bytes()?).ok()?)],
        _ => Vec::new(),
    })
}

fn invalid(reason: String) -> Refusal {
    Refusal::InvalidField { field: FIELD, reason }
}

/// A checksum speaks of one file; among several nobody can tell of which.
pub(super) fn refuse_for_several(checksums: &[Checksum]) -> Result<(), Refusal> {
    if checksums.is_empty() {
        return Ok(());
    }
    Err(invalid(
        "a checksum goes with one file; send several files without one, or each by itself".to_owned(),
    ))
}

/// Whether the bytes that arrived are those that were meant.
pub(super) fn check(checksums: &[Checksum], staged: &Staged) -> Result<(), ImageRefusal> {
    let fits = |checksum: &Checksum| checksum.fits(staged.md5(), staged.sha256());
    if checksums.iter().all(fits) {
        Ok(())
    } else {
        Err(ImageRefusal::ChecksumMismatch)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn every_way_to_send_a_checksum_is_read() {
        let (md5, sha256) = (
            "1B2M2Y8AsgTpgAmY7PhCfg==",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        );
        for (name, value, found) in [
            ("content-md5", md5.to_owned(), Some(1)),
            ("digest", format!("md5={md5}"), Some(1)),
            ("digest", format!("SHA-256={sha256}, MD5={md5}"), Some(2)),
            ("digest", format!("crc32c=AAAA, sha-256={sha256}"), Some(1)),
            ("content-digest", format!("sha-256=:{sha256}:"), Some(1)),
            ("content-digest", "sha-512=:AAAA:".to_owned(), Some(0)),
            ("content-digest", format!("sha-256={sha256}"), None),
            ("content-md5", "nonsense".to_owned(), None),
            ("digest", "sha-256=AAAA".to_owned(), None),
            ("accept", "*/*".to_owned(), Some(0)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_str(&value).unwrap(),
            );
            let read = read(&headers, &HashMap::new()).ok();
            assert_eq!(read.map(|all| all.len()), found, "{name}: {value}");
        }
    }
}
