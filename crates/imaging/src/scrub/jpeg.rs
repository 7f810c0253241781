//! JPEG: its metadata is cut out, and so is what stands behind it, but for a gain map, which moves up to the picture with its
//! own metadata cut out.

use domain::{MediaType, Scrub};

use super::{Edit, cut::cut, grown};
use crate::{
    gain_map::{map_packet, primary_packet},
    source::Source,
    survey::{Found, GainMap, Survey, What},
};

const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// A list of two pictures, from its name to its end.
const LIST_BYTES: u16 = 86;

pub(super) fn edits(source: &Source, survey: &Survey, scrub: Scrub) -> Vec<Edit> {
    let Some(map) = &survey.gain_map else {
        return cut(source, survey.found.iter(), MediaType::Jpeg, scrub);
    };
    with_gain_map(source, survey, map, scrub)
        .unwrap_or_else(|| cut(source, survey.found.iter(), MediaType::Jpeg, scrub))
}

fn with_gain_map(source: &Source, survey: &Survey, map: &GainMap, scrub: Scrub) -> Option<Vec<Edit>> {
    let inside = source.within(map.range.clone())?;
    let mut of_map = cut(&inside, map.survey.found.iter(), MediaType::Jpeg, scrub);
    let packet = map
        .survey
        .content(&inside, What::Xmp)
        .and_then(|packet| map_packet(&packet));
    put(
        &mut of_map,
        &map.survey,
        What::Xmp,
        packet.as_deref().map(xmp_segment),
    );
    let map_bytes = grown(map.range.end - map.range.start, &of_map)?;

    // What stands behind the picture is told as one stretch that reaches to the end of the file.
    let is_behind = |found: &&Found| found.what == What::Other && found.whole.end == source.len();
    let end = survey.found.last().filter(is_behind)?.whole.start;
    if map.range.start < end {
        return None;
    }
    let before = || survey.found.iter().filter(|found| found.whole.end <= end);
    let mut edits = cut(source, before(), MediaType::Jpeg, scrub);
    let packet = survey
        .content(source, What::Xmp)
        .and_then(|packet| primary_packet(&packet, map_bytes));
    put(&mut edits, survey, What::Xmp, packet.as_deref().map(xmp_segment));
    // The list is put in with places that are not known yet: its length is, and so then are they.
    put(&mut edits, survey, What::Pictures, Some(list(map, 0, 0, 0)));
    let picture_bytes = grown(end, &edits)?;
    let list_at = survey
        .found
        .iter()
        .find(|found| found.what == What::Pictures)?
        .whole
        .start;
    let up_to_list: Vec<Edit> = edits.iter().filter(|edit| edit.at < list_at).cloned().collect();
    // The marker, the length, the name.
    let counted_from = grown(list_at, &up_to_list)? + 8;
    let whole = list(map, picture_bytes, map_bytes, picture_bytes - counted_from);
    put(&mut edits, survey, What::Pictures, Some(whole));

    edits.push(gone(end, map.range.start));
    edits.extend(of_map.into_iter().map(|edit| Edit {
        at: edit.at + map.range.start,
        ..edit
    }));
    edits.push(gone(map.range.end, source.len()));
    Some(edits)
}

fn gone(from: u64, to: u64) -> Edit {
    Edit {
        at: from,
        remove: to - from,
        insert: Vec::new(),
        zeros: 0,
    }
}

/// Gives the first metadata of this kind something else to make place for than nothing.
fn put(edits: &mut [Edit], survey: &Survey, what: What, insert: Option<Vec<u8>>) {
    let found = survey.found.iter().find(|found| found.what == what);
    let edit = found.and_then(|found| edits.iter_mut().find(|edit| edit.at == found.whole.start));
    if let (Some(edit), Some(insert)) = (edit, insert) {
        edit.insert = insert;
    }
}

fn xmp_segment(packet: &[u8]) -> Vec<u8> {
    // A gain map's packet is some hundreds of bytes.
    let length = u16::try_from(packet.len() + XMP.len() + 2).unwrap_or(u16::MAX);
    [&[0xff, 0xe1], &length.to_be_bytes()[..], XMP, packet].concat()
}

/// The segment that lists both pictures: CIPA DC-007's version, number of pictures, and an entry of sixteen bytes for each.
fn list(map: &GainMap, picture_bytes: u64, map_bytes: u64, map_at: u64) -> Vec<u8> {
    const ENTRIES_AT: u32 = 50;
    let long = |number: u64| u32::try_from(number).unwrap_or_default().to_be_bytes();
    let mut out = [
        &[0xff, 0xe2],
        &(LIST_BYTES + 2).to_be_bytes()[..],
        b"MPF\0MM\0*\0\0\0\x08\0\x03",
    ]
    .concat();
    for (tag, kind, count, value) in [
        (0xb000_u16, 7_u16, 4_u32, *b"0100"),
        (0xb001, 4, 1, 2_u32.to_be_bytes()),
        (0xb002, 7, 32, ENTRIES_AT.to_be_bytes()),
    ] {
        out.extend(tag.to_be_bytes());
        out.extend(kind.to_be_bytes());
        out.extend(count.to_be_bytes());
        out.extend(value);
    }
    out.extend([0; 4]);
    for (attributes, bytes, at) in [
        (map.primary_attributes, picture_bytes, 0),
        (map.attributes, map_bytes, map_at),
    ] {
        out.extend(attributes.to_be_bytes());
        out.extend(long(bytes));
        out.extend(long(at));
        out.extend([0; 4]);
    }
    out
}
