use super::{CUT_OFF, Fault, Survey, What};
use crate::source::Source;

/// Blocks up to the trailer.
pub(super) fn survey(source: &Source) -> Result<Survey, Fault> {
    let head: [u8; 13] = source.array(0).ok_or(Fault::Header)?;
    let mut survey = Survey::still(
        u32::from(u16::from_le_bytes([head[6], head[7]])),
        u32::from(u16::from_le_bytes([head[8], head[9]])),
    );
    (survey.frames, survey.frame_pixels) = (0, 0);
    let mut at = 13 + colours(head[10]);
    loop {
        let Some(block) = source.u8(at) else {
            // Without the trailer, but whole.
            return if survey.frames > 0 {
                Ok(survey)
            } else {
                Err(Fault::Header)
            };
        };
        match block {
            0x2c => {
                let place: [u8; 10] = source.array(at).ok_or(CUT_OFF)?;
                let side = |index: usize| u64::from(u16::from_le_bytes([place[index], place[index + 1]]));
                survey.frames += 1;
                survey.frame_pixels = survey.frame_pixels.saturating_add(side(5) * side(7));
                let data = at + 10 + colours(place[9]) + 1;
                at = sub_blocks(source, data).ok_or(CUT_OFF)?;
            }
            0x21 => {
                let label = source.u8(at + 1).ok_or(CUT_OFF)?;
                let end = sub_blocks(source, at + 2).ok_or(CUT_OFF)?;
                if !is_drawn_by(source, label, at + 2) {
                    survey.find(What::Other, at..end, at + 2..end);
                }
                at = end;
            }
            0x3b => break,
            // Zeros stand between the blocks of some encoders.
            0x00 => at += 1,
            _ if survey.frames > 0 => break,
            _ => return Err(Fault::Header),
        }
    }
    if survey.frames == 0 {
        return Err(Fault::Body("it holds no picture"));
    }
    if at + 1 < source.len() {
        survey.find(What::Other, at + 1..source.len(), at + 1..source.len());
    }
    Ok(survey)
}

/// Bytes of a table of colours.
fn colours(flags: u8) -> u64 {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

/// Where the sub-blocks that begin at `at` end.
fn sub_blocks(source: &Source, mut at: u64) -> Option<u64> {
    loop {
        let length = source.u8(at)?;
        at += 1 + u64::from(length);
        if length == 0 {
            return Some(at);
        }
    }
}

/// Timing and transparency, how often it is repeated, the colour profile.
fn is_drawn_by(source: &Source, label: u8, data: u64) -> bool {
    let application = source.up_to(data, 12);
    label == 0xf9
        || label == 0xff
            && [b"\x0bNETSCAPE2.0", b"\x0bANIMEXTS1.0", b"\x0bICCRGBG1012"]
                .iter()
                .any(|known| application == known.as_slice())
}
