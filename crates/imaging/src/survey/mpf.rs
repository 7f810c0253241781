//! The pictures that stand one behind the other in a JPEG, by their list: Multi-Picture Format, CIPA DC-007.

use std::ops::Range;

use super::{Fault, GainMap, Survey, What};
use crate::{ifd::Tiff, source::Source};

/// What the list's segment begins with; places are counted from behind it.
pub(crate) const MPF: &[u8] = b"MPF\0";
const ENTRIES: u16 = 0xb002;
const ENTRY_BYTES: usize = 16;
/// Cameras write two or three.
const MOST_PICTURES: usize = 16;

/// A picture behind the first one, as the list has it.
pub(super) struct Entry {
    range: Range<u64>,
    attributes: u32,
    primary_attributes: u32,
}

/// The pictures of the list that stand in the file, the first one left out.
pub(super) fn pictures(source: &Source, survey: &Survey) -> Vec<Entry> {
    let Some(list) = survey.found.iter().find(|found| found.what == What::Pictures) else {
        return Vec::new();
    };
    read(source, list.data.clone()).unwrap_or_default()
}

fn read(source: &Source, list: Range<u64>) -> Option<Vec<Entry>> {
    let inside = source.within(list.clone())?;
    let tiff = Tiff::open(&inside)?;
    let directory = tiff.directory(tiff.first)?;
    let entries = directory.find(ENTRIES)?;
    let bytes = inside.bytes(entries.at, entries.length)?;
    let words = |entry: &[u8]| -> [u32; 3] {
        let word = |from: usize| {
            let bytes = [entry[from], entry[from + 1], entry[from + 2], entry[from + 3]];
            if tiff.is_big_endian {
                u32::from_be_bytes(bytes)
            } else {
                u32::from_le_bytes(bytes)
            }
        };
        [word(0), word(4), word(8)]
    };
    let mut all = bytes.chunks_exact(ENTRY_BYTES).take(MOST_PICTURES).map(words);
    let [primary_attributes, ..] = all.next()?;
    let within = all.filter_map(|[attributes, length, offset]| {
        let start = list.start + u64::from(offset);
        let end = start + u64::from(length);
        (offset > 0 && end <= source.len()).then_some(Entry {
            range: start..end,
            attributes,
            primary_attributes,
        })
    });
    Some(within.collect())
}

/// The gain map that an entry is, if it is one.
pub(super) fn gain_map(
    source: &Source,
    entry: &Entry,
    survey: impl Fn(&Source) -> Result<Survey, Fault>,
    is_one: impl Fn(&Source, &Survey) -> bool,
) -> Option<GainMap> {
    let picture = source.within(entry.range.clone())?;
    if picture.array(0) != Some([0xff, 0xd8, 0xff]) {
        return None;
    }
    let survey = survey(&picture).ok()?;
    is_one(&picture, &survey).then(|| GainMap {
        range: entry.range.clone(),
        attributes: entry.attributes,
        primary_attributes: entry.primary_attributes,
        survey: Box::new(survey),
    })
}
