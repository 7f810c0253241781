//! Containers in which places are counted from the beginning: what must go is overwritten where it stands.

use std::ops::Range;

use domain::Scrub;

use super::Edit;
use crate::{
    exif::rebuild,
    gain_map::map_packet,
    source::Source,
    survey::{Found, What},
};

/// Makes a box one that everybody passes over, as long as before. What has no head of its own (a time, an item) is overwritten.
pub(super) fn blank_box(source: &Source, found: &Found, scrub: Scrub) -> Edit {
    match found.what {
        What::Exif => return blank_exif(source, found, scrub),
        What::Xmp if found.whole == found.data => return blank_packet(source, found),
        _ if found.whole == found.data => return overwrite(found.whole.clone(), Vec::new()),
        _ => {}
    }
    // Its length, its name, and a longer length where the first one says 1.
    let is_long = source.be_u32(found.whole.start) == Some(1);
    let mut head = source.up_to(found.whole.start, if is_long { 16 } else { 8 });
    if let Some(name) = head.get_mut(4..8) {
        name.copy_from_slice(b"free");
    }
    overwrite(found.whole.clone(), head)
}

/// EXIF at a place that can't move: how far its TIFF header is, then what may stay of it, or a directory without entries, and
/// zeros behind it.
fn blank_exif(source: &Source, found: &Found, scrub: Scrub) -> Edit {
    const HERE: &[u8] = &[0; 4];
    const EMPTY: &[u8] = b"II*\0\x08\0\0\0\0\0\0\0\0\0";
    let length = found.whole.end - found.whole.start;
    let stays = source
        .bytes(found.data.start, found.data.end - found.data.start)
        .and_then(|bytes| rebuild(&Source::Memory(bytes), scrub))
        .map(|stays| [HERE, &stays].concat())
        .filter(|stays| stays.len() as u64 <= length)
        .unwrap_or_else(|| [HERE, EMPTY].concat());
    let fits = stays.len() as u64 <= length;
    overwrite(found.whole.clone(), if fits { stays } else { Vec::new() })
}

/// A packet of XMP at a place that can't move: what a gain map says by it, or a packet that says nothing, and spaces.
fn blank_packet(source: &Source, found: &Found) -> Edit {
    const EMPTY: &[u8] = b"<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"/></x:xmpmeta>";
    const LONGEST: u64 = 64 << 10;
    let length = found.whole.end - found.whole.start;
    let mut stays = (length <= LONGEST)
        .then(|| found.content(source))
        .flatten()
        .and_then(|packet| map_packet(&packet))
        .unwrap_or_else(|| EMPTY.to_vec());
    if stays.len() as u64 > length {
        return overwrite(found.whole.clone(), Vec::new());
    }
    if length <= LONGEST {
        stays.resize(usize::try_from(length).unwrap_or_default(), b' ');
    }
    overwrite(found.whole.clone(), stays)
}

/// Zeros in place of a stretch, behind what comes first.
pub(super) fn overwrite(range: Range<u64>, insert: Vec<u8>) -> Edit {
    let length = range.end - range.start;
    Edit {
        at: range.start,
        remove: length,
        zeros: length.saturating_sub(insert.len() as u64),
        insert,
    }
}

/// A chunk of an AVI becomes one that everybody passes over.
pub(super) fn junk(source: &Source, found: &Found) -> Edit {
    if found.whole == found.data {
        return overwrite(found.whole.clone(), Vec::new());
    }
    let mut head = source.up_to(found.whole.start, 8);
    if let Some(name) = head.get_mut(..4) {
        name.copy_from_slice(b"JUNK");
    }
    overwrite(found.whole.clone(), head)
}

/// An element of Matroska becomes one that everybody passes over: a Void of the same length.
pub(super) fn void(found: &Found) -> Edit {
    if found.whole == found.data {
        return overwrite(found.whole.clone(), Vec::new());
    }
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
