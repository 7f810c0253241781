use std::collections::BTreeSet;

use super::{Fault, Survey, What};
use crate::{ifd::Tiff, source::Source};

const WIDTH: u16 = 0x0100;
const HEIGHT: u16 = 0x0101;
const XMP: u16 = 0x02bc;
/// Directories that are looked into; the budget of frames is smaller.
const MOST_PAGES: usize = 2_000;

/// Its directories, each a page. The file itself is the EXIF.
pub(super) fn survey(source: &Source) -> Result<Survey, Fault> {
    let tiff = Tiff::open(source).ok_or(Fault::Header)?;
    let mut survey = Survey::default();
    let (mut at, mut seen) = (tiff.first, BTreeSet::new());
    while at != 0 && seen.len() < MOST_PAGES {
        if !seen.insert(at) {
            return Err(Fault::Body("its pages go round in a circle"));
        }
        let directory = tiff.directory(at).ok_or(Fault::Header)?;
        let side = |tag| {
            let number = directory.find(tag).and_then(|entry| tiff.number(entry))?;
            u32::try_from(number).ok()
        };
        let page = (
            side(WIDTH).ok_or(Fault::Header)?,
            side(HEIGHT).ok_or(Fault::Header)?,
        );
        survey.dimensions.get_or_insert(page);
        survey.hold(page.0, page.1);
        survey.frames += 1;
        survey.frame_pixels = survey
            .frame_pixels
            .saturating_add(u64::from(page.0) * u64::from(page.1));
        if let Some(entry) = directory.find(XMP) {
            let values = entry.at..entry.at + entry.length;
            survey.find(What::Xmp, values.clone(), values);
        }
        at = directory.next;
    }
    Ok(survey)
}
