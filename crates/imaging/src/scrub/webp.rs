//! What a WebP says about its own lengths, once something was cut out of it.

use super::Edit;
use crate::{
    source::Source,
    survey::{MOST_PARTS, Survey, What},
};

/// WebP says in its head how long it is, and which metadata it has.
pub(super) fn account_for(source: &Source, survey: &Survey, edits: &mut Vec<Edit>) {
    const EXIF_FLAG: u8 = 1 << 3;
    const XMP_FLAG: u8 = 1 << 2;
    let Some(size) = source.le_u32(4) else { return };
    let end = u64::from(size) + 8;
    let frames = shorter_frames(source, end, edits);
    let within = edits.iter().filter(|edit| edit.at < end);
    let (mut gone, mut come, mut has_exif) = (0, 0, false);
    for edit in within {
        gone += edit.remove;
        come += edit.insert.len() as u64;
        has_exif |= !edit.insert.is_empty();
    }
    let mut exif = survey.found.iter().filter(|found| found.what == What::Exif);
    let kept_exif = exif.any(|found| edits.iter().all(|edit| edit.at != found.whole.start));
    let mut head = vec![Edit {
        at: 4,
        remove: 4,
        insert: u32::try_from(u64::from(size) + come - gone)
            .unwrap_or(size)
            .to_le_bytes()
            .to_vec(),
        zeros: 0,
    }];
    if let Some(flags) = source.u8(20).filter(|_| source.array(12) == Some(*b"VP8X")) {
        let mut flags = flags & !XMP_FLAG & !EXIF_FLAG;
        if has_exif || kept_exif {
            flags |= EXIF_FLAG;
        }
        head.push(Edit {
            at: 20,
            remove: 1,
            insert: vec![flags],
            zeros: 0,
        });
    }
    edits.splice(0..0, head);
    edits.extend(frames);
    edits.sort_by_key(|edit| edit.at);
}

/// The new lengths of the frames that something is cut out of.
fn shorter_frames(source: &Source, end: u64, edits: &[Edit]) -> Vec<Edit> {
    let (mut at, mut frames) = (12, Vec::new());
    for _ in 0..MOST_PARTS {
        let head = source.array::<8>(at).filter(|_| at + 8 <= end);
        let Some([name @ .., a, b, c, d]) = head else {
            break;
        };
        let length = u64::from(u32::from_le_bytes([a, b, c, d]));
        let inside = at + 8..at + 8 + length;
        if name == *b"ANMF" {
            let first = edits.partition_point(|edit| edit.at < inside.start);
            // What makes an odd length even goes with what it stands behind, and was never counted.
            let gone: u64 = edits[first..]
                .iter()
                .take_while(|edit| edit.at < inside.end)
                .map(|edit| (edit.at + edit.remove).min(inside.end) - edit.at)
                .sum();
            if gone > 0 {
                frames.push(Edit {
                    at: at + 4,
                    remove: 4,
                    insert: u32::try_from(length - gone)
                        .unwrap_or_default()
                        .to_le_bytes()
                        .to_vec(),
                    zeros: 0,
                });
            }
        }
        at = inside.end + length % 2;
    }
    frames
}
