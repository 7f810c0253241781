//! What must be cut out of a file, or blanked where a cut would move what others point to. No pixel is touched.

mod blank;
mod cut;
mod jpeg;
mod tiff;
mod webp;

use std::ops::Range;

use domain::{MediaType, Scrub};
use serde::{Deserialize, Serialize};

use self::{
    blank::{blank_box, junk, overwrite, void},
    cut::cut,
    webp::account_for,
};
use crate::{
    source::Source,
    survey::{Found, Survey, What},
};

/// One change of a file: from `at` on, `remove` bytes make room for `insert` and then `zeros` zero bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Where, in the file as it was sent.
    pub at: u64,
    /// Bytes that go.
    pub remove: u64,
    /// Bytes that come.
    pub insert: Vec<u8>,
    /// Zero bytes that come behind them.
    pub zeros: u64,
}

/// The most changes that are told; what wants more than these is scrubbed by no camera's metadata.
const MOST_EDITS: usize = 20_000;

/// The changes that scrub a file, in its order and apart from each other; none where nothing must go.
///
/// An error means that it can't be done within bounds.
pub(crate) fn edits(
    source: &Source,
    survey: &Survey,
    media_type: MediaType,
    scrub: Scrub,
) -> Result<Vec<Edit>, &'static str> {
    if scrub == Scrub::Keep {
        return Ok(Vec::new());
    }
    if let Some(reason) = survey.stuck {
        return Err(reason);
    }
    let goes = |found: &&Found| !matches!(found.what, What::Harmless | What::Covered) || scrub == Scrub::All;
    let found = survey.found.iter().filter(goes);
    let mut edits = match media_type {
        MediaType::Jpeg => jpeg::edits(source, survey, scrub),
        MediaType::Png | MediaType::Webp | MediaType::Gif | MediaType::Bmp => {
            cut(source, found, media_type, scrub)
        }
        MediaType::Avif | MediaType::Heic | MediaType::Mp4 | MediaType::Mov | MediaType::M4v => {
            found.map(|found| blank_box(source, found, scrub)).collect()
        }
        MediaType::Avi => found.map(|found| junk(source, found)).collect(),
        MediaType::Mkv | MediaType::Webm => found.map(void).collect(),
        MediaType::Tiff => tiff::edits(source, scrub),
    };
    edits.sort_by_key(|edit| (edit.at, std::cmp::Reverse(edit.remove)));
    set_apart(&mut edits);
    edits.retain(|edit| edit.remove != edit.insert.len() as u64 + edit.zeros || !is_there(source, edit));
    if edits.len() > MOST_EDITS {
        return Err("its metadata is in more pieces than can be taken out");
    }
    if media_type == MediaType::Webp && !edits.is_empty() {
        account_for(source, survey, &mut edits);
    }
    Ok(edits)
}

/// Two names for one stretch: blanking it by the first is enough, and of what reaches beyond it the rest is blanked.
fn set_apart(edits: &mut Vec<Edit>) {
    let mut end = 0;
    edits.retain_mut(|edit| {
        let own_end = edit.at + edit.remove;
        if edit.at < end {
            let at = end.min(own_end);
            *edit = overwrite(at..own_end, Vec::new());
        }
        end = end.max(own_end);
        edit.remove > 0 || !edit.insert.is_empty()
    });
}

/// How long a stretch from the beginning of a file is when these changes, all within it, are made.
fn grown(length: u64, edits: &[Edit]) -> Option<u64> {
    let gone: u64 = edits.iter().map(|edit| edit.remove).sum();
    let come: u64 = edits
        .iter()
        .map(|edit| edit.insert.len() as u64 + edit.zeros)
        .sum();
    (length + come).checked_sub(gone)
}

/// Whether the file says there already what it is to say.
fn is_there(source: &Source, edit: &Edit) -> bool {
    let begins = source.up_to(edit.at, edit.insert.len() as u64) == edit.insert;
    let behind = edit.at + edit.insert.len() as u64..edit.at + edit.remove;
    begins && pieces(behind).all(|(at, length)| source.up_to(at, length).iter().all(|byte| *byte == 0))
}

fn pieces(range: Range<u64>) -> impl Iterator<Item = (u64, u64)> {
    const PIECE: u64 = 64 << 10;
    let end = range.end;
    (range.start..end)
        .step_by(usize::try_from(PIECE).unwrap_or(usize::MAX))
        .map(move |at| (at, PIECE.min(end - at)))
}
