use std::io::{BufRead, Read as _, Seek, SeekFrom};

use domain::MediaType;
use image::{
    ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage, metadata::Orientation,
};
use jpeg_decoder::{CodingProcess, PixelFormat};

use super::{NotRenderable, RenderLimits, colour};

/// A picture's pixels as they are stored, and what is needed to show them.
pub(super) struct Decoded {
    /// `Rgb8`, or `Rgba8` where something may be transparent. A JPEG's may be fewer than the file has.
    pub(super) pixels: DynamicImage,
    /// Width and height of the file's own pixels, as stored.
    pub(super) original: (u32, u32),
    /// How to turn them.
    pub(super) orientation: Orientation,
    /// The ICC profile that their colours are meant in; sRGB where there is none.
    pub(super) profile: Option<Vec<u8>>,
}

/// Decodes a picture, at least `widest` pixels wide once upright if it has so many.
pub(super) fn decode<R: BufRead + Seek>(
    source: R,
    media_type: MediaType,
    limits: RenderLimits,
    widest: u32,
) -> Result<Decoded, NotRenderable> {
    let format = match media_type {
        MediaType::Jpeg => return decode_jpeg(source, limits, widest),
        MediaType::Png => ImageFormat::Png,
        MediaType::Gif => ImageFormat::Gif,
        MediaType::Webp => ImageFormat::WebP,
        MediaType::Bmp => ImageFormat::Bmp,
        MediaType::Tiff => ImageFormat::Tiff,
        other => return Err(NotRenderable::Unsupported(other)),
    };
    let broken = |error: image::ImageError| NotRenderable::Broken(error.to_string());
    let mut reader = ImageReader::with_format(source, format);
    let mut allowed = Limits::default();
    allowed.max_alloc = Some(limits.pixel_bytes);
    reader.limits(allowed);
    // Of an animation the first frame.
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let original = decoder.dimensions();
    let pixels = u64::from(original.0) * u64::from(original.1);
    // What is not of one byte a channel is there twice while it is brought to that.
    let converted = match decoder.color_type() {
        ColorType::Rgb8 | ColorType::Rgba8 => 0,
        _ => pixels * 4,
    };
    check(decoder.total_bytes().saturating_add(converted), limits)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let pixels = match DynamicImage::from_decoder(decoder).map_err(broken)? {
        done @ (DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgba8(_)) => done,
        other if other.color().has_alpha() => DynamicImage::ImageRgba8(other.into_rgba8()),
        other => DynamicImage::ImageRgb8(other.into_rgb8()),
    };
    Ok(Decoded {
        pixels,
        original,
        orientation,
        profile,
    })
}

fn check(needed: u64, limits: RenderLimits) -> Result<(), NotRenderable> {
    let allowed = limits.pixel_bytes;
    if needed > allowed {
        return Err(NotRenderable::TooLarge { needed, allowed });
    }
    Ok(())
}

/// Entropy decoding is the floor of the time; what comes after it is done on as few pixels as the widest variant needs.
fn decode_jpeg<R: BufRead + Seek>(
    mut source: R,
    limits: RenderLimits,
    widest: u32,
) -> Result<Decoded, NotRenderable> {
    let broken = |error: jpeg_decoder::Error| NotRenderable::Broken(error.to_string());
    let orientation = jpeg_orientation(&mut source);
    source
        .rewind()
        .map_err(|error| NotRenderable::Broken(error.to_string()))?;
    let mut decoder = jpeg_decoder::Decoder::new(source);
    decoder.set_max_decoding_buffer_size(usize::try_from(limits.pixel_bytes).unwrap_or(usize::MAX));
    decoder.read_info().map_err(broken)?;
    let no_header = || NotRenderable::Broken("there is no frame".to_owned());
    let info = decoder.info().ok_or_else(no_header)?;
    let original = (u32::from(info.width), u32::from(info.height));
    // A picture that lies on its side is as wide as it is stored high. Asking for a square of the wanted width gives
    // enough either way; the smaller side is the one that counts.
    let (narrow, wide) = (original.0.min(original.1).max(1), original.0.max(original.1));
    let needed = u64::from(widest) * u64::from(wide) / u64::from(narrow);
    let request = |length: u32| {
        let share = u64::from(length) * needed / u64::from(wide.max(1));
        u16::try_from(share.clamp(1, u64::from(length))).unwrap_or(u16::MAX)
    };
    let (width, height) = decoder
        .scale(request(original.0), request(original.1))
        .map_err(broken)?;
    let scaled = u64::from(width) * u64::from(height);
    let channels = info.pixel_format.pixel_bytes() as u64;
    // A progressive file's coefficients are kept, two bytes each, until its last scan is read.
    let coefficients = match info.coding_process {
        CodingProcess::DctProgressive => u64::from(original.0) * u64::from(original.1) * channels * 2,
        _ => 0,
    };
    check(coefficients + scaled * (channels + 3), limits)?;
    let bytes = decoder.decode().map_err(broken)?;
    let profile = decoder.icc_profile();
    let (bytes, profile) = match info.pixel_format {
        PixelFormat::RGB24 => (bytes, profile),
        PixelFormat::L8 => (bytes.iter().flat_map(|&grey| [grey; 3]).collect(), None),
        PixelFormat::L16 => (
            bytes
                .as_chunks::<2>()
                .0
                .iter()
                .flat_map(|&grey| [u16::from_ne_bytes(grey).to_be_bytes()[0]; 3])
                .collect(),
            None,
        ),
        PixelFormat::CMYK32 => (colour::cmyk_to_srgb(&bytes, profile.as_deref()), None),
    };
    let pixels = RgbImage::from_raw(u32::from(width), u32::from(height), bytes)
        .ok_or_else(|| NotRenderable::Broken("the pixels are not all there".to_owned()))?;
    Ok(Decoded {
        pixels: pixels.into(),
        original,
        orientation,
        profile,
    })
}

/// The orientation that the EXIF block of a JPEG tells. It stands in one of the first segments; the decoder would tell it
/// only when it is too late to choose by it.
fn jpeg_orientation<R: BufRead + Seek>(source: &mut R) -> Orientation {
    find_exif(source)
        .and_then(|exif| Orientation::from_exif_chunk(&exif))
        .unwrap_or(Orientation::NoTransforms)
}

fn find_exif<R: BufRead + Seek>(source: &mut R) -> Option<Vec<u8>> {
    const EXIF: &[u8] = b"Exif\0\0";
    /// Pictures have a handful of segments before their pixels; bombs of them are not searched.
    const SEGMENTS: usize = 64;
    source.seek(SeekFrom::Start(2)).ok()?;
    for _ in 0..SEGMENTS {
        let mut head = [0; 4];
        source.read_exact(&mut head).ok()?;
        let [0xff, marker, high, low] = head else {
            return None;
        };
        let length = u64::from(u16::from_be_bytes([high, low])).checked_sub(2)?;
        match marker {
            0xe1 => {
                let mut segment = Vec::new();
                source.by_ref().take(length).read_to_end(&mut segment).ok()?;
                if let Some(exif) = segment.strip_prefix(EXIF) {
                    return Some(exif.to_vec());
                }
            }
            // The pixels begin.
            0xda | 0xd9 => return None,
            _ => {
                source.seek_relative(i64::try_from(length).ok()?).ok()?;
            }
        }
    }
    None
}
