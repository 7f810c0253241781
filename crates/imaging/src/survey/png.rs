use super::{Fault, MOST_PARTS, Survey, TOO_MANY_PARTS, What};
use crate::source::Source;

const LONGEST_CHUNK: u32 = i32::MAX.unsigned_abs();

/// The head of the chunk that begins at `at`, and where it ends; nothing where the file ends before.
fn chunk(source: &Source, at: u64) -> Option<([u8; 8], u64)> {
    let head: [u8; 8] = source.array(at)?;
    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
    let end = at + 12 + u64::from(length);
    (length <= LONGEST_CHUNK && end <= source.len()).then_some((head, end))
}

/// Chunks up to the end of the picture.
pub(super) fn survey(source: &Source) -> Result<Survey, Fault> {
    let header: [u8; 16] = source.array(8).ok_or(Fault::Header)?;
    if header[..8] != *b"\0\0\0\x0dIHDR" {
        return Err(Fault::Header);
    }
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let mut survey = Survey::still(word(8), word(12));
    if survey
        .dimensions
        .is_some_and(|(width, height)| width > LONGEST_CHUNK || height > LONGEST_CHUNK)
    {
        return Err(Fault::Header);
    }
    let (mut at, mut frames, mut frame_pixels) = (8, 0, 0_u64);
    for _ in 0..MOST_PARTS {
        let Some((head, end)) = chunk(source, at) else {
            // Whoever wants its pixels is told. To others its header is enough, and what is left of it is no part of a picture.
            survey.is_cut_off = true;
            if at < source.len() {
                survey.find(What::Other, at..source.len(), at..source.len());
            }
            return Ok(survey);
        };
        let (whole, data) = (at..end, at + 8..end - 4);
        match &head[4..] {
            b"IEND" => {
                if end < source.len() {
                    survey.find(What::Other, end..source.len(), end..source.len());
                }
                if frames > 1 {
                    (survey.frames, survey.frame_pixels) = (frames, frame_pixels);
                }
                return Ok(survey);
            }
            b"fcTL" => {
                frames += 1;
                let (width, height) = (source.be_u32(data.start + 4), source.be_u32(data.start + 8));
                let pixels = u64::from(width.unwrap_or_default()) * u64::from(height.unwrap_or_default());
                frame_pixels = frame_pixels.saturating_add(pixels);
            }
            b"eXIf" => survey.find(What::Exif, whole, data),
            b"iTXt" if source.up_to(data.start, 17) == b"XML:com.adobe.xmp" => {
                // The keyword's end, no compression, no language, no translated keyword.
                survey.find(What::Xmp, whole, (data.start + 22).min(data.end)..data.end);
            }
            b"tIME" => survey.find(What::Harmless, whole, data),
            // What a decoder draws by.
            b"IHDR" | b"PLTE" | b"IDAT" | b"tRNS" | b"cHRM" | b"gAMA" | b"iCCP" | b"sBIT" | b"sRGB"
            | b"cICP" | b"mDCV" | b"cLLI" | b"mDCv" | b"cLLi" | b"bKGD" | b"pHYs" | b"hIST" | b"acTL"
            | b"fdAT" => {}
            _ => survey.find(What::Other, whole, data),
        }
        at = end;
    }
    Err(TOO_MANY_PARTS)
}
