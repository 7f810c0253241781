use super::{Fault, Survey};
use crate::source::Source;

/// The header; there is nothing else but pixels.
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
    Ok(survey)
}
