//! Animations made smaller: a WebP that moves as the original does, as long as it is short enough to be made and to be sent.

use std::io::{BufRead, Seek};

use domain::MediaType;
use fast_image_resize::Resizer;
use image::{
    AnimationDecoder as _, DynamicImage, ImageDecoder as _, Limits, RgbaImage,
    codecs::{gif::GifDecoder, webp::WebPDecoder},
    metadata::{LoopCount, Orientation},
};

use super::{NotRenderable, RenderLimits, decode::Decoded, encode, scaled};

/// More frames than these are a video, and are shown as a still.
pub(super) const MOST_FRAMES: u64 = 300;
/// Pixels of all frames as they are stored: a second or two of decoding.
pub(super) const MOST_PIXELS_READ: u64 = 150_000_000;
/// Pixels of all frames of all variants that are made at once: a few seconds of encoding.
const MOST_PIXELS_WRITTEN: u64 = 30_000_000;
/// The most bytes of one variant. What takes more is a still: whoever asks for a small picture wants a quick one.
const MOST_BYTES: usize = 2 << 20;
/// A frame's flag that it is laid in place of what is there, and not mixed with it.
const IN_PLACE: u8 = 0b10;
/// The file's flags.
const ANIMATED: u8 = 0b10;
const TRANSPARENT: u8 = 0b1_0000;
/// Browsers show frames of no duration for so long.
const USUAL_MILLISECONDS: u32 = 100;

/// The moving variants of these widths that fit the budget; the others, and all of a file that is no animation, stay stills.
pub(super) fn moving<R: BufRead + Seek>(
    source: R,
    media_type: MediaType,
    limits: RenderLimits,
    frames: u64,
    widths: &[u32],
) -> Result<Vec<(u32, Vec<u8>)>, NotRenderable> {
    let mut allowed = Limits::default();
    allowed.max_alloc = Some(limits.pixel_bytes);
    match media_type {
        MediaType::Gif => {
            let mut decoder = GifDecoder::new(source).map_err(|error| broken(&error))?;
            decoder.set_limits(allowed).map_err(|error| broken(&error))?;
            let canvas = decoder.dimensions();
            let turns = decoder.loop_count();
            let film = Film::new(canvas, None, Orientation::NoTransforms, turns);
            film.record(decoder.into_frames(), frames, widths)
        }
        MediaType::Webp => {
            let mut decoder = WebPDecoder::new(source).map_err(|error| broken(&error))?;
            decoder.set_limits(allowed).map_err(|error| broken(&error))?;
            let canvas = decoder.dimensions();
            let profile = decoder.icc_profile().ok().flatten();
            let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
            let turns = decoder.loop_count();
            let film = Film::new(canvas, profile, orientation, turns);
            film.record(decoder.into_frames(), frames, widths)
        }
        _ => Ok(Vec::new()),
    }
}

fn broken(error: &image::ImageError) -> NotRenderable {
    NotRenderable::Broken(error.to_string())
}

/// What all frames share.
struct Film {
    canvas: (u32, u32),
    profile: Option<Vec<u8>>,
    orientation: Orientation,
    turns: LoopCount,
}

impl Film {
    fn new(canvas: (u32, u32), profile: Option<Vec<u8>>, orientation: Orientation, turns: LoopCount) -> Self {
        Self {
            canvas,
            profile,
            orientation,
            turns,
        }
    }

    /// Frame by frame, each in every width, so that no more than one is held.
    fn record(
        self,
        frames: image::Frames<'_>,
        count: u64,
        widths: &[u32],
    ) -> Result<Vec<(u32, Vec<u8>)>, NotRenderable> {
        let mut resizer = Resizer::new();
        let mut reels: Option<Vec<Reel>> = None;
        for frame in frames {
            let frame = frame.map_err(|error| broken(&error))?;
            let (numerator, denominator) = frame.delay().numer_denom_ms();
            let decoded = Decoded {
                pixels: DynamicImage::ImageRgba8(frame.into_buffer()),
                original: self.canvas,
                orientation: self.orientation,
                profile: self.profile.clone(),
            };
            let reels = reels.get_or_insert_with(|| Reel::for_widths(widths, decoded.shown(), count));
            if reels.is_empty() {
                break;
            }
            let milliseconds = match numerator / denominator.max(1) {
                0..=10 => USUAL_MILLISECONDS,
                long => long,
            };
            for reel in reels.iter_mut() {
                let picture = decoded.sized(&mut resizer, (reel.width, reel.height))?;
                reel.add(picture.into_rgba8(), milliseconds)?;
            }
            reels.retain(|reel| reel.frames.len() <= MOST_BYTES);
        }
        let turns = match self.turns {
            LoopCount::Infinite => 0,
            LoopCount::Finite(turns) => u16::try_from(turns.get()).unwrap_or(0),
        };
        // One that turned out to stand still is better off as a still.
        let moving = reels
            .unwrap_or_default()
            .into_iter()
            .filter(|reel| reel.count > 1);
        Ok(moving.map(|reel| (reel.width, reel.file(turns))).collect())
    }
}

/// A variant on its way: the frames so far, as WebP holds them.
struct Reel {
    width: u32,
    height: u32,
    /// `ANMF` chunks.
    frames: Vec<u8>,
    count: u32,
    /// What was added last, and where its duration stands.
    shown: Option<(RgbaImage, usize)>,
    is_transparent: bool,
}

impl Reel {
    /// One for each width that is narrower than the picture, as far as the budget goes.
    fn for_widths(widths: &[u32], shown: (u32, u32), count: u64) -> Vec<Self> {
        let mut left = MOST_PIXELS_WRITTEN;
        let mut reels = Vec::with_capacity(widths.len());
        for &width in widths.iter().filter(|width| (1..shown.0).contains(*width)) {
            let height = scaled(shown.1, width, shown.0);
            let pixels = u64::from(width) * u64::from(height) * count;
            if pixels <= left {
                left -= pixels;
                reels.push(Self::new(width, height));
            }
        }
        reels
    }

    fn new(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            frames: Vec::new(),
            count: 0,
            shown: None,
            is_transparent: false,
        }
    }

    /// Adds what has changed since the frame before; where nothing has, that one stays longer.
    fn add(&mut self, frame: RgbaImage, milliseconds: u32) -> Result<(), NotRenderable> {
        let rectangle = match &self.shown {
            None => Some((0, 0, self.width, self.height)),
            Some((before, _)) => changed(before, &frame),
        };
        let Some((x, y, width, height)) = rectangle else {
            self.lengthen(milliseconds);
            return Ok(());
        };
        let part = image::imageops::crop_imm(&frame, x, y, width, height).to_image();
        self.is_transparent |= part.pixels().any(|pixel| pixel.0[3] < 255);
        let file = encode::webp(&DynamicImage::ImageRgba8(part))?;
        let picture = picture_chunks(&file);
        let mut head = Vec::with_capacity(16);
        for number in [x / 2, y / 2, width - 1, height - 1] {
            head.extend(three_bytes(number));
        }
        let duration_at = self.frames.len() + 8 + head.len();
        head.extend(three_bytes(milliseconds));
        head.push(IN_PLACE);
        chunk(&mut self.frames, b"ANMF", &[head, picture].concat());
        self.count += 1;
        self.shown = Some((frame, duration_at));
        Ok(())
    }

    fn lengthen(&mut self, milliseconds: u32) {
        let at = self.shown.as_ref().map_or(0, |(_, duration_at)| *duration_at);
        if let Some(bytes) = self.frames.get_mut(at..at + 3) {
            let before = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
            bytes.copy_from_slice(&three_bytes(before.saturating_add(milliseconds)));
        }
    }

    /// The whole file, shown so many times; 0 is for ever.
    fn file(self, turns: u16) -> Vec<u8> {
        let mut inside = b"WEBP".to_vec();
        let mut head = vec![
            ANIMATED | if self.is_transparent { TRANSPARENT } else { 0 },
            0,
            0,
            0,
        ];
        head.extend(three_bytes(self.width - 1));
        head.extend(three_bytes(self.height - 1));
        chunk(&mut inside, b"VP8X", &head);
        // Behind everything is nothing.
        chunk(
            &mut inside,
            b"ANIM",
            &[&[0; 4][..], &turns.to_le_bytes()].concat(),
        );
        inside.extend(self.frames);
        let mut file = Vec::with_capacity(inside.len() + 8);
        chunk(&mut file, b"RIFF", &inside);
        file
    }
}

/// The rectangle that differs, from an even column and row on, as WebP counts them: x, y, width, height. None where nothing does.
fn changed(before: &RgbaImage, after: &RgbaImage) -> Option<(u32, u32, u32, u32)> {
    let row = usize::try_from(after.width()).ok()? * 4;
    let rows = || before.chunks_exact(row).zip(after.chunks_exact(row));
    let differs = |(one, other): (&[u8], &[u8])| one != other;
    let top = rows().position(differs)?;
    let bottom = rows().rposition(differs)?;
    let (mut left, mut right) = (row / 4, 0);
    for (one, other) in rows().take(bottom + 1).skip(top) {
        let pixels = || one.chunks_exact(4).zip(other.chunks_exact(4));
        if let (Some(first), Some(last)) = (pixels().position(differs), pixels().rposition(differs)) {
            left = left.min(first);
            right = right.max(last);
        }
    }
    let even = |number: usize| u32::try_from(number / 2 * 2).ok();
    let end = |number: usize| u32::try_from(number + 1).ok();
    let (x, y) = (even(left)?, even(top)?);
    Some((x, y, end(right)? - x, end(bottom)? - y))
}

/// The chunks of a still's file that are its pixels.
fn picture_chunks(file: &[u8]) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(file.len());
    let mut rest = file.get(12..).unwrap_or_default();
    while let Some((head, after)) = rest.split_at_checked(8) {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let end = length.saturating_add(length % 2).min(after.len());
        if matches!(&head[..4], b"ALPH" | b"VP8 " | b"VP8L") {
            pixels.extend(head);
            pixels.extend(&after[..end]);
        }
        rest = &after[end..];
    }
    pixels
}

fn chunk(to: &mut Vec<u8>, kind: &[u8], data: &[u8]) {
    to.extend(kind);
    to.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
    to.extend(data);
    to.extend(&[0][..data.len() % 2]);
}

/// The last three bytes' worth of a number, the lowest first.
fn three_bytes(number: u32) -> [u8; 3] {
    let [low, middle, high, _] = number.min(0x00ff_ffff).to_le_bytes();
    [low, middle, high]
}
