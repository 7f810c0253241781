use std::{fs::File, path::Path};

use domain::{Camera, Kind, MediaType, Scrub, Taken, UploadLimits, Validation};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    camera,
    check::{Checked, check},
    dates,
    exif::orientation,
    scrub::{Edit, edits},
    sniff::{SNIFF_BYTES, sniff},
    source::Source,
    survey::{CUT_OFF, Survey, What, survey},
};

/// What is asked about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What it may be at most, judged from its headers before anything is decompressed.
    pub budget: Budget,
    /// How far it is looked into.
    pub validation: Validation,
    /// What of its metadata is to go.
    pub scrub: Scrub,
    /// The time, which tells dates that have not come yet.
    pub now: Timestamp,
}

/// What a picture may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Pixels along either side.
    pub side: u32,
    /// Pixels of the canvas.
    pub pixels: u64,
    /// Frames of an animation.
    pub frames: u32,
    /// Pixels of all its frames together.
    pub frame_pixels: u64,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// Its format.
    pub media_type: MediaType,
    /// Width and height in pixels as they are stored, before [`orientation`](Self::orientation) is applied.
    pub dimensions: Option<(u32, u32)>,
    /// How many pictures are shown one after the other; 1 for what stands still.
    pub frames: u32,
    /// How it is to be turned, as EXIF counts it: 1 (upright) to 8.
    pub orientation: u8,
    /// When it was taken.
    pub taken: Option<Taken>,
    /// With which camera, and how that was set, as the file tells once it is scrubbed.
    pub camera: Option<Camera>,
    /// Whether every pixel was decoded. False for formats that berth has no decoder of, and where nobody asked.
    pub is_decoded: bool,
    /// What must be changed to scrub it, in the order of the file.
    pub edits: Vec<Edit>,
}

/// Why a file is none that can be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum NotReadable {
    /// The bytes begin like no format that berth knows.
    #[error("the bytes are of no known format")]
    UnknownType,
    /// They begin like this format, but its header makes no sense.
    #[error("the header of the {0} file makes no sense")]
    BrokenHeader(MediaType),
    /// It has more pixels than the budget.
    #[error("{width} × {height} pixels are past the budget")]
    TooManyPixels {
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
    },
    /// It has more frames than the budget, or more pixels in all its frames.
    #[error("{0} frames are past the budget")]
    TooManyFrames(u64),
    /// The pixels are not what the headers promise.
    #[error("it can't be decoded: {0}")]
    NotDecodable(String),
    /// Decoding took longer than any sound file does.
    #[error("decoding it takes too long")]
    TookTooLong,
}

impl Budget {
    /// The part of an upload's limits that is about pixels.
    #[must_use]
    pub fn of(limits: &UploadLimits) -> Self {
        Self {
            side: limits.side,
            pixels: limits.pixels,
            frames: limits.frames,
            frame_pixels: limits.frame_pixels,
        }
    }

    /// Judges a canvas, before anything is decoded.
    pub(crate) fn check(&self, width: u32, height: u32) -> Result<(), NotReadable> {
        let fits =
            width <= self.side && height <= self.side && u64::from(width) * u64::from(height) <= self.pixels;
        if fits {
            Ok(())
        } else {
            Err(NotReadable::TooManyPixels { width, height })
        }
    }
}

/// Looks into the file at `path`.
pub(crate) fn inspect_file(path: &Path, asked: &Asked) -> Result<Inspection, NotReadable> {
    let gone = |error: std::io::Error| NotReadable::NotDecodable(format!("it can't be read: {error}"));
    let source = Source::open(path).map_err(gone)?;
    let media_type = sniff(&source.up_to(0, SNIFF_BYTES as u64)).ok_or(NotReadable::UnknownType)?;
    let survey = survey(&source, media_type, asked.now).map_err(|fault| fault.of(media_type))?;
    if survey.is_cut_off && asked.validation == Validation::Decode {
        return Err(CUT_OFF.of(media_type));
    }
    let is_image = media_type.kind() == Kind::Image;
    if is_image {
        let (width, height) = survey.dimensions.ok_or(NotReadable::BrokenHeader(media_type))?;
        asked.budget.check(width, height)?;
        asked.budget.check(survey.largest.0, survey.largest.1)?;
        let all = u64::from(asked.budget.frames);
        if survey.frames > 1 && (survey.frames > all || survey.frame_pixels > asked.budget.frame_pixels) {
            return Err(NotReadable::TooManyFrames(survey.frames));
        }
    }
    let is_decoded = match asked.validation {
        Validation::Decode if is_image => {
            let file = File::open(path).map_err(gone)?;
            let checked =
                check(&file, media_type, survey.decoding_bytes).map_err(NotReadable::NotDecodable)?;
            matches!(checked, Checked::Whole)
        }
        _ => false,
    };
    let held = survey.content(&source, What::Exif).map(Source::Memory);
    // A TIFF is its own EXIF.
    let exif = if media_type == MediaType::Tiff {
        Some(&source)
    } else {
        held.as_ref()
    };
    let edits = edits(&source, &survey, media_type, asked.scrub)
        .map_err(|reason| NotReadable::NotDecodable(reason.to_owned()))?;
    Ok(Inspection {
        media_type,
        dimensions: survey.dimensions,
        frames: u32::try_from(survey.frames).unwrap_or(u32::MAX),
        orientation: survey.orientation.or_else(|| orientation(exif?)).unwrap_or(1),
        taken: taken(&source, exif, &survey, asked.now),
        camera: camera::of_stored(&source, media_type, &survey, asked.scrub, &edits),
        is_decoded,
        edits,
    })
}

/// When it was taken, by whoever knows best.
fn taken(source: &Source, exif: Option<&Source>, survey: &Survey, now: Timestamp) -> Option<Taken> {
    let xmp = || dates::of_xmp(&survey.content(source, What::Xmp)?, now);
    survey.taken.or_else(|| dates::of_exif(exif?, now)).or_else(xmp)
}
