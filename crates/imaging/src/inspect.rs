use std::{
    fs::File,
    io::{BufReader, Read as _, Seek as _},
    path::Path,
};

use domain::{Kind, MediaType, UploadLimits, Validation};
use serde::{Deserialize, Serialize};

use crate::sniff::{SNIFF_BYTES, sniff};

/// What is asked about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What it may be at most, judged from its headers before anything is decompressed.
    pub budget: Budget,
    /// How far it is looked into.
    pub validation: Validation,
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// Its format.
    pub media_type: MediaType,
    /// Width and height in pixels as they are stored, before [`orientation`](Self::orientation) is applied.
    pub dimensions: Option<(u32, u32)>,
    /// How many pictures are shown one after the other; 1 for what stands still.
    pub frames: u32,
    /// How it is to be turned, as EXIF counts it: 1 (upright) to 8.
    pub orientation: u8,
    /// Whether every pixel was decoded. False for formats that berth has no decoder of, and where nobody asked.
    pub is_decoded: bool,
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
    let file = File::open(path).map_err(gone)?;
    let mut head = Vec::new();
    (&file)
        .take(SNIFF_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(gone)?;
    let media_type = sniff(&head).ok_or(NotReadable::UnknownType)?;
    let dimensions = match media_type.kind() {
        Kind::Image => Some(measure(&file).ok_or(NotReadable::BrokenHeader(media_type))?),
        Kind::Video => None,
    };
    if let Some((width, height)) = dimensions {
        asked.budget.check(width, height)?;
    }
    Ok(Inspection {
        media_type,
        dimensions,
        frames: 1,
        orientation: 1,
        is_decoded: false,
    })
}

fn measure(mut file: &File) -> Option<(u32, u32)> {
    file.rewind().ok()?;
    let size = imagesize::reader_size(BufReader::new(file)).ok()?;
    let (width, height) = (u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?);
    (width > 0 && height > 0).then_some((width, height))
}
