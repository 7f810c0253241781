//! What a file says about itself: a walk along its headers that decompresses nothing, believes no length that it can't check
//! against the file, and recurses nowhere without a bound.

mod avi;
mod bmff;
mod bmp;
mod covers;
mod fragments;
mod gif;
mod heif;
mod jpeg;
mod matroska;
mod movie;
mod mpf;
mod png;
mod still;
mod tiff;
mod tracks;
mod webp;

use std::ops::Range;

use domain::{Camera, MediaType, Taken};

use jiff::Timestamp;

pub(crate) use still::{Still, still};

use crate::{NotReadable, source::Source};

/// What the headers say.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Width and height as stored.
    pub(crate) dimensions: Option<(u32, u32)>,
    /// The widest and the highest of all pictures in it, previews and pages too.
    pub(crate) largest: (u32, u32),
    /// Pictures that are shown one after the other.
    pub(crate) frames: u64,
    /// Pixels of all frames together.
    pub(crate) frame_pixels: u64,
    /// How the container itself says that the picture is turned (HEIF).
    pub(crate) orientation: Option<u8>,
    /// Bytes that decoding it whole takes, roughly.
    pub(crate) decoding_bytes: u64,
    /// Metadata, in the order of the file.
    pub(crate) found: Vec<Found>,
    /// When the container says that it was made.
    pub(crate) taken: Option<Taken>,
    /// With which camera the container says that it was taken.
    pub(crate) camera: Option<Camera>,
    /// The picture behind a JPEG that makes it one of high dynamic range.
    pub(crate) gain_map: Option<GainMap>,
    /// Whether it says that it is a gain map, or has one, in the way of ISO 21496-1.
    pub(crate) tells_gain: bool,
    /// Whether tracks of a film are among what was found.
    pub(crate) drops_tracks: bool,
    /// Why metadata that is in it can't be taken out.
    pub(crate) stuck: Option<&'static str>,
    /// Whether it began well and ends before its end: no fault to who asks for no pixels.
    pub(crate) is_cut_off: bool,
}

/// A JPEG behind a JPEG.
#[derive(Debug)]
pub(crate) struct GainMap {
    /// Where it is in the file.
    pub(crate) range: Range<u64>,
    /// What it is, by the attributes of its entry in the list of pictures.
    pub(crate) attributes: u32,
    /// Those of the first picture's entry.
    pub(crate) primary_attributes: u32,
    /// What it says about itself, places counted from its own beginning.
    pub(crate) survey: Box<Survey>,
}

/// A stretch of the file that is no picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) what: What,
    /// All of it, with the header that its container gives it.
    pub(crate) whole: Range<u64>,
    /// Its content.
    pub(crate) data: Range<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A TIFF structure of EXIF.
    Exif,
    /// An XMP packet.
    Xmp,
    /// The list of the pictures that stand one behind the other in a JPEG (CIPA DC-007).
    Pictures,
    /// Anything else that the pixels don't need: comments, IPTC, previews, what comes behind the end.
    Other,
    /// Of no harm unless all must go: times, programs, chapters.
    Harmless,
    /// Metadata with a video's cover in it, which says nothing about anybody; what stands beside the cover is found as well. It
    /// goes as a whole when all must go.
    Covered,
}

impl Found {
    /// Its content, if it is of a length that any honest file has.
    pub(crate) fn content(&self, source: &Source) -> Option<Vec<u8>> {
        const LONGEST: u64 = 4 << 20;
        let length = self.data.end.checked_sub(self.data.start)?;
        (length <= LONGEST).then(|| source.bytes(self.data.start, length))?
    }
}

/// What is wrong with a file's structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is no sense in its first words.
    Header,
    /// It began well.
    Body(&'static str),
}

pub(crate) const CUT_OFF: Fault = Fault::Body("it ends before its end");

/// More parts than this no honest file has: chunks of a PNG, boxes of an MP4, elements of a Matroska.
pub(crate) const MOST_PARTS: usize = 200_000;
pub(crate) const TOO_MANY_PARTS: Fault = Fault::Body("it is cut into more parts than any honest file");

impl Fault {
    pub(crate) fn of(self, media_type: MediaType) -> NotReadable {
        match self {
            Self::Header => NotReadable::BrokenHeader(media_type),
            Self::Body(reason) => NotReadable::NotDecodable(reason.to_owned()),
        }
    }
}

impl Survey {
    fn still(width: u32, height: u32) -> Self {
        Self {
            dimensions: Some((width, height)),
            largest: (width, height),
            frames: 1,
            frame_pixels: u64::from(width) * u64::from(height),
            ..Self::default()
        }
    }

    /// Another picture in it, which is held to the same budget.
    fn hold(&mut self, width: u32, height: u32) {
        self.largest = (self.largest.0.max(width), self.largest.1.max(height));
    }

    fn find(&mut self, what: What, whole: Range<u64>, data: Range<u64>) {
        self.found.push(Found { what, whole, data });
    }

    /// A stretch without a header of its own, whose bytes nobody needs.
    fn find_bytes(&mut self, what: What, range: Range<u64>) {
        if range.start < range.end {
            self.find(what, range.clone(), range);
        }
    }

    /// The content of the first metadata of this kind.
    pub(crate) fn content(&self, source: &Source, what: What) -> Option<Vec<u8>> {
        let found = self.found.iter().find(|found| found.what == what)?;
        found.content(source)
    }
}

/// Walks along the headers of a file of this type.
pub(crate) fn survey(source: &Source, media_type: MediaType, now: Timestamp) -> Result<Survey, Fault> {
    let survey = match media_type {
        MediaType::Jpeg => jpeg::survey(source)?,
        MediaType::Png => png::survey(source)?,
        MediaType::Gif => gif::survey(source)?,
        MediaType::Webp => webp::survey(source)?,
        MediaType::Bmp => bmp::survey(source)?,
        MediaType::Tiff => tiff::survey(source)?,
        MediaType::Avif | MediaType::Heic => heif::survey(source, now)?,
        MediaType::Mp4 | MediaType::Mov | MediaType::M4v => movie::survey(source, now)?,
        MediaType::Avi => avi::survey(source, now)?,
        MediaType::Mkv | MediaType::Webm => matroska::survey(source, now)?,
    };
    match survey.dimensions {
        Some((0, _) | (_, 0)) => Err(Fault::Header),
        _ => Ok(survey),
    }
}
