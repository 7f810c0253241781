use std::ops::Range;

use jiff::Timestamp;

use super::{CUT_OFF, Fault, MOST_PARTS, Survey, TOO_MANY_PARTS, What, covers};
use crate::{dates::of_seconds_since, source::Source};

const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
pub(super) const CLUSTER: u32 = 0x1f43_b675;
pub(super) const SIMPLE_BLOCK: u32 = 0xa3;
pub(super) const BLOCK_GROUP: u32 = 0xa0;
pub(super) const BLOCK: u32 = 0xa1;
const INFO: u32 = 0x1549_a966;
const TRACKS: u32 = 0x1654_ae6b;
pub(super) const ATTACHMENTS: u32 = 0x1941_a469;
/// One file among them, and what is said of it.
pub(super) const FILE: u32 = 0x61a7;
pub(super) const FILE_NAME: u32 = 0x466e;
pub(super) const FILE_MIME: u32 = 0x4660;
pub(super) const FILE_DATA: u32 = 0x465c;
pub(super) const FILE_UID: u32 = 0x46ae;
const CHAPTERS: u32 = 0x1043_a770;
const DATE: u32 = 0x4461;
const CHECKSUM: u32 = 0xbf;
const FILLER: u32 = 0xec;
const TRACK_NAME: u32 = 0x536e;
/// Programs: the one that wrote the container, the one that asked for it.
const PROGRAMS: &[u32] = &[0x4d80, 0x5741];
/// What `Info` needs besides: the scale of time, the duration, what belongs together.
const INFO_NEEDS: &[u32] = &[0x002a_d7b1, 0x4489, 0x73a4, 0x4444, 0x6924];
/// What a segment needs besides: where things are, and what clusters without an end consist of.
const SEGMENT_NEEDS: &[u32] = &[
    0x114d_9b74,
    0x1c53_bb6b,
    0xe7,
    0xa3,
    0xa0,
    0xab,
    0xa7,
    0xaf,
    0x5854,
];
const TRACK: u32 = 0xae;
const VIDEO: u32 = 0xe0;
const WIDTH: u32 = 0xb0;
const HEIGHT: u32 = 0xba;

/// One element. Its end is its parent's where its length is unknown, as live recordings leave it.
pub(super) struct Element {
    pub(super) id: u32,
    pub(super) whole: Range<u64>,
    pub(super) data: Range<u64>,
    pub(super) is_endless: bool,
}

/// Matroska and `WebM`: what the segment says about itself, and that there are pictures.
pub(super) fn survey(source: &Source, now: Timestamp) -> Result<Survey, Fault> {
    let header = element(source, 0, source.len())
        .filter(|header| header.id == EBML)
        .ok_or(Fault::Header)?;
    let segment = element(source, header.whole.end, source.len())
        .filter(|segment| segment.id == SEGMENT)
        .ok_or(Fault::Header)?;
    let mut survey = Survey {
        frames: 1,
        ..Survey::default()
    };
    let mut has_pictures = false;
    let mut at = segment.data.start;
    for _ in 0..MOST_PARTS {
        let Some(part) = element(source, at, segment.data.end) else {
            break;
        };
        if part.whole.end > source.len() {
            return Err(CUT_OFF);
        }
        match part.id {
            CLUSTER => has_pictures = true,
            INFO => information(source, &part, now, &mut survey),
            TRACKS => {
                survey.dimensions = survey.dimensions.or_else(|| video(source, &part));
                names(source, &part, &mut survey);
            }
            FILLER => survey.find_bytes(What::Other, part.data.clone()),
            CHAPTERS => survey.find(What::Harmless, part.whole.clone(), part.data.clone()),
            id if SEGMENT_NEEDS.contains(&id) => {}
            // Up to the end of the file: what comes after it can't be told from it.
            _ if part.is_endless => survey.stuck = Some("metadata in it can't be taken out: it has no end"),
            ATTACHMENTS => covers::attachments(source, &part, &mut survey),
            // Tags, and what nobody here knows.
            _ => survey.find(What::Other, part.whole.clone(), part.data.clone()),
        }
        // What is endless holds what comes next.
        at = if part.is_endless {
            part.data.start
        } else {
            part.whole.end
        };
    }
    if at + 12 < segment.data.end && element(source, at, segment.data.end).is_some() {
        return Err(TOO_MANY_PARTS);
    }
    match survey.dimensions {
        None => Err(Fault::Header),
        Some(_) if !has_pictures => Err(CUT_OFF),
        Some(_) => Ok(survey),
    }
}

fn information(source: &Source, part: &Element, now: Timestamp, survey: &mut Survey) {
    for element in children(source, part) {
        match element.id {
            DATE => {
                if let Some(nanoseconds) = source.be_u64(element.data.start) {
                    let seconds = nanoseconds.cast_signed() / 1_000_000_000;
                    survey.taken = of_seconds_since(2001, seconds, now);
                }
                survey.find(What::Harmless, element.whole, element.data);
            }
            FILLER => survey.find_bytes(What::Other, element.data),
            id if PROGRAMS.contains(&id) => survey.find(What::Harmless, element.whole, element.data),
            id if INFO_NEEDS.contains(&id) => {}
            // Title, names of files, and a sum that would no longer hold without them.
            _ => survey.find(What::Other, element.whole, element.data),
        }
    }
}

/// The names that tracks were given, and a sum over them.
fn names(source: &Source, tracks: &Element, survey: &mut Survey) {
    for element in children(source, tracks) {
        match element.id {
            FILLER => survey.find_bytes(What::Other, element.data),
            CHECKSUM => survey.find(What::Other, element.whole, element.data),
            TRACK => {
                let inside = children(source, &element);
                for part in inside.filter(|part| matches!(part.id, TRACK_NAME | CHECKSUM)) {
                    survey.find(What::Other, part.whole, part.data);
                }
            }
            _ => {}
        }
    }
}

fn video(source: &Source, tracks: &Element) -> Option<(u32, u32)> {
    children(source, tracks)
        .filter(|track| track.id == TRACK)
        .find_map(|track| {
            let video = children(source, &track).find(|part| part.id == VIDEO)?;
            let side = |id| {
                let element = children(source, &video).find(|part| part.id == id)?;
                let bytes =
                    source.bytes(element.data.start, (element.data.end - element.data.start).min(4))?;
                Some(
                    bytes
                        .iter()
                        .fold(0_u32, |number, byte| number << 8 | u32::from(*byte)),
                )
            };
            side(WIDTH).zip(side(HEIGHT))
        })
}

pub(super) fn children<'a>(source: &'a Source, parent: &Element) -> impl Iterator<Item = Element> + 'a {
    let (mut at, end) = (parent.data.start, parent.data.end);
    std::iter::from_fn(move || {
        let element = element(source, at, end)?;
        at = element.whole.end;
        Some(element)
    })
    .take(MOST_PARTS)
}

pub(super) fn element(source: &Source, at: u64, end: u64) -> Option<Element> {
    let head = source.up_to(at, 12.min(end.checked_sub(at)?));
    let id_length = head.first()?.leading_zeros() as usize + 1;
    let id = head.get(..id_length).filter(|_| id_length <= 4)?;
    let id = id.iter().fold(0_u32, |id, byte| id << 8 | u32::from(*byte));
    let first = *head.get(id_length)?;
    let length_length = first.leading_zeros() as usize + 1;
    let bytes = head
        .get(id_length..id_length + length_length)
        .filter(|_| length_length <= 8)?;
    let mask = (1_u64 << (7 * length_length)) - 1;
    let length = bytes
        .iter()
        .fold(0_u64, |length, byte| length << 8 | u64::from(*byte))
        & mask;
    let data = at + (id_length + length_length) as u64;
    let is_endless = length == mask;
    let data_end = if is_endless {
        end
    } else {
        data.checked_add(length)?
    };
    Some(Element {
        id,
        whole: at..data_end,
        data: data..data_end,
        is_endless,
    })
}
