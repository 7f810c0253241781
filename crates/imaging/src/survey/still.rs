//! A picture in a video that needs no decoder of videos: its cover, or its first frame where every frame is a picture of a
//! format that is decoded anyway. Motion JPEG holds JPEGs; a key frame of VP8 is a lossy WebP without its wrapper.

use std::ops::Range;

use domain::{Kind, MediaType};

use super::{
    bmff::{Part, find, parts},
    matroska::{self, children, element},
};
use crate::{
    sniff::{SNIFF_BYTES, sniff},
    source::Source,
};

/// The most bytes of a picture in a video.
const MOST_BYTES: u64 = 16 << 20;
/// What is looked at in search of the first frame, at most: parts of the container.
const MOST_LOOKS: usize = 2_000;

/// A picture in a video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Still {
    pub(crate) media_type: MediaType,
    pub(crate) bytes: Vec<u8>,
}

/// The picture that can stand for a video: its cover if it has one, or its first frame. None where that takes a decoder of
/// videos.
pub(crate) fn still(source: &Source, media_type: MediaType) -> Option<Still> {
    match media_type {
        MediaType::Mp4 | MediaType::Mov | MediaType::M4v => of_movie(source),
        MediaType::Mkv | MediaType::Webm => of_matroska(source),
        MediaType::Avi => of_avi(source),
        _ => None,
    }
}

/// The picture at a place.
fn picture(source: &Source, at: Range<u64>) -> Option<Still> {
    let length = at
        .end
        .checked_sub(at.start)
        .filter(|length| *length <= MOST_BYTES)?;
    // Most frames are no pictures: their first bytes say so, and no more of them is read.
    let head = source.up_to(at.start, length.min(SNIFF_BYTES as u64));
    let is_picture = |media_type: &MediaType| media_type.kind() == Kind::Image && media_type.has_variants();
    if let Some(media_type) = sniff(&head).filter(is_picture) {
        let bytes = source.bytes(at.start, length)?;
        return Some(Still { media_type, bytes });
    }
    is_vp8_key_frame(&head)
        .then(|| source.bytes(at.start, length))?
        .map(|frame| Still {
            media_type: MediaType::Webp,
            bytes: webp(&frame),
        })
}

/// A key frame says so in its first bit, and carries this code behind its tag of three bytes.
fn is_vp8_key_frame(head: &[u8]) -> bool {
    head.first().is_some_and(|tag| tag & 1 == 0) && head.get(3..6) == Some(&[0x9d, 0x01, 0x2a])
}

/// The WebP whose pixels are this key frame of VP8.
fn webp(frame: &[u8]) -> Vec<u8> {
    let odd = frame.len() % 2;
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let mut file = Vec::with_capacity(frame.len() + 21);
    file.extend(b"RIFF");
    file.extend(length(12 + frame.len() + odd));
    file.extend(b"WEBPVP8 ");
    file.extend(length(frame.len()));
    file.extend(frame);
    file.extend(&[0][..odd]);
    file
}

fn of_movie(source: &Source) -> Option<Still> {
    let top = parts(source, 0..source.len()).ok()?;
    let movie = find(&top, *b"moov")?.parts(source).ok()?;
    let cover = find(&movie, *b"udta").and_then(|data| cover(source, data));
    cover.and_then(|at| picture(source, at)).or_else(|| {
        let mut tracks = movie.iter().filter(|part| part.kind == *b"trak");
        tracks.find_map(|track| picture(source, first_sample(source, track)?))
    })
}

/// Where a movie's cover is, by its `udta`.
pub(super) fn cover(source: &Source, user_data: &Part) -> Option<Range<u64>> {
    let meta = user_data.part(source, *b"meta").ok()??;
    let inside = parts(source, meta.data.start + 4..meta.data.end).ok()?;
    let cover = find(&inside, *b"ilst")?.part(source, *b"covr").ok()??;
    let data = cover.part(source, *b"data").ok()??;
    // A word for the kind and one for the country.
    (data.length() > 8).then(|| data.data.start + 8..data.data.end)
}

/// Where the first frame of a track of pictures is.
fn first_sample(source: &Source, track: &Part) -> Option<Range<u64>> {
    let media = track.part(source, *b"mdia").ok()??.parts(source).ok()?;
    let handler = find(&media, *b"hdlr").and_then(|part| source.array::<4>(part.data.start + 8));
    if handler != Some(*b"vide") {
        return None;
    }
    let table = find(&media, *b"minf")?
        .part(source, *b"stbl")
        .ok()??
        .parts(source)
        .ok()?;
    let sizes = find(&table, *b"stsz")?.data.start;
    let length = match source.be_u32(sizes + 4)? {
        // Not all alike: the first of the list.
        0 => source.be_u32(sizes + 12)?,
        all => all,
    };
    let at = match find(&table, *b"stco") {
        Some(places) => u64::from(source.be_u32(places.data.start + 8)?),
        None => source.be_u64(find(&table, *b"co64")?.data.start + 8)?,
    };
    Some(at..at.checked_add(u64::from(length))?)
}

fn of_matroska(source: &Source) -> Option<Still> {
    let header = element(source, 0, source.len())?;
    let segment = element(source, header.whole.end, source.len())?;
    let mut at = segment.data.start;
    let (mut cover, mut frame) = (None, None);
    for _ in 0..MOST_LOOKS {
        let Some(part) = element(source, at, segment.data.end) else {
            break;
        };
        match part.id {
            matroska::ATTACHMENTS if cover.is_none() => {
                let mut files = children(source, &part).filter(|file| file.id == matroska::FILE);
                cover = files.find_map(|file| picture(source, attached(source, &file)?));
            }
            matroska::CLUSTER if frame.is_none() => {
                frame = children(source, &part)
                    .take(MOST_LOOKS)
                    .find_map(|block| frame_of(source, &block));
            }
            _ => {}
        }
        // Covers stand before the frames or behind them all.
        if cover.is_some() {
            break;
        }
        at = if part.is_endless {
            part.data.start
        } else {
            part.whole.end
        };
    }
    cover.or(frame)
}

/// The bytes of an attached file that says that it is a picture.
pub(super) fn attached(source: &Source, file: &matroska::Element) -> Option<Range<u64>> {
    let inside = |id| children(source, file).find(|part| part.id == id);
    let mime = inside(matroska::FILE_MIME)?.data;
    source
        .up_to(mime.start, (mime.end - mime.start).min(32))
        .starts_with(b"image/")
        .then(|| inside(matroska::FILE_DATA).map(|part| part.data))?
}

/// The picture in a block, or in a group around one.
fn frame_of(source: &Source, block: &matroska::Element) -> Option<Still> {
    let data = match block.id {
        matroska::SIMPLE_BLOCK => block.data.clone(),
        matroska::BLOCK_GROUP => {
            children(source, block)
                .find(|part| part.id == matroska::BLOCK)?
                .data
        }
        _ => return None,
    };
    // The track's number, mostly one byte; a time of two bytes; flags, of which two say that frames share the block.
    let track = u64::from(source.u8(data.start)?.leading_zeros()) + 1;
    let flags = source.u8(data.start + track + 2)?;
    let frame = data.start + track + 3..data.end;
    (flags & 0x06 == 0).then(|| picture(source, frame))?
}

fn of_avi(source: &Source) -> Option<Still> {
    let mut at = 12;
    let mut end = source.len();
    for _ in 0..MOST_LOOKS {
        let head: [u8; 8] = source.array(at).filter(|_| at + 8 <= end)?;
        let length = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
        let data = at + 8..at + 8 + length;
        let kind = &head[..4];
        let list = source.array::<4>(data.start);
        if kind == b"LIST" && matches!(&list, Some(kind) if [b"movi", b"rec "].contains(&kind)) {
            // What is in it comes next.
            (at, end) = (data.start + 4, data.end.min(source.len()));
            continue;
        }
        // Frames of the first or second stream, compressed or not: `00dc`, `01db`.
        if matches!(kind, [b'0', _, b'd', b'b' | b'c'])
            && let Some(still) = picture(source, data.clone())
        {
            return Some(still);
        }
        at = data.end + length % 2;
    }
    None
}
