use std::ops::Range;

use jiff::Timestamp;

use super::{
    CUT_OFF, Fault, Survey, What,
    bmff::{Part, find, parts},
    movie::{metadata, read_movie},
};
use crate::source::Source;

/// More items than this no honest file has: a picture of 16,384 pixels a side in tiles of 256 has 4,096.
const MOST_ITEMS: u64 = 20_000;
/// What a picture needs of the boxes of its file.
const FILE: &[[u8; 4]] = &[*b"ftyp", *b"meta", *b"mdat", *b"moov", *b"idat"];
/// What a picture needs of the boxes of its `meta`.
const META: &[[u8; 4]] = &[
    *b"hdlr", *b"pitm", *b"iinf", *b"iloc", *b"iprp", *b"iref", *b"idat", *b"dinf", *b"grpl", *b"ipro",
];
const NO_META: Fault = Fault::Body("it lacks the box that says what is in it");

/// One thing in the file.
struct Item {
    id: u32,
    kind: [u8; 4],
    /// Of `mime` items.
    content_type: Vec<u8>,
}

/// AVIF and HEIC: their boxes. Nothing here decodes their pixels.
pub(super) fn survey(source: &Source, now: Timestamp) -> Result<Survey, Fault> {
    let top = parts(source, 0..source.len())?;
    if find(&top, *b"ftyp").is_none() {
        return Err(Fault::Header);
    }
    let mut survey = Survey {
        frames: 1,
        ..Survey::default()
    };
    metadata(source, &top, FILE, &mut survey);
    let movie = find(&top, *b"moov");
    if let Some(movie) = movie {
        let dimensions = read_movie(source, movie, now, &mut survey)?;
        survey.dimensions = dimensions;
        survey.frames = samples(source, movie)?.unwrap_or(1);
        let (width, height) = dimensions.unwrap_or_default();
        survey.frame_pixels = (u64::from(width) * u64::from(height)).saturating_mul(survey.frames);
    }
    match find(&top, *b"meta") {
        Some(meta) => read_meta(source, meta, &mut survey)?,
        None if movie.is_some() => {}
        None => return Err(Fault::Header),
    }
    if survey.dimensions.is_none() {
        return Err(Fault::Header);
    }
    Ok(survey)
}

fn read_meta(source: &Source, meta: &Part, survey: &mut Survey) -> Result<(), Fault> {
    let inside = parts(source, meta.data.start + 4..meta.data.end)?;
    let items = items(source, find(&inside, *b"iinf").ok_or(NO_META)?)?;
    if let Some(properties) = find(&inside, *b"iprp") {
        properties_of_primary(source, &inside, properties, survey)?;
    }
    let idat = find(&inside, *b"idat").map(|part| part.data.clone());
    let mut strange = Vec::new();
    let places = places(
        source,
        find(&inside, *b"iloc").ok_or(NO_META)?,
        idat.as_ref(),
        &mut strange,
    )?;
    metadata(source, &inside, META, survey);
    for item in &items {
        let what = match &item.kind {
            b"Exif" => What::Exif,
            b"mime" if item.content_type == b"application/rdf+xml" => What::Xmp,
            b"mime" | b"uri " => What::Other,
            _ => continue,
        };
        if strange.contains(&item.id) {
            survey.stuck = Some("metadata in it can't be taken out: it stands within another item");
        }
        for (_, place) in places.iter().filter(|(id, _)| *id == item.id) {
            // EXIF begins with how far its TIFF header is.
            let skipped = match what {
                What::Exif => 4 + u64::from(source.be_u32(place.start).unwrap_or_default()),
                _ => 0,
            };
            let data = place.start.saturating_add(skipped).min(place.end)..place.end;
            survey.find(what, place.clone(), data);
        }
    }
    survey.found.sort_by_key(|found| found.whole.start);
    Ok(())
}

fn items(source: &Source, list: &Part) -> Result<Vec<Item>, Fault> {
    let first = if source.u8(list.data.start) == Some(0) {
        6
    } else {
        8
    };
    let mut items = Vec::new();
    for entry in parts(
        source,
        (list.data.start + first).min(list.data.end)..list.data.end,
    )? {
        if entry.kind != *b"infe" {
            continue;
        }
        let bytes = source.up_to(entry.data.start, entry.length().min(512));
        let (id, rest) = match bytes.first() {
            Some(2) => (bytes.get(4..6).map(number), bytes.get(8..)),
            Some(3) => (bytes.get(4..8).map(number), bytes.get(10..)),
            _ => continue,
        };
        let (Some(id), Some(rest)) = (id, rest.filter(|rest| rest.len() >= 4)) else {
            return Err(CUT_OFF);
        };
        // The item's name, then its content type, each up to a zero.
        let content_type = rest[4..]
            .split(|byte| *byte == 0)
            .nth(1)
            .unwrap_or_default()
            .to_vec();
        let kind = [rest[0], rest[1], rest[2], rest[3]];
        items.push(Item {
            id: u32::try_from(id).unwrap_or_default(),
            kind,
            content_type,
        });
    }
    Ok(items)
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Where the items are. SECURITY: what is said to be outside of the file makes it a broken one.
/// Items that are counted from within others are named in `strange`.
fn places(
    source: &Source,
    part: &Part,
    idat: Option<&Range<u64>>,
    strange: &mut Vec<u32>,
) -> Result<Vec<(u32, Range<u64>)>, Fault> {
    let bytes = source.bytes(part.data.start, part.length()).ok_or(CUT_OFF)?;
    let mut rest = bytes.as_slice();
    let mut take = |length: u64| -> Result<u64, Fault> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (taken, left) = rest.split_at_checked(length).ok_or(CUT_OFF)?;
        rest = left;
        Ok(number(taken))
    };
    let version = take(1)?;
    take(3)?;
    let sizes = take(2)?;
    let (offset, length) = (sizes >> 12, sizes >> 8 & 15);
    let (base, index) = (sizes >> 4 & 15, if version > 0 { sizes & 15 } else { 0 });
    let wide = if version < 2 { 2 } else { 4 };
    let count = take(wide)?.min(MOST_ITEMS);
    let mut places = Vec::new();
    for _ in 0..count {
        let id = u32::try_from(take(wide)?).unwrap_or_default();
        let method = if version > 0 { take(2)? & 15 } else { 0 };
        take(2)?;
        let base = take(base)?;
        let extents = take(2)?;
        for _ in 0..extents {
            take(index)?;
            let (begins, long) = (take(offset)?, take(length)?);
            let within = match (method, idat) {
                (0, _) => 0..source.len(),
                (1, Some(idat)) => idat.clone(),
                (1, None) => return Err(CUT_OFF),
                _ => {
                    strange.push(id);
                    continue;
                }
            };
            let start = within
                .start
                .checked_add(base)
                .and_then(|at| at.checked_add(begins))
                .ok_or(CUT_OFF)?;
            let end = if long == 0 {
                within.end
            } else {
                start.checked_add(long).ok_or(CUT_OFF)?
            };
            if start > end || end > within.end {
                return Err(CUT_OFF);
            }
            places.push((id, start..end));
        }
    }
    Ok(places)
}

/// Dimensions and turning of the picture that is meant, among the properties of all.
fn properties_of_primary(
    source: &Source,
    meta: &[Part],
    part: &Part,
    survey: &mut Survey,
) -> Result<(), Fault> {
    let inside = part.parts(source)?;
    let all = find(&inside, *b"ipco").ok_or(NO_META)?.parts(source)?;
    for extent in all.iter().filter(|property| property.kind == *b"ispe") {
        let (width, height) = extents(source, extent).ok_or(CUT_OFF)?;
        survey.hold(width, height);
    }
    let primary = find(meta, *b"pitm").and_then(|part| {
        let version = source.u8(part.data.start)?;
        let id = part.data.start + 4;
        if version == 0 {
            source.be_u16(id).map(u32::from)
        } else {
            source.be_u32(id)
        }
    });
    let own = match (primary, find(&inside, *b"ipma")) {
        (Some(primary), Some(map)) => properties_of(source, map, primary).unwrap_or_default(),
        _ => Vec::new(),
    };
    let own: Vec<&Part> = own
        .iter()
        .filter_map(|index| all.get(index.checked_sub(1)?))
        .collect();
    let find_own = |kind: [u8; 4]| own.iter().find(|part| part.kind == kind).copied();
    if let Some((width, height)) = find_own(*b"ispe").and_then(|part| extents(source, part)) {
        survey.dimensions = Some((width, height));
        survey.frame_pixels = survey.frame_pixels.max(u64::from(width) * u64::from(height));
    }
    let turned = find_own(*b"irot")
        .and_then(|part| source.u8(part.data.start))
        .map_or(0, |angle| angle & 3);
    let mirrored = find_own(*b"imir")
        .and_then(|part| source.u8(part.data.start))
        .map(|axis| axis & 1);
    survey.orientation = Some(orientation(turned, mirrored));
    Ok(())
}

/// EXIF's number for quarter turns against the clock, then a mirror that swaps top and bottom (0) or left and right (1).
fn orientation(turned: u8, mirrored: Option<u8>) -> u8 {
    match (turned, mirrored) {
        (0, None) => 1,
        (1, None) => 8,
        (2, None) => 3,
        (3, None) => 6,
        (0, Some(1)) | (2, Some(0)) => 2,
        (0 | 2, Some(_)) => 4,
        (1, Some(0)) | (3, Some(1)) => 5,
        _ => 7,
    }
}

fn extents(source: &Source, part: &Part) -> Option<(u32, u32)> {
    source
        .be_u32(part.data.start + 4)
        .zip(source.be_u32(part.data.start + 8))
}

/// Which properties belong to an item, counted from 1.
fn properties_of(source: &Source, map: &Part, wanted: u32) -> Option<Vec<usize>> {
    let bytes = source.bytes(map.data.start, map.length())?;
    let mut rest = bytes.as_slice();
    let mut take = |length: usize| {
        let (taken, left) = rest.split_at_checked(length)?;
        rest = left;
        Some(number(taken))
    };
    let version = take(1)?;
    let is_wide = take(3)? & 1 == 1;
    for _ in 0..take(4)?.min(MOST_ITEMS) {
        let id = take(if version == 0 { 2 } else { 4 })?;
        let mut own = Vec::new();
        for _ in 0..take(1)? {
            let index = if is_wide {
                take(2)? & 0x7fff
            } else {
                take(1)? & 0x7f
            };
            own.push(usize::try_from(index).ok()?);
        }
        if id == u64::from(wanted) {
            return Some(own);
        }
    }
    None
}

/// Pictures of a sequence: the samples of its longest track.
fn samples(source: &Source, movie: &Part) -> Result<Option<u64>, Fault> {
    let mut most = None;
    for track in movie.parts(source)?.iter().filter(|part| part.kind == *b"trak") {
        let mut part = Some(track.clone());
        for kind in [b"mdia", b"minf", b"stbl", b"stsz"] {
            part = match part {
                Some(part) => part.part(source, *kind)?,
                None => None,
            };
        }
        let count = part
            .and_then(|part| source.be_u32(part.data.start + 8))
            .map(u64::from);
        most = most.max(count);
    }
    Ok(most)
}
