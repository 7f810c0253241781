use std::ops::Range;

use super::{CUT_OFF, Fault, MOST_PARTS, Survey, TOO_MANY_PARTS, What};
use crate::source::Source;

/// The RIFF's chunks.
pub(super) fn survey(source: &Source) -> Result<Survey, Fault> {
    let end = u64::from(source.le_u32(4).ok_or(Fault::Header)?) + 8;
    let (width, height) = canvas(source).ok_or(Fault::Header)?;
    if end > source.len() {
        return Err(CUT_OFF);
    }
    let mut survey = Survey::still(width, height);
    survey.decoding_bytes = survey.frame_pixels * 6;
    let (mut at, mut frames, mut frame_pixels) = (12, 0, 0_u64);
    for _ in 0..MOST_PARTS {
        if at + 8 > end {
            if end < source.len() {
                survey.find(What::Other, end..source.len(), end..source.len());
            }
            if frames > 0 {
                (survey.frames, survey.frame_pixels) = (frames, frame_pixels);
            }
            return Ok(survey);
        }
        let head: [u8; 8] = source.array(at).ok_or(CUT_OFF)?;
        let length = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
        let data = at + 8..at + 8 + length;
        if data.end > end {
            return Err(CUT_OFF);
        }
        let whole = at..(data.end + length % 2).min(end);
        match &head[..4] {
            b"ANMF" => {
                let place: [u8; 12] = source.array(data.start).ok_or(CUT_OFF)?;
                in_frame(source, data.start + 16..data.end, whole.end, &mut survey)?;
                frames += 1;
                frame_pixels = frame_pixels
                    .saturating_add(u64::from(thrice(&place[6..])) * u64::from(thrice(&place[9..])));
            }
            b"EXIF" => {
                let skipped = if source.up_to(data.start, 6) == b"Exif\0\0" {
                    6
                } else {
                    0
                };
                survey.find(What::Exif, whole.clone(), data.start + skipped..data.end);
            }
            b"XMP " => survey.find(What::Xmp, whole.clone(), data),
            b"VP8X" | b"VP8 " | b"VP8L" | b"ICCP" | b"ANIM" | b"ALPH" => {}
            _ => survey.find(What::Other, whole.clone(), data),
        }
        at = whole.end;
    }
    Err(TOO_MANY_PARTS)
}

/// Finds what stands in a frame beside its picture. `end` is that of the frame with what makes its length even.
fn in_frame(source: &Source, inside: Range<u64>, end: u64, survey: &mut Survey) -> Result<(), Fault> {
    let mut at = inside.start;
    for _ in 0..MOST_PARTS {
        if at >= inside.end {
            return Ok(());
        }
        let head = source.array::<8>(at).filter(|_| at + 8 <= inside.end);
        let length = head.map(|head| u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]])));
        match (head, length) {
            (Some(head), Some(length)) if at + 8 + length <= inside.end => {
                let data = at + 8..at + 8 + length;
                let whole = at..(data.end + length % 2).min(end);
                at = whole.end;
                if !is_picture(head) {
                    survey.find(What::Other, whole, data);
                }
            }
            // Cut off: whoever decodes it says so.
            (Some(head), _) if is_picture(head) => return Ok(()),
            // No chunk, or one that reaches beyond its frame.
            _ => {
                survey.find_bytes(What::Other, at..end);
                return Ok(());
            }
        }
    }
    Err(TOO_MANY_PARTS)
}

fn is_picture(head: [u8; 8]) -> bool {
    matches!(&head[..4], b"ALPH" | b"VP8 " | b"VP8L")
}

/// A number of three bytes, one less than what it means.
fn thrice(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]) + 1
}

fn canvas(source: &Source) -> Option<(u32, u32)> {
    let head: [u8; 30] = {
        let mut head = [0; 30];
        let there = source.up_to(0, 30);
        head[..there.len()].copy_from_slice(&there);
        (there.len() >= 25).then_some(head)?
    };
    match &head[12..16] {
        b"VP8X" => Some((thrice(&head[24..]), thrice(&head[27..]))),
        b"VP8 " if head[23..26] == *b"\x9d\x01\x2a" => {
            let side = |at: usize| u32::from(u16::from_le_bytes([head[at], head[at + 1]]) & 0x3fff);
            Some((side(26), side(28)))
        }
        b"VP8L" if head[20] == 0x2f => {
            let bits = u32::from_le_bytes([head[21], head[22], head[23], head[24]]);
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        _ => None,
    }
}
