use std::ops::Range;

use jiff::Timestamp;

use super::{
    Fault, Survey, What,
    bmff::{Part, find, parts},
    covers, fragments, tracks,
};
use crate::{
    dates::{of_iso, of_seconds_since},
    source::Source,
};
use domain::{Camera, Taken, TakenSource};

const XMP_ID: [u8; 16] = [
    0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac,
];
/// Which way is which in a film that is seen all around, as cameras of 2016 said it.
const SPHERE_ID: [u8; 16] = [
    0xff, 0xcc, 0x82, 0x63, 0xf8, 0x55, 0x4a, 0x93, 0x88, 0x14, 0x58, 0x7a, 0x02, 0x52, 0x1f, 0xdd,
];
const NO_VIDEO: Fault = Fault::Body("it holds no video");

/// MP4, MOV and M4V: the movie's header and its tracks.
pub(super) fn survey(source: &Source, now: Timestamp) -> Result<Survey, Fault> {
    let top = parts(source, 0..source.len())?;
    let movie = find(&top, *b"moov").ok_or(Fault::Header)?;
    if !top.iter().any(|part| matches!(&part.kind, b"mdat" | b"moof")) {
        return Err(Fault::Body("it holds no pictures"));
    }
    let mut survey = Survey {
        frames: 1,
        ..Survey::default()
    };
    metadata(source, &top, TOP, &mut survey);
    fragments::survey(source, &top, &mut survey)?;
    let is_in_fragments = top.iter().any(|part| part.kind == *b"moof");
    let dimensions = read_movie(source, movie, now, &mut survey)?.ok_or(NO_VIDEO)?;
    if is_in_fragments && survey.drops_tracks {
        survey.stuck = Some(tracks::IN_FRAGMENTS);
    }
    // A track without dimensions is drawn by what its codec says.
    survey.dimensions = (dimensions.0 > 0 && dimensions.1 > 0).then_some(dimensions);
    Ok(survey)
}

/// What a `moov` says: dates and metadata go into the survey; the dimensions of the first track of pictures come back.
pub(super) fn read_movie(
    source: &Source,
    movie: &Part,
    now: Timestamp,
    survey: &mut Survey,
) -> Result<Option<(u32, u32)>, Fault> {
    let inside = movie.parts(source)?;
    let header = find(&inside, *b"mvhd").ok_or(Fault::Body("the movie has no header"))?;
    survey.taken = told_in_words(source, &inside, now).or_else(|| created(source, header, now));
    survey.camera = camera(source, &inside);
    date(source, header, survey);
    metadata(source, &inside, MOVIE, survey);
    fragments::extends(source, &inside, survey)?;
    let mut dimensions = None;
    for track in inside.iter().filter(|part| part.kind == *b"trak") {
        let found = read_track(source, track, survey)?;
        dimensions = dimensions.or(found);
    }
    Ok(dimensions)
}

/// What a film needs of the boxes of a file, of a movie, of a track, of its media.
///
/// SECURITY: lists of what may stay: what nobody here knows may say anything.
const TOP: &[[u8; 4]] = &[
    *b"ftyp", *b"styp", *b"moov", *b"moof", *b"mdat", *b"mfra", *b"sidx", *b"ssix", *b"pdin",
];
const MOVIE: &[[u8; 4]] = &[*b"mvhd", *b"trak", *b"mvex", *b"iods", *b"pssh"];
const TRACK: &[[u8; 4]] = &[
    *b"tkhd", *b"tref", *b"trgr", *b"edts", *b"mdia", *b"tapt", *b"load", *b"txas", *b"ludt",
];
const MEDIA: &[[u8; 4]] = &[*b"mdhd", *b"hdlr", *b"minf", *b"elng"];
const INFORMATION: &[[u8; 4]] = &[
    *b"vmhd", *b"smhd", *b"hmhd", *b"sthd", *b"nmhd", *b"gmhd", *b"hdlr", *b"dinf", *b"stbl",
];
const TABLES: &[[u8; 4]] = &[
    *b"stsd", *b"stts", *b"ctts", *b"cslg", *b"stsc", *b"stsz", *b"stz2", *b"stco", *b"co64", *b"stss",
    *b"stsh", *b"stps", *b"padb", *b"stdp", *b"sdtp", *b"sbgp", *b"sgpd", *b"subs", *b"saiz", *b"saio",
    *b"senc",
];

/// Boxes that are not needed among these, and what stands in the free places between them.
pub(super) fn metadata(source: &Source, parts: &[Part], needed: &[[u8; 4]], survey: &mut Survey) {
    for part in parts {
        let id = || source.array::<16>(part.data.start);
        match &part.kind {
            b"udta" => covers::user_data(source, part, survey),
            // When it was recorded, by the recorder's clock.
            b"prft" => survey.find(What::Harmless, part.whole.clone(), part.data.clone()),
            b"free" | b"skip" | b"wide" => survey.find_bytes(What::Other, part.data.clone()),
            b"uuid" if id() == Some(XMP_ID) => {
                survey.find(What::Xmp, part.whole.clone(), part.data.start + 16..part.data.end);
            }
            b"uuid" if id() == Some(SPHERE_ID) => {
                survey.find(What::Harmless, part.whole.clone(), part.data.clone());
            }
            kind if needed.contains(kind) => {}
            _ => survey.find(What::Other, part.whole.clone(), part.data.clone()),
        }
    }
}

fn read_track(source: &Source, track: &Part, survey: &mut Survey) -> Result<Option<(u32, u32)>, Fault> {
    let inside = track.parts(source)?;
    let header = find(&inside, *b"tkhd").ok_or(Fault::Body("a track has no header"))?;
    let media = find(&inside, *b"mdia")
        .ok_or(Fault::Body("a track has no media"))?
        .parts(source)?;
    let handler = find(&media, *b"hdlr");
    let kind = handler.and_then(|part| source.array::<4>(part.data.start + 8));
    let information = find(&media, *b"minf")
        .map(|part| part.parts(source))
        .transpose()?
        .unwrap_or_default();
    let table = find(&information, *b"stbl");
    if let Some(table) = table {
        check_table(source, table)?;
    }
    if tracks::find_if_metadata(source, track, kind.unwrap_or_default(), table, survey)? {
        return Ok(None);
    }
    metadata(source, &inside, TRACK, survey);
    metadata(source, &media, MEDIA, survey);
    metadata(source, &information, INFORMATION, survey);
    if let Some(table) = table {
        metadata(source, &table.parts(source)?, TABLES, survey);
    }
    date(source, header, survey);
    if let Some(header) = find(&media, *b"mdhd") {
        date(source, header, survey);
    }
    for handler in handler.into_iter().chain(find(&information, *b"hdlr")) {
        survey.find_bytes(What::Other, name_of(handler));
    }
    if kind != Some(*b"vide") {
        return Ok(None);
    }
    // Both are the last words of the box, with sixteen bits of fraction.
    let end = header.data.end;
    let side = |from_end: u64| {
        end.checked_sub(from_end)
            .and_then(|at| source.be_u32(at))
            .unwrap_or_default()
            >> 16
    };
    Ok(Some((side(8), side(4))))
}

/// Where the name of a handler is: behind its version, its kind and what is reserved. Anybody may have given it.
pub(super) fn name_of(handler: &Part) -> Range<u64> {
    let name = handler.data.start + 24;
    name.min(handler.data.end)..handler.data.end
}

/// SECURITY: a player that believes a count reserves memory for it; each must be there.
fn check_table(source: &Source, table: &Part) -> Result<(), Fault> {
    for part in table.parts(source)? {
        let (count_at, each) = match &part.kind {
            b"stsz" if source.be_u32(part.data.start + 4) == Some(0) => (8, 4),
            b"stco" | b"stss" => (4, 4),
            b"stts" | b"ctts" | b"co64" => (4, 8),
            b"stsc" => (4, 12),
            _ => continue,
        };
        let count = u64::from(source.be_u32(part.data.start + count_at).unwrap_or(u32::MAX));
        if count * each + count_at + 4 > part.length() {
            return Err(Fault::Body("a table of it promises more than it holds"));
        }
    }
    Ok(())
}

/// The times of a header: of its creation and of its last change.
fn date(source: &Source, header: &Part, survey: &mut Survey) {
    let length = if source.u8(header.data.start) == Some(1) {
        16
    } else {
        8
    };
    let times = header.data.start + 4..header.data.start + 4 + length;
    if times.end <= header.data.end {
        survey.find(What::Harmless, times.clone(), times);
    }
}

fn created(source: &Source, header: &Part, now: Timestamp) -> Option<Taken> {
    let at = header.data.start + 4;
    let seconds = if source.u8(header.data.start) == Some(1) {
        i64::try_from(source.be_u64(at)?).ok()?
    } else {
        i64::from(source.be_u32(at)?)
    };
    of_seconds_since(1904, seconds, now)
}

/// The date that knows its zone: `QuickTime`'s `creationdate`, or the older `©day`.
fn told_in_words(source: &Source, movie: &[Part], now: Timestamp) -> Option<Taken> {
    let text = named(source, movie, b"com.apple.quicktime.creationdate")
        .or_else(|| user_word(source, movie, *b"\xa9day"))?;
    of_iso(&text, TakenSource::Container, now)
}

/// Who made the camera and what it is called, in the words of `QuickTime`, of Android, or in the older ones.
fn camera(source: &Source, movie: &[Part]) -> Option<Camera> {
    let told = |apples: &[u8], androids: &[u8], older| {
        named(source, movie, apples)
            .or_else(|| named(source, movie, androids))
            .or_else(|| user_word(source, movie, older))
    };
    let make = told(
        b"com.apple.quicktime.make",
        b"com.android.manufacturer",
        *b"\xa9mak",
    );
    let model = told(b"com.apple.quicktime.model", b"com.android.model", *b"\xa9mod");
    (make.is_some() || model.is_some()).then(|| Camera {
        make,
        model,
        ..Camera::default()
    })
}

/// Words of either kind, longer than which no date and no name is.
const LONGEST_WORDS: u64 = 64;

/// What a movie's `udta` says under a kind of four letters.
fn user_word(source: &Source, movie: &[Part], kind: [u8; 4]) -> Option<String> {
    let word = find(movie, *b"udta")?.part(source, kind).ok()??;
    let length = u64::from(source.be_u16(word.data.start)?).min(LONGEST_WORDS);
    let end = word.data.start.checked_add(4 + length)?;
    let bytes = (end <= word.data.end).then(|| source.bytes(word.data.start + 4, length))??;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a movie's `meta` says under a name.
fn named(source: &Source, movie: &[Part], name: &[u8]) -> Option<String> {
    const MOST_KEYS: u32 = 256;
    let meta = find(movie, *b"meta")?;
    // QuickTime's box begins with boxes, MPEG's with its version.
    let inside = meta
        .parts(source)
        .ok()
        .filter(|inside| find(inside, *b"keys").is_some())
        .or_else(|| parts(source, meta.data.start + 4..meta.data.end).ok())?;
    let keys = find(&inside, *b"keys")?;
    let names = parts(source, keys.data.start + 8..keys.data.end).ok()?;
    let place = names
        .iter()
        .position(|known| source.bytes(known.data.start, known.length().min(256)).as_deref() == Some(name))?;
    let index = u32::try_from(place + 1)
        .ok()
        .filter(|index| *index <= MOST_KEYS)?;
    let item = find(&inside, *b"ilst")?
        .part(source, index.to_be_bytes())
        .ok()??;
    let data = item.part(source, *b"data").ok()??;
    let length = data.length().saturating_sub(8).min(LONGEST_WORDS);
    let bytes = source.bytes(data.data.start + 8, length)?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
