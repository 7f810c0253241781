//! Pictures that are legal and odd: inks, sixteen bits, grey with transparency, palettes, one pixel, a thread of pixels. Each
//! becomes variants that look as the picture does.

use std::io::Cursor;

use domain::{
    MediaType,
    VariantFormat::{self, Jpeg, Webp},
};
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};
use imaging::{RenderLimits, Rendering, Spec, render};
use jpeg_encoder::ColorType;

fn rendered(file: &[u8], media_type: MediaType, specs: &[(u32, VariantFormat)]) -> Rendering {
    let specs: Vec<Spec> = specs
        .iter()
        .map(|&(width, format)| Spec { width, format })
        .collect();
    render(Cursor::new(file), media_type, RenderLimits::default(), &specs).unwrap()
}

fn saved(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// One colour of inks, as Photoshop's Adobe marker has them: 255 is none.
fn inks(cyan: u8, magenta: u8, yellow: u8, black: u8) -> Vec<u8> {
    let pixels: Vec<u8> = [cyan, magenta, yellow, black].repeat(400 * 300);
    let mut file = Vec::new();
    jpeg_encoder::Encoder::new(&mut file, 95)
        .encode(&pixels, 400, 300, ColorType::Cmyk)
        .unwrap();
    file
}

fn grey_jpeg(grey: u8) -> Vec<u8> {
    let mut file = Vec::new();
    jpeg_encoder::Encoder::new(&mut file, 95)
        .encode(&vec![grey; 400 * 300], 400, 300, ColorType::Luma)
        .unwrap();
    file
}

#[test]
fn whatever_the_pixels_are_made_of_a_variant_has_their_colour() {
    let deep = |red, green, blue| {
        DynamicImage::ImageRgb16(ImageBuffer::from_pixel(400, 300, Rgb([red, green, blue])))
    };
    let grey =
        |grey, alpha| DynamicImage::ImageLumaA8(ImageBuffer::from_pixel(400, 300, LumaA([grey, alpha])));
    let deep_grey =
        |grey, alpha| DynamicImage::ImageLumaA16(ImageBuffer::from_pixel(400, 300, LumaA([grey, alpha])));
    let float = DynamicImage::ImageRgb32F(ImageBuffer::from_pixel(400, 300, Rgb([1.0, 0.0, 0.0])));
    let png = ImageFormat::Png;
    for (what, file, media_type, expected) in [
        (
            "cyan ink",
            inks(255, 0, 0, 0),
            MediaType::Jpeg,
            [0, 255, 255, 255],
        ),
        (
            "yellow ink",
            inks(0, 0, 255, 0),
            MediaType::Jpeg,
            [255, 255, 0, 255],
        ),
        ("black ink", inks(0, 0, 0, 255), MediaType::Jpeg, [0, 0, 0, 255]),
        ("no ink", inks(0, 0, 0, 0), MediaType::Jpeg, [255, 255, 255, 255]),
        ("a grey JPEG", grey_jpeg(90), MediaType::Jpeg, [90, 90, 90, 255]),
        (
            "16 bits",
            saved(deep(0xc8c8, 0x2828, 0x5050), png),
            MediaType::Png,
            [200, 40, 80, 255],
        ),
        (
            "16 bits",
            saved(deep(0xc8c8, 0x2828, 0x5050), ImageFormat::Tiff),
            MediaType::Tiff,
            [200, 40, 80, 255],
        ),
        (
            "grey with alpha",
            saved(grey(120, 255), png),
            MediaType::Png,
            [120, 120, 120, 255],
        ),
        (
            "grey, half there",
            saved(grey(120, 128), png),
            MediaType::Png,
            [120, 120, 120, 128],
        ),
        (
            "grey of 16 bits with alpha",
            saved(deep_grey(0x7878, 0x8080), png),
            MediaType::Png,
            [120, 120, 120, 128],
        ),
        (
            "grey of 16 bits",
            saved(
                DynamicImage::ImageLuma16(ImageBuffer::from_pixel(400, 300, Luma([0x7878]))),
                png,
            ),
            MediaType::Png,
            [120, 120, 120, 255],
        ),
        (
            "floats",
            saved(float, ImageFormat::Tiff),
            MediaType::Tiff,
            [255, 0, 0, 255],
        ),
    ] {
        let rendering = rendered(&file, media_type, &[(300, Webp), (160, Jpeg)]);
        let webp = rendering
            .variants
            .iter()
            .find(|variant| variant.spec.format == Webp)
            .unwrap();
        let seen = image::load_from_memory(&webp.bytes).unwrap().into_rgba8();
        assert_eq!(seen.dimensions(), (300, 225), "{what}");
        let seen = seen.get_pixel(150, 110).0;
        let apart = seen
            .iter()
            .zip(expected)
            .map(|(one, other)| one.abs_diff(other))
            .max();
        assert!(apart < Some(12), "{what}: {seen:?} is not {expected:?}");
    }
}

#[test]
fn however_thin_a_picture_is_its_variants_have_at_least_a_pixel() {
    for (size, widths) in [
        ((1, 1), &[][..]),
        ((1, 16_384), &[]),
        ((16_384, 1), &[(16, 1), (300, 1), (1920, 1)]),
        ((400, 16_384), &[(16, 655), (300, 12_288)]),
        ((2, 3), &[]),
    ] {
        let (width, height) = size;
        let file = saved(
            RgbImage::from_pixel(width, height, Rgb([20, 20, 230])),
            ImageFormat::Png,
        );
        let rendering = rendered(&file, MediaType::Png, &[(16, Webp), (300, Webp), (1920, Jpeg)]);
        let made: Vec<_> = rendering
            .variants
            .iter()
            .map(|made| (made.width, made.height))
            .collect();
        assert_eq!(made, widths, "{size:?}");
        assert_eq!(rendering.shown, size);
        assert_eq!(rendering.essence.dominant, [20, 20, 230], "{size:?}");
    }
}

/// A palette of four with one that is transparent, as screenshots and icons have it.
#[test]
fn a_palette_keeps_what_is_transparent() {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 400, 300);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Two);
    encoder.set_palette(vec![0, 0, 0, 230, 20, 20, 20, 20, 230, 255, 255, 255]);
    encoder.set_trns(vec![0, 255, 255, 255]);
    let row: Vec<u8> = [vec![0b0101_0101; 50], vec![0; 50]].concat();
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&row.repeat(300))
        .unwrap();
    let rendering = rendered(&file, MediaType::Png, &[(300, Webp)]);
    let seen = image::load_from_memory(&rendering.variants[0].bytes)
        .unwrap()
        .into_rgba8();
    let (left, right) = (seen.get_pixel(20, 20).0, seen.get_pixel(280, 20).0);
    assert!(left[0] > 215 && left[1] < 35 && left[3] == 255, "{left:?}");
    assert_eq!(right[3], 0, "{right:?}");
}

/// Where light meets transparency: colours that nobody sees must not bleed into those that are seen.
#[test]
fn what_is_hidden_does_not_bleed_into_what_is_seen() {
    let file = saved(
        RgbaImage::from_fn(800, 600, |x, _| {
            Rgba(if x % 4 < 2 {
                [255, 255, 255, 255]
            } else {
                [0, 0, 0, 0]
            })
        }),
        ImageFormat::Png,
    );
    let rendering = rendered(&file, MediaType::Png, &[(160, Webp)]);
    let seen = image::load_from_memory(&rendering.variants[0].bytes)
        .unwrap()
        .into_rgba8();
    let [red, _, _, alpha] = seen.get_pixel(80, 60).0;
    assert!(red > 235, "white stays white: {red}");
    assert!((96..=160).contains(&alpha), "half of it is there: {alpha}");
}
