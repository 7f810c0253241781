//! Fragments of a movie: the boxes that say which samples stand in the next stretch of bytes, and the places of all of them.

use super::{
    Fault, Survey,
    bmff::{Part, parts},
    movie::metadata,
};
use crate::source::Source;

/// What a film in fragments needs of the boxes of a fragment, of a track's part of it, of the list of their places, and of what
/// the movie says about all of them.
///
/// SECURITY: lists of what may stay.
const FRAGMENT: &[[u8; 4]] = &[*b"mfhd", *b"traf", *b"pssh"];
const TRACK_PART: &[[u8; 4]] = &[
    *b"tfhd", *b"tfdt", *b"trun", *b"sdtp", *b"sbgp", *b"sgpd", *b"subs", *b"saiz", *b"saio", *b"senc",
];
const PLACES: &[[u8; 4]] = &[*b"tfra", *b"mfro"];
const EXTENDS: &[[u8; 4]] = &[*b"mehd", *b"trex", *b"leva", *b"trep"];

/// Finds metadata in the fragments among these boxes of a file.
pub(super) fn survey(source: &Source, top: &[Part], survey: &mut Survey) -> Result<(), Fault> {
    for part in top {
        match &part.kind {
            b"moof" => {
                let inside = part.parts(source)?;
                metadata(source, &inside, FRAGMENT, survey);
                for track in inside.iter().filter(|part| part.kind == *b"traf") {
                    metadata(source, &track.parts(source)?, TRACK_PART, survey);
                }
            }
            b"mfra" => metadata(source, &part.parts(source)?, PLACES, survey),
            _ => {}
        }
    }
    Ok(())
}

/// Finds metadata in what a movie says about its fragments (`mvex`).
pub(super) fn extends(source: &Source, movie: &[Part], survey: &mut Survey) -> Result<(), Fault> {
    for part in movie.iter().filter(|part| part.kind == *b"mvex") {
        metadata(source, &parts(source, part.data.clone())?, EXTENDS, survey);
    }
    Ok(())
}
