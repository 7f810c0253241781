use std::borrow::Cow;

use domain::VariantFormat;
use image::{DynamicImage, RgbImage};
use jpeg_encoder::ColorType;

use super::NotRenderable;

/// Where a photograph shows no loss at the size it is looked at. At this figure a WebP takes about two thirds of the JPEG.
const WEBP_QUALITY: f32 = 75.0;
const JPEG_QUALITY: u8 = 80;

/// What libwebp can do.
const WEBP_SIDE: u32 = 16_383;

/// The file of a finished picture.
pub(super) fn encode(picture: &DynamicImage, format: VariantFormat) -> Result<Vec<u8>, NotRenderable> {
    match format {
        VariantFormat::Webp => webp(picture),
        VariantFormat::Jpeg => jpeg(picture),
    }
}

pub(super) fn webp(picture: &DynamicImage) -> Result<Vec<u8>, NotRenderable> {
    let (width, height) = (picture.width(), picture.height());
    if width.max(height) > WEBP_SIDE {
        return Err(NotRenderable::NotEncodable(format!(
            "a WebP has at most {WEBP_SIDE} pixels a side"
        )));
    }
    let encoder = match picture {
        DynamicImage::ImageRgba8(pixels) => webp::Encoder::from_rgba(pixels, width, height),
        DynamicImage::ImageRgb8(pixels) => webp::Encoder::from_rgb(pixels, width, height),
        _ => return Err(NotRenderable::NotEncodable("not of eight bits".to_owned())),
    };
    encoder
        .encode_simple(false, WEBP_QUALITY)
        .map(|file| file.to_vec())
        .map_err(|error| NotRenderable::NotEncodable(format!("{error:?}")))
}

fn jpeg(picture: &DynamicImage) -> Result<Vec<u8>, NotRenderable> {
    let pixels = match picture {
        DynamicImage::ImageRgb8(pixels) => Cow::Borrowed(pixels),
        other => Cow::Owned(on_white(other)),
    };
    let side =
        |pixels: u32| u16::try_from(pixels).map_err(|error| NotRenderable::NotEncodable(error.to_string()));
    let (width, height) = (side(pixels.width())?, side(pixels.height())?);
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, JPEG_QUALITY);
    encoder.set_optimized_huffman_tables(true);
    encoder
        .encode(pixels.as_raw(), width, height, ColorType::Rgb)
        .map_err(|error| NotRenderable::NotEncodable(error.to_string()))?;
    Ok(file)
}

/// What shows through is white, as on most pages.
fn on_white(picture: &DynamicImage) -> RgbImage {
    let mut solid = RgbImage::new(picture.width(), picture.height());
    for (to, from) in solid.pixels_mut().zip(picture.to_rgba8().pixels()) {
        let [red, green, blue, alpha] = from.0;
        let mix = |colour: u8| {
            let alpha = u16::from(alpha);
            let mixed = (u16::from(colour) * alpha + 255 * (255 - alpha)) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        to.0 = [mix(red), mix(green), mix(blue)];
    }
    solid
}
