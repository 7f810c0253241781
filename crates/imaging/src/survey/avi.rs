use std::ops::Range;

use jiff::Timestamp;

use super::{CUT_OFF, Fault, MOST_PARTS, Survey, TOO_MANY_PARTS, What};
use crate::{dates::of_idit, source::Source};

/// One chunk of a RIFF.
struct Chunk {
    kind: [u8; 4],
    /// What a list is of.
    list: [u8; 4],
    whole: Range<u64>,
    data: Range<u64>,
}

/// The header, the dates, and that there are pictures.
pub(super) fn survey(source: &Source, now: Timestamp) -> Result<Survey, Fault> {
    let mut survey = Survey {
        frames: 1,
        ..Survey::default()
    };
    let mut has_pictures = false;
    for chunk in chunks(source, 12..source.len())? {
        match (&chunk.kind, &chunk.list) {
            (b"LIST", b"hdrl") => header(source, &chunk, now, &mut survey)?,
            (b"LIST", b"movi") => has_pictures = true,
            // More of the same: a film longer than a RIFF may be.
            (b"RIFF", b"AVIX") | (b"idx1", _) => {}
            (b"IDIT", _) => date(source, &chunk, now, &mut survey),
            _ => unneeded(chunk, &mut survey),
        }
    }
    match survey.dimensions {
        None => Err(Fault::Header),
        Some(_) if !has_pictures => Err(CUT_OFF),
        Some(_) => Ok(survey),
    }
}

fn header(source: &Source, list: &Chunk, now: Timestamp, survey: &mut Survey) -> Result<(), Fault> {
    for chunk in chunks(source, list.data.start + 4..list.data.end)? {
        match (&chunk.kind, &chunk.list) {
            (b"avih", _) => {
                let side = |at: u64| source.le_u32(chunk.data.start + at).ok_or(Fault::Header);
                survey.dimensions = Some((side(32)?, side(36)?));
            }
            (b"IDIT", _) => date(source, &chunk, now, survey),
            (b"LIST", b"odml") => {}
            (b"LIST", b"strl") => stream(source, &chunk, survey)?,
            _ => unneeded(chunk, survey),
        }
    }
    Ok(())
}

/// Of a stream its header, its format, its index and its shape; not its name, nor what a camera's driver keeps there.
fn stream(source: &Source, list: &Chunk, survey: &mut Survey) -> Result<(), Fault> {
    for chunk in chunks(source, list.data.start + 4..list.data.end)? {
        if !matches!(&chunk.kind, b"strh" | b"strf" | b"indx" | b"vprp") {
            unneeded(chunk, survey);
        }
    }
    Ok(())
}

/// SECURITY: what is not known to be needed goes, for cameras have a chunk each; what stands in places that are free goes too.
fn unneeded(chunk: Chunk, survey: &mut Survey) {
    if chunk.kind == *b"JUNK" {
        survey.find_bytes(What::Other, chunk.data);
    } else {
        survey.find(What::Other, chunk.whole, chunk.data);
    }
}

fn date(source: &Source, chunk: &Chunk, now: Timestamp, survey: &mut Survey) {
    let text = source.up_to(chunk.data.start, (chunk.data.end - chunk.data.start).min(64));
    survey.taken = survey
        .taken
        .or_else(|| of_idit(&String::from_utf8_lossy(&text), now));
    survey.find(What::Harmless, chunk.whole.clone(), chunk.data.clone());
}

fn chunks(source: &Source, within: Range<u64>) -> Result<Vec<Chunk>, Fault> {
    let mut chunks = Vec::new();
    let mut at = within.start;
    while at + 8 <= within.end {
        let head = source.up_to(at, 12);
        let word = |from: usize| {
            head.get(from..from + 4)
                .and_then(|word| word.try_into().ok())
                .unwrap_or([0; 4])
        };
        let data = at + 8..at + 8 + u64::from(u32::from_le_bytes(word(4)));
        if data.end > within.end {
            return Err(CUT_OFF);
        }
        if chunks.len() == MOST_PARTS {
            return Err(TOO_MANY_PARTS);
        }
        let next = data.end + data.end % 2;
        chunks.push(Chunk {
            kind: word(0),
            list: word(8),
            whole: at..data.end,
            data,
        });
        at = next;
    }
    Ok(chunks)
}
