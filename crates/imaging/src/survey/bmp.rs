use super::{Fault, Survey, What};
use crate::source::Source;

/// The header; there is nothing else but pixels, and at times something behind them.
pub(super) fn survey(source: &Source) -> Result<Survey, Fault> {
    let (width, height) = match source.le_u32(14).ok_or(Fault::Header)? {
        12 => (source.le_u16(18).map(u32::from), source.le_u16(20).map(u32::from)),
        // A height below zero means that the first row comes first.
        _ => (
            source.le_u32(18),
            source
                .le_u32(22)
                .map(|height| height.cast_signed().unsigned_abs()),
        ),
    };
    let mut survey = Survey::still(width.ok_or(Fault::Header)?, height.ok_or(Fault::Header)?);
    survey.decoding_bytes = survey.frame_pixels.saturating_mul(4);
    if let Some(end) = end(source, &survey).filter(|end| *end < source.len()) {
        survey.find_bytes(What::Other, end..source.len());
    }
    Ok(survey)
}

/// Where the pixels end, or the colour profile behind them; none where that can't be told from the headers.
fn end(source: &Source, survey: &Survey) -> Option<u64> {
    const INFORMATION: u32 = 40;
    const WITH_PROFILE: u32 = 124;
    // In place of a profile the name of a file on somebody's disk.
    const LINKED: u32 = u32::from_be_bytes(*b"LINK");
    let header = source.le_u32(14)?;
    let (bits, compression) = (source.le_u16(28)?, source.le_u32(30)?);
    // Plain pixels, in which a row is as long as every other.
    if header < INFORMATION || !matches!(compression, 0 | 3 | 6) {
        return None;
    }
    let (width, height) = survey.dimensions?;
    let row = (u64::from(width) * u64::from(bits)).div_ceil(32) * 4;
    let pixels = u64::from(source.le_u32(10)?) + row * u64::from(height);
    let profile = match header {
        WITH_PROFILE if source.le_u32(70)? != LINKED => {
            14 + u64::from(source.le_u32(126)?) + u64::from(source.le_u32(130)?)
        }
        _ => 0,
    };
    Some(pixels.max(profile))
}
