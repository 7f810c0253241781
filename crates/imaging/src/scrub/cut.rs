//! Containers in which nothing points to anything: what must go is cut out, and what follows moves up.

use domain::{MediaType, Scrub};

use super::Edit;
use crate::{
    exif::rebuild,
    source::Source,
    survey::{Found, What},
};

/// Metadata is cut out; the first EXIF makes place for what may stay of it.
pub(super) fn cut<'a>(
    source: &Source,
    found: impl Iterator<Item = &'a Found>,
    media_type: MediaType,
    scrub: Scrub,
) -> Vec<Edit> {
    let mut has_exif = false;
    found
        .map(|found| {
            let is_first_exif = found.what == What::Exif && !std::mem::replace(&mut has_exif, true);
            let stays = is_first_exif
                .then(|| source.bytes(found.data.start, found.data.end - found.data.start))
                .flatten()
                .and_then(|bytes| rebuild(&Source::Memory(bytes), scrub))
                .map(|exif| wrap(media_type, &exif))
                .unwrap_or_default();
            Edit {
                at: found.whole.start,
                remove: found.whole.end - found.whole.start,
                insert: stays,
                zeros: 0,
            }
        })
        .collect()
}

/// EXIF as its container holds it.
fn wrap(media_type: MediaType, exif: &[u8]) -> Vec<u8> {
    let length = u32::try_from(exif.len()).unwrap_or_default();
    match media_type {
        MediaType::Jpeg => {
            // What may stay of EXIF is far below the 64 KiB of a segment.
            let length = u16::try_from(exif.len() + 8).unwrap_or(u16::MAX).to_be_bytes();
            [&[0xff, 0xe1], &length[..], b"Exif\0\0", exif].concat()
        }
        MediaType::Png => {
            let body = [b"eXIf", exif].concat();
            [&length.to_be_bytes()[..], &body, &crc(&body).to_be_bytes()].concat()
        }
        MediaType::Webp => [b"EXIF", &length.to_le_bytes()[..], exif, &[0][..exif.len() % 2]].concat(),
        _ => Vec::new(),
    }
}

/// PNG's sum of a chunk.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}
