//! What must be cut out of a file, or blanked where a cut would move what others point to. No pixel is touched.

use std::ops::Range;

use domain::{MediaType, Scrub};
use serde::{Deserialize, Serialize};

use crate::{
    exif::rebuild,
    ifd::Tiff,
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
const MOST_EDITS: usize = 10_000;

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
    let goes = |found: &&Found| !matches!(found.what, What::Date | What::Covered) || scrub == Scrub::All;
    let found = survey.found.iter().filter(goes);
    let mut edits = match media_type {
        MediaType::Jpeg | MediaType::Png | MediaType::Webp | MediaType::Gif => {
            cut(source, found, media_type, scrub)
        }
        MediaType::Avif | MediaType::Heic | MediaType::Mp4 | MediaType::Mov | MediaType::M4v => {
            found.map(|found| blank_box(source, found, scrub)).collect()
        }
        MediaType::Avi => found.map(|found| junk(source, found)).collect(),
        MediaType::Mkv | MediaType::Webm => found.map(void).collect(),
        MediaType::Tiff => blank_directories(source, scrub),
        MediaType::Bmp => Vec::new(),
    };
    edits.sort_by_key(|edit| edit.at);
    // Two names for one stretch: blanking the first is enough.
    let mut end = 0;
    edits.retain(|edit| {
        let is_apart = edit.at >= end;
        end = end.max(edit.at + edit.remove);
        is_apart
    });
    edits.retain(|edit| edit.remove != edit.insert.len() as u64 + edit.zeros || !is_there(source, edit));
    if edits.len() > MOST_EDITS {
        return Err("its metadata is in more pieces than can be taken out");
    }
    if media_type == MediaType::Webp && !edits.is_empty() {
        account_for(source, survey, &mut edits);
    }
    Ok(edits)
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

/// Containers in which nothing points to anything: metadata is cut out, the first EXIF makes place for what may stay of it.
fn cut<'a>(
    source: &Source,
    found: impl Iterator<Item = &'a Found>,
    media_type: MediaType,
    scrub: Scrub,
) -> Vec<Edit> {
    let mut has_exif = false;
    found
        .map(|found| {
            let is_first_exif = found.what == What::Exif && !std::mem::replace(&mut has_exif, true);
            let stays = is_first_exif
                .then(|| source.bytes(found.data.start, found.data.end - found.data.start))
                .flatten()
                .and_then(|bytes| rebuild(&Source::Memory(bytes), scrub))
                .map(|exif| wrap(media_type, &exif))
                .unwrap_or_default();
            Edit {
                at: found.whole.start,
                remove: found.whole.end - found.whole.start,
                insert: stays,
                zeros: 0,
            }
        })
        .collect()
}

/// EXIF as its container holds it.
fn wrap(media_type: MediaType, exif: &[u8]) -> Vec<u8> {
    let length = u32::try_from(exif.len()).unwrap_or_default();
    match media_type {
        MediaType::Jpeg => {
            // What may stay of EXIF is far below the 64 KiB of a segment.
            let length = u16::try_from(exif.len() + 8).unwrap_or(u16::MAX).to_be_bytes();
            [&[0xff, 0xe1], &length[..], b"Exif\0\0", exif].concat()
        }
        MediaType::Png => {
            let body = [b"eXIf", exif].concat();
            [&length.to_be_bytes()[..], &body, &crc(&body).to_be_bytes()].concat()
        }
        MediaType::Webp => [b"EXIF", &length.to_le_bytes()[..], exif, &[0][..exif.len() % 2]].concat(),
        _ => Vec::new(),
    }
}

/// PNG's sum of a chunk.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

/// WebP says in its head how long it is, and which metadata it has.
fn account_for(source: &Source, survey: &Survey, edits: &mut Vec<Edit>) {
    const EXIF_FLAG: u8 = 1 << 3;
    const XMP_FLAG: u8 = 1 << 2;
    let Some(size) = source.le_u32(4) else { return };
    let end = u64::from(size) + 8;
    let within = edits.iter().filter(|edit| edit.at < end);
    let (mut gone, mut come, mut has_exif) = (0, 0, false);
    for edit in within {
        gone += edit.remove;
        come += edit.insert.len() as u64;
        has_exif |= !edit.insert.is_empty();
    }
    let mut exif = survey.found.iter().filter(|found| found.what == What::Exif);
    let kept_exif = exif.any(|found| edits.iter().all(|edit| edit.at != found.whole.start));
    let mut head = vec![Edit {
        at: 4,
        remove: 4,
        insert: u32::try_from(u64::from(size) + come - gone)
            .unwrap_or(size)
            .to_le_bytes()
            .to_vec(),
        zeros: 0,
    }];
    if let Some(flags) = source.u8(20).filter(|_| source.array(12) == Some(*b"VP8X")) {
        let mut flags = flags & !XMP_FLAG & !EXIF_FLAG;
        if has_exif || kept_exif {
            flags |= EXIF_FLAG;
        }
        head.push(Edit {
            at: 20,
            remove: 1,
            insert: vec![flags],
            zeros: 0,
        });
    }
    edits.splice(0..0, head);
}

/// Makes a box one that everybody passes over, as long as before. What has no head of its own (a time, an item) is overwritten.
fn blank_box(source: &Source, found: &Found, scrub: Scrub) -> Edit {
    if found.what == What::Exif {
        return blank_exif(source, found, scrub);
    }
    if found.whole == found.data {
        return overwrite(found.whole.clone(), Vec::new());
    }
    // Its length, its name, and a longer length where the first one says 1.
    let is_long = source.be_u32(found.whole.start) == Some(1);
    let mut head = source.up_to(found.whole.start, if is_long { 16 } else { 8 });
    if let Some(name) = head.get_mut(4..8) {
        name.copy_from_slice(b"free");
    }
    overwrite(found.whole.clone(), head)
}

/// EXIF at a place that can't move: what may stay of it, or a directory without entries, and zeros behind it.
fn blank_exif(source: &Source, found: &Found, scrub: Scrub) -> Edit {
    const EMPTY: &[u8] = b"II*\0\x08\0\0\0\0\0\0\0\0\0";
    let length = found.data.end - found.data.start;
    let stays = source
        .bytes(found.data.start, length)
        .and_then(|bytes| rebuild(&Source::Memory(bytes), scrub))
        .filter(|stays| stays.len() as u64 <= length)
        .unwrap_or_else(|| EMPTY.to_vec());
    let fits = stays.len() as u64 <= length;
    overwrite(found.data.clone(), if fits { stays } else { Vec::new() })
}

fn overwrite(range: Range<u64>, insert: Vec<u8>) -> Edit {
    let length = range.end - range.start;
    Edit {
        at: range.start,
        remove: length,
        zeros: length.saturating_sub(insert.len() as u64),
        insert,
    }
}

/// A chunk of an AVI becomes one that everybody passes over.
fn junk(source: &Source, found: &Found) -> Edit {
    let mut head = source.up_to(found.whole.start, 8);
    if let Some(name) = head.get_mut(..4) {
        name.copy_from_slice(b"JUNK");
    }
    overwrite(found.whole.clone(), head)
}

/// An element of Matroska becomes one that everybody passes over: a Void of the same length.
fn void(found: &Found) -> Edit {
    let length = found.whole.end - found.whole.start;
    let head = match u8::try_from(length.saturating_sub(2)) {
        Ok(short) if short < 127 => vec![0xec, 0x80 | short],
        _ => {
            let mut head = vec![0xec];
            head.extend((length.saturating_sub(9) | 1 << 56).to_be_bytes());
            head
        }
    };
    overwrite(found.whole.clone(), head)
}

/// A TIFF's pixels are found by places in the file, so nothing in it moves: values are overwritten where they stand.
fn blank_directories(source: &Source, scrub: Scrub) -> Vec<Edit> {
    /// Words, names, XMP, IPTC, Photoshop's resources, what Windows adds, maker's note, comment, numbers and names of the device.
    const TELLING: &[u16] = &[
        0x010d, 0x010e, 0x013b, 0x013c, 0x02bc, 0x8298, 0x83bb, 0x8649, 0x9c9b, 0x9c9c, 0x9c9d, 0x9c9e,
        0x9c9f, 0x927c, 0x9286, 0xa420, 0xa430, 0xa431, 0xa435, 0xc62f, 0xc614,
    ];
    /// What else goes when all must go: maker, model, program, times.
    const ALL: &[u16] = &[
        0x010f, 0x0110, 0x0131, 0x0132, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0xa432, 0xa433, 0xa434,
    ];
    const EXIF: u16 = 0x8769;
    const GPS: u16 = 0x8825;
    const MOST_PAGES: usize = 2_000;
    let Some(tiff) = Tiff::open(source) else {
        return Vec::new();
    };
    let mut edits = Vec::new();
    let mut at = tiff.first;
    for _ in 0..MOST_PAGES {
        let Some(page) = tiff.directory(at).filter(|_| at != 0) else {
            break;
        };
        let inner = |tag| {
            page.find(tag)
                .and_then(|entry| tiff.number(entry))
                .and_then(|at| tiff.directory(at))
        };
        let exposure = inner(EXIF).unwrap_or_default();
        let goes = |tag: u16| TELLING.contains(&tag) || scrub == Scrub::All && ALL.contains(&tag);
        let telling = page
            .entries
            .iter()
            .chain(&exposure.entries)
            .filter(|entry| goes(entry.tag));
        edits.extend(telling.map(|entry| overwrite(entry.at..entry.at + entry.length, Vec::new())));
        let place = inner(GPS).unwrap_or_default();
        edits.extend(
            place
                .entries
                .iter()
                .map(|entry| overwrite(entry.at..entry.at + entry.length, Vec::new())),
        );
        at = page.next;
    }
    edits
}
