//! Tracks of a movie that hold no pictures and no sound: what action cameras and phones write down while they film, positions
//! among it. Their samples stand among the pictures', so each is found by the tables of its track.

use std::ops::Range;

use super::{
    Fault, MOST_PARTS, Survey, What,
    bmff::{Part, find},
};
use crate::source::Source;

/// What is seen and heard, and what players tell time by.
const SHOWN: &[[u8; 4]] = &[
    *b"vide", *b"soun", *b"auxv", *b"pict", *b"tmcd", *b"hint", *b"odsm", *b"sdsm", *b"clcp",
];
/// Words that are shown with the pictures. Drones write positions as such.
const WORDS: &[[u8; 4]] = &[*b"subt", *b"sbtl", *b"text"];
/// Samples that are looked through for a position.
const LOOKED_THROUGH: usize = 8;
const ODD_TABLES: &str = "a track of metadata in it can't be taken out: where its bytes are makes no sense";
pub(super) const IN_FRAGMENTS: &str = "a track of metadata in it can't be taken out: the file is in fragments; send it with `scrub=keep` if it may stay";

/// Finds a track that is not to be shown and all its samples. True if it was one.
pub(super) fn find_if_metadata(
    source: &Source,
    track: &Part,
    handler: [u8; 4],
    table: Option<&Part>,
    survey: &mut Survey,
) -> Result<bool, Fault> {
    if SHOWN.contains(&handler) {
        return Ok(false);
    }
    let chunks = match table {
        Some(table) => match chunks(source, table)? {
            Some(chunks) => chunks,
            None if WORDS.contains(&handler) => return Ok(false),
            None => {
                survey.stuck = Some(ODD_TABLES);
                return Ok(true);
            }
        },
        None => Vec::new(),
    };
    if WORDS.contains(&handler) && !tell_where(source, &chunks) {
        return Ok(false);
    }
    survey.drops_tracks = true;
    survey.find(What::Other, track.whole.clone(), track.data.clone());
    for chunk in chunks {
        survey.find_bytes(What::Other, chunk);
    }
    Ok(true)
}

/// Whether the first of these words are about a place.
fn tell_where(source: &Source, chunks: &[Range<u64>]) -> bool {
    const MOST: u64 = 1024;
    const TELLING: &[&str] = &["gps", "latitude", "longitude", "home("];
    chunks.iter().take(LOOKED_THROUGH).any(|chunk| {
        let bytes = source.up_to(chunk.start, (chunk.end - chunk.start).min(MOST));
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        TELLING.iter().any(|word| text.contains(word))
    })
}

/// Where the samples of a track are, those that stand side by side together; none when the tables make no sense.
fn chunks(source: &Source, table: &Part) -> Result<Option<Vec<Range<u64>>>, Fault> {
    let parts = table.parts(source)?;
    let offsets = match (find(&parts, *b"stco"), find(&parts, *b"co64")) {
        (Some(part), _) => words(source, part, 8, 4),
        (None, Some(part)) => words(source, part, 8, 8),
        (None, None) => return Ok(None),
    };
    let runs = find(&parts, *b"stsc").and_then(|part| words(source, part, 8, 4));
    let sizes = find(&parts, *b"stsz")
        .and_then(|part| Some((source.be_u32(part.data.start + 4)?, words(source, part, 12, 4)?)));
    let (Some(offsets), Some(runs), Some((each, sizes))) = (offsets, runs, sizes) else {
        return Ok(None);
    };
    // First chunk, samples in a chunk, description.
    let mut runs = runs.chunks_exact(3).peekable();
    let (mut sizes, mut samples) = (sizes.into_iter(), 0);
    let mut found: Vec<Range<u64>> = Vec::new();
    for (index, offset) in offsets.into_iter().enumerate() {
        while let Some(run) = runs.next_if(|run| run[0] <= index as u64 + 1) {
            samples = run[1];
        }
        let length: u64 = if each > 0 {
            samples.saturating_mul(each.into())
        } else {
            sizes
                .by_ref()
                .take(usize::try_from(samples).unwrap_or(usize::MAX))
                .sum()
        };
        let end = offset.saturating_add(length).min(source.len());
        match found.last_mut() {
            Some(last) if last.end == offset => last.end = end.max(offset),
            _ if offset < end => found.push(offset..end),
            _ => {}
        }
    }
    Ok(Some(found))
}

/// The numbers behind the head of a table, whose count stands before them.
fn words(source: &Source, part: &Part, begin: u64, each: u64) -> Option<Vec<u64>> {
    let count = source.be_u32(part.data.start + begin - 4)?;
    let of_entry = if part.kind == *b"stsc" { 3 } else { 1 };
    let count = u64::from(count) * of_entry;
    // A table of one size for all has no entries.
    let is_uniform = part.kind == *b"stsz" && source.be_u32(part.data.start + 4)? > 0;
    if is_uniform {
        return Some(Vec::new());
    }
    if count > 3 * MOST_PARTS as u64 {
        return None;
    }
    let bytes = source.bytes(part.data.start + begin, count * each)?;
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    Some(
        bytes
            .chunks_exact(usize::try_from(each).ok()?)
            .map(number)
            .collect(),
    )
}
