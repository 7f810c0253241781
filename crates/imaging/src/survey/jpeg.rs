use super::{CUT_OFF, Fault, Survey, What, mpf};
use crate::{gain_map::is_gain_map, source::Source};

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const ICC: &[u8] = b"ICC_PROFILE\0";
/// What a gain map means (ISO 21496-1): numbers, and no more of them than this.
const GAIN: &[u8] = b"urn:iso:std:iso:ts:21496:-1\0";
const LONGEST_GAIN: u64 = 256;
/// A JFIF header without a preview picture.
const PLAIN_JFIF_BYTES: u64 = 16;
/// Encoders write ten or so; each costs a walk over all pixels.
const MOST_SCANS: u32 = 64;

/// The picture, and the gain map behind it.
pub(super) fn survey(source: &Source) -> Result<Survey, Fault> {
    let mut survey = picture(source)?;
    survey.gain_map = mpf::pictures(source, &survey)
        .into_iter()
        .find_map(|entry| mpf::gain_map(source, &entry, picture, is_gain_map));
    if let Some((width, height)) = survey.gain_map.as_ref().and_then(|map| map.survey.dimensions) {
        survey.hold(width, height);
    }
    Ok(survey)
}

/// Markers up to the end of one picture: sizes, metadata, scans.
fn picture(source: &Source) -> Result<Survey, Fault> {
    let mut survey = Survey::default();
    let mut scans = 0;
    let mut at = 2;
    loop {
        let Some((marker, begins)) = next_marker(source, at) else {
            // Cameras that lose power leave pictures without an end; whether the pixels are there is the decoder's to say.
            return if scans > 0 {
                Ok(survey)
            } else {
                Err(missing(&survey))
            };
        };
        // Fill bytes are in order; whatever else stands between two segments is read by nobody.
        if scans == 0 && begins > at && !is_filled(source, at..begins) {
            survey.find_bytes(What::Other, at..begins);
        }
        at = begins + 2;
        match marker {
            0x01 | 0xd0..=0xd8 => continue,
            0xd9 => break,
            _ => {}
        }
        let length = u64::from(source.be_u16(at).ok_or_else(|| missing(&survey))?);
        if length < 2 || at + length > source.len() {
            return Err(missing(&survey));
        }
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => frame(source, marker, at, &mut survey)?,
            0xe0..=0xef | 0xfe => metadata(source, marker, begins..at + length, &mut survey),
            0xda => {
                scans += 1;
                if scans > MOST_SCANS {
                    return Err(Fault::Body("it has more scans than any encoder writes"));
                }
            }
            _ => {}
        }
        at += length;
    }
    if survey.dimensions.is_none() || scans == 0 {
        return Err(missing(&survey));
    }
    if at < source.len() {
        survey.find(What::Other, at..source.len(), at..source.len());
    }
    Ok(survey)
}

fn missing(survey: &Survey) -> Fault {
    if survey.dimensions.is_none() {
        Fault::Header
    } else {
        CUT_OFF
    }
}

/// The next marker, and where it begins; compressed data, with its stuffed zeros and restarts, is passed over.
fn next_marker(source: &Source, from: u64) -> Option<(u8, u64)> {
    const PIECE: u64 = 64 << 10;
    let mut at = from;
    loop {
        let piece = source.up_to(at, PIECE);
        if piece.len() < 2 {
            return None;
        }
        let found = piece
            .windows(2)
            .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xff | 0xd0..=0xd7));
        if let Some(place) = found {
            return Some((piece[place + 1], at + place as u64));
        }
        at += piece.len() as u64 - 1;
    }
}

/// Whether there is nothing but fill bytes, up to a few.
fn is_filled(source: &Source, range: std::ops::Range<u64>) -> bool {
    const MOST_FILL: u64 = 64;
    let length = range.end - range.start;
    length <= MOST_FILL && source.up_to(range.start, length).iter().all(|byte| *byte == 0xff)
}

fn frame(source: &Source, marker: u8, at: u64, survey: &mut Survey) -> Result<(), Fault> {
    let head: [u8; 8] = source.array(at).ok_or(Fault::Header)?;
    let height = u32::from(u16::from_be_bytes([head[3], head[4]]));
    let width = u32::from(u16::from_be_bytes([head[5], head[6]]));
    if survey.dimensions.is_some() || width == 0 || height == 0 {
        return Err(Fault::Header);
    }
    let samples = u64::from(width) * u64::from(height) * u64::from(head[7]);
    let before = std::mem::replace(survey, Survey::still(width, height));
    (survey.found, survey.tells_gain) = (before.found, before.tells_gain);
    // What is progressive is kept whole, two bytes a coefficient; else a row of blocks and an eighth of the picture are.
    survey.decoding_bytes = if marker == 0xc2 { samples * 2 } else { samples / 8 };
    Ok(())
}

fn metadata(source: &Source, marker: u8, whole: std::ops::Range<u64>, survey: &mut Survey) {
    let data = whole.start + 4..whole.end;
    let begins_with = |word: &[u8]| {
        source.up_to(data.start, word.len() as u64) == word && data.end - data.start >= word.len() as u64
    };
    match marker {
        0xe0 if begins_with(b"JFIF\0") && data.end - data.start <= PLAIN_JFIF_BYTES => {}
        // How the colours are meant.
        0xee if begins_with(b"Adobe") => {}
        0xe2 if begins_with(ICC) => {}
        0xe2 if begins_with(GAIN) && data.end - data.start <= LONGEST_GAIN => survey.tells_gain = true,
        0xe2 if begins_with(mpf::MPF) => {
            survey.find(
                What::Pictures,
                whole,
                data.start + mpf::MPF.len() as u64..data.end,
            );
        }
        0xe1 if begins_with(EXIF) => survey.find(What::Exif, whole, data.start + EXIF.len() as u64..data.end),
        0xe1 if begins_with(XMP) => survey.find(What::Xmp, whole, data.start + XMP.len() as u64..data.end),
        _ => survey.find(What::Other, whole, data),
    }
}
