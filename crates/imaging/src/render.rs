//! Variants: a picture made smaller, upright and sRGB, as WebP or JPEG; and the few bytes that stand in for it before it
//! has arrived.
//!
//! It decodes once for all widths that are wanted. A JPEG is scaled while it is decoded, so that a thumbnail of twelve
//! megapixels never holds them. Nothing is made larger than it was.

mod animation;
mod colour;
mod decode;
mod encode;
mod essence;
mod files;

use std::io::{BufRead, Seek};

use domain::{MediaType, VariantFormat};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image};
use image::{DynamicImage, RgbImage, RgbaImage};
use serde::{Deserialize, Serialize};

use decode::{Decoded, decode};
pub use essence::Essence;
pub(crate) use files::render_files;
pub use files::{Made, Output, RenderedFiles};

/// A variant that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// How wide, in pixels, once it is upright. The height follows.
    pub width: u32,
    /// In which format.
    pub format: VariantFormat,
}

/// What rendering may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderLimits {
    /// Bytes that decoded pixels may take.
    pub pixel_bytes: u64,
}

impl Default for RenderLimits {
    /// 160 MiB: a photograph of 50 megapixels (of 25 where it is progressive and keeps all its colours), a screenshot of 40.
    fn default() -> Self {
        Self {
            pixel_bytes: 160 << 20,
        }
    }
}

/// A variant, made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// What was wanted.
    pub spec: Spec,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// The file.
    pub bytes: Vec<u8>,
}

/// What a picture gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendering {
    /// Width and height as the picture is shown, its orientation applied.
    pub shown: (u32, u32),
    /// The variants that are narrower than the picture. There is no use in the others: the original is as good. Of a picture
    /// that stands for its file, all that were wanted: none is wider than the picture.
    pub variants: Vec<Rendered>,
    /// What stands in for the picture.
    pub essence: Essence,
}

/// Why there are no variants of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum NotRenderable {
    /// No decoder of this format is linked.
    #[error("{0} files are not decoded here")]
    Unsupported(MediaType),
    /// It holds no picture of a format that is decoded here.
    #[error("there is no picture in it that is decoded here")]
    NoPicture,
    /// Its pixels would take more memory than is allowed.
    #[error("its pixels take {needed} bytes; {allowed} are allowed")]
    TooLarge {
        /// Bytes that it would take.
        needed: u64,
        /// Bytes that are allowed.
        allowed: u64,
    },
    /// The decoder gave up.
    #[error("the file can't be decoded: {0}")]
    Broken(String),
    /// The encoder gave up.
    #[error("the variant can't be encoded: {0}")]
    NotEncodable(String),
}

/// Makes the variants of a picture that `specs` ask for. `source` is the file, from its beginning. It takes as long as
/// decoding takes and trusts the file no further than its decoders do: run it where its end is nobody else's.
pub fn render<R: BufRead + Seek>(
    source: R,
    media_type: MediaType,
    limits: RenderLimits,
    specs: &[Spec],
) -> Result<Rendering, NotRenderable> {
    variants_of(source, media_type, limits, specs, WiderThanPicture::Passed)
}

/// What becomes of a variant that is wanted wider than its picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WiderThanPicture {
    /// There is none: the file itself is the answer.
    Passed,
    /// It is as wide as the picture: the file is a video or a TIFF, and no answer to who wants a picture.
    AsWideAsPicture,
}

fn variants_of<R: BufRead + Seek>(
    source: R,
    media_type: MediaType,
    limits: RenderLimits,
    specs: &[Spec],
    wider: WiderThanPicture,
) -> Result<Rendering, NotRenderable> {
    let widest = specs.iter().map(|spec| spec.width).max().unwrap_or(1);
    let decoded = decode(source, media_type, limits, widest)?;
    let shown = decoded.shown();
    let mut resizer = Resizer::new();
    let essence = Essence::of(&decoded.sized(&mut resizer, decoded.within(Essence::SIDE))?);
    let mut variants: Vec<Rendered> = Vec::with_capacity(specs.len());
    let mut widths: Vec<u32> = specs.iter().map(|spec| spec.width).collect();
    widths.sort_unstable();
    widths.dedup();
    let has_use = |&width: &u32| wider == WiderThanPicture::AsWideAsPicture || (1..shown.0).contains(&width);
    for width in widths.into_iter().filter(has_use) {
        let own_width = width.clamp(1, shown.0);
        let height = scaled(shown.1, own_width, shown.0);
        let picture = decoded.sized(&mut resizer, (own_width, height))?;
        for spec in specs.iter().filter(|spec| spec.width == width) {
            variants.push(Rendered {
                spec: *spec,
                width: picture.width(),
                height: picture.height(),
                bytes: encode::encode(&picture, spec.format)?,
            });
        }
    }
    Ok(Rendering {
        shown,
        variants,
        essence,
    })
}

/// `length · to / from`, rounded, and at least one pixel.
fn scaled(length: u32, to: u32, from: u32) -> u32 {
    let exact = (u64::from(length) * u64::from(to) + u64::from(from) / 2) / u64::from(from.max(1));
    u32::try_from(exact).unwrap_or(u32::MAX).max(1)
}

impl Decoded {
    /// Width and height once upright.
    fn shown(&self) -> (u32, u32) {
        let (width, height) = self.original;
        if self.turns() {
            (height, width)
        } else {
            (width, height)
        }
    }

    fn turns(&self) -> bool {
        use image::metadata::Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        matches!(
            self.orientation,
            Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH
        )
    }

    /// The largest size of these proportions within a square that is not larger than the picture.
    fn within(&self, side: u32) -> (u32, u32) {
        let (width, height) = self.shown();
        let side = side.min(width.max(height));
        if width >= height {
            (side, scaled(height, side, width))
        } else {
            (scaled(width, side, height), side)
        }
    }

    /// The picture as it is shown, upright and sRGB, in this size.
    fn sized(&self, resizer: &mut Resizer, size: (u32, u32)) -> Result<DynamicImage, NotRenderable> {
        let (width, height) = if self.turns() { (size.1, size.0) } else { size };
        let mut picture = resize(resizer, &self.pixels, width, height)?;
        colour::to_srgb(&mut picture, self.profile.as_deref());
        picture.apply_orientation(self.orientation);
        Ok(picture)
    }
}

fn resize(
    resizer: &mut Resizer,
    pixels: &DynamicImage,
    width: u32,
    height: u32,
) -> Result<DynamicImage, NotRenderable> {
    let kind = if pixels.color().has_alpha() {
        PixelType::U8x4
    } else {
        PixelType::U8x3
    };
    let broken = |error: &dyn std::error::Error| NotRenderable::Broken(error.to_string());
    let source =
        fast_image_resize::images::ImageRef::new(pixels.width(), pixels.height(), pixels.as_bytes(), kind)
            .map_err(|error| broken(&error))?;
    let mut smaller = Image::new(width, height, kind);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    resizer
        .resize(&source, &mut smaller, &options)
        .map_err(|error| broken(&error))?;
    let bytes = smaller.into_vec();
    let picture = match kind {
        PixelType::U8x4 => RgbaImage::from_raw(width, height, bytes).map(DynamicImage::from),
        _ => RgbImage::from_raw(width, height, bytes).map(DynamicImage::from),
    };
    picture.ok_or_else(|| NotRenderable::Broken("the pixels are not all there".to_owned()))
}
