//! Covers among the metadata of videos. What stands beside a cover goes with all other metadata; the cover itself is a picture
//! that somebody chose, and stays as long as nothing is in it but a picture.

use std::ops::Range;

use super::{
    Survey, What,
    bmff::{Part, parts},
    jpeg,
    matroska::{ATTACHMENTS, Element, FILE, FILE_DATA, FILE_MIME, FILE_NAME, FILE_UID, children},
    movie::name_of,
    png,
    still::{attached, cover},
};
use crate::{
    sniff::{SNIFF_BYTES, sniff},
    source::Source,
};
use domain::MediaType;

/// What a cover is called in Matroska; any other name may tell something.
const COVER_NAMES: [&[u8]; 8] = [
    b"cover.jpg",
    b"cover.jpeg",
    b"cover.png",
    b"cover_land.jpg",
    b"cover_land.png",
    b"small_cover.jpg",
    b"small_cover.png",
    b"cover",
];

/// A movie's `udta`: all of it is metadata, but a harmless cover is told apart.
pub(super) fn user_data(source: &Source, data: &Part, survey: &mut Survey) {
    let is_harmless = cover(source, data).is_some_and(|at| is_harmless(source, at));
    let beside = is_harmless.then(|| beside_cover(source, data)).flatten();
    let Some(others) = beside else {
        survey.find(What::Other, data.whole.clone(), data.data.clone());
        return;
    };
    survey.find(What::Covered, data.whole.clone(), data.data.clone());
    for other in others.into_iter().filter(|other| !other.whole.is_empty()) {
        survey.find(What::Other, other.whole, other.data);
    }
}

/// Every box beside the cover and beside those that it is in.
fn beside_cover(source: &Source, data: &Part) -> Option<Vec<Part>> {
    let mut others = Vec::new();
    let mut descend = |inside: Vec<Part>, kind: [u8; 4]| {
        let mut way = None;
        for part in inside {
            if part.kind == kind && way.is_none() {
                way = Some(part);
            } else if part.kind == *b"hdlr" {
                // Without its handler nobody reads the rest; its name is nobody's business.
                let name = name_of(&part);
                others.push(Part {
                    whole: name.clone(),
                    data: name,
                    ..part
                });
            } else {
                others.push(part);
            }
        }
        way
    };
    let meta = descend(data.parts(source).ok()?, *b"meta")?;
    let list = descend(parts(source, meta.data.start + 4..meta.data.end).ok()?, *b"ilst")?;
    let cover = descend(list.parts(source).ok()?, *b"covr")?;
    // One picture, and nothing that hides behind it.
    let inside = cover.parts(source).ok()?;
    let is_whole = matches!(inside.as_slice(), [only] if only.kind == *b"data" && only.whole == cover.data);
    is_whole.then_some(others)
}

/// Matroska's attachments: fonts, notes, covers. Only harmless covers are told apart.
pub(super) fn attachments(source: &Source, all: &Element, survey: &mut Survey) {
    debug_assert_eq!(all.id, ATTACHMENTS, "only these are asked about");
    let files: Vec<Element> = children(source, all).collect();
    if !files.iter().any(|file| is_cover(source, file)) {
        survey.find(What::Other, all.whole.clone(), all.data.clone());
        return;
    }
    survey.find(What::Covered, all.whole.clone(), all.data.clone());
    for other in files.into_iter().filter(|file| !is_cover(source, file)) {
        survey.find(What::Other, other.whole, other.data);
    }
}

fn is_cover(source: &Source, file: &Element) -> bool {
    let says_no_more = children(source, file).all(|part| match part.id {
        FILE_MIME | FILE_DATA | FILE_UID => true,
        FILE_NAME => {
            let name = source.up_to(part.data.start, (part.data.end - part.data.start).min(64));
            COVER_NAMES.contains(&name.as_slice())
        }
        _ => false,
    });
    let data = (file.id == FILE).then(|| attached(source, file)).flatten();
    says_no_more && data.is_some_and(|at| is_harmless(source, at))
}

/// SECURITY: a cover may be a photograph with a place of its own. Only one that has no metadata at all stays.
fn is_harmless(source: &Source, at: Range<u64>) -> bool {
    let Some(bytes) = source.bytes(at.start, at.end.saturating_sub(at.start)) else {
        return false;
    };
    let media_type = sniff(&bytes[..bytes.len().min(SNIFF_BYTES)]);
    let picture = Source::Memory(bytes);
    let survey = match media_type {
        Some(MediaType::Jpeg) => jpeg::survey(&picture),
        Some(MediaType::Png) => png::survey(&picture),
        _ => return false,
    };
    survey.is_ok_and(|survey| survey.found.is_empty())
}
