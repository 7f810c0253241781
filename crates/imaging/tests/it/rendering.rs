use std::{fs::File, io::BufReader, io::Cursor, path::Path};

use domain::{
    MediaType,
    VariantFormat::{self, Jpeg, Webp},
};
use image::{
    Delay, DynamicImage, Frame, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage, codecs::gif::GifEncoder,
};
use imaging::{NotRenderable, Output, RenderLimits, Rendering, Spec, render};

use crate::rig::{decoders, file};

const RED: [u8; 3] = [230, 20, 20];
const GREEN: [u8; 3] = [20, 200, 20];
const BLUE: [u8; 3] = [20, 20, 230];
const WHITE: [u8; 3] = [250, 250, 250];

fn rendered(
    file: &[u8],
    media_type: MediaType,
    specs: &[(u32, VariantFormat)],
) -> Result<Rendering, NotRenderable> {
    let specs: Vec<Spec> = specs
        .iter()
        .map(|&(width, format)| Spec { width, format })
        .collect();
    render(Cursor::new(file), media_type, RenderLimits::default(), &specs)
}

/// Red, green; blue, white: each a quarter, from the upper left.
fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => WHITE,
        })
    })
}

fn jpeg(picture: &RgbImage, orientation: Option<u8>, profile: Option<&[u8]>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 95);
    if let Some(orientation) = orientation {
        let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        encoder.add_exif_metadata(&exif).unwrap();
    }
    if let Some(profile) = profile {
        encoder.add_icc_profile(profile).unwrap();
    }
    let (width, height) = picture.dimensions();
    encoder
        .encode(
            picture,
            width.try_into().unwrap(),
            height.try_into().unwrap(),
            jpeg_encoder::ColorType::Rgb,
        )
        .unwrap();
    file
}

fn saved(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn opened(file: &[u8]) -> RgbaImage {
    if file.starts_with(b"\xff\xd8") {
        let mut decoder = jpeg_decoder::Decoder::new(file);
        let bytes = decoder.decode().unwrap();
        let info = decoder.info().unwrap();
        let picture = RgbImage::from_raw(info.width.into(), info.height.into(), bytes).unwrap();
        return DynamicImage::from(picture).into_rgba8();
    }
    image::load_from_memory(file).unwrap().into_rgba8()
}

#[track_caller]
fn is_close(seen: [u8; 4], expected: [u8; 3]) {
    let apart = seen
        .iter()
        .zip(expected)
        .map(|(one, other)| one.abs_diff(other))
        .max();
    assert!(apart < Some(24), "{seen:?} is not {expected:?}");
}

#[test]
fn a_variant_has_the_width_it_was_asked_in_and_nothing_is_made_larger() {
    let picture = quarters(1000, 600);
    for (file, media_type) in [
        (jpeg(&picture, None, None), MediaType::Jpeg),
        (saved(picture.clone(), ImageFormat::Png), MediaType::Png),
        (saved(picture.clone(), ImageFormat::Bmp), MediaType::Bmp),
        (saved(picture.clone(), ImageFormat::Tiff), MediaType::Tiff),
        (saved(picture.clone(), ImageFormat::Gif), MediaType::Gif),
        (saved(picture.clone(), ImageFormat::WebP), MediaType::Webp),
    ] {
        let wanted = [
            (160, Webp),
            (300, Webp),
            (300, Jpeg),
            (999, Jpeg),
            (1000, Webp),
            (1920, Webp),
        ];
        let rendering = rendered(&file, media_type, &wanted).unwrap();
        assert_eq!(rendering.shown, (1000, 600), "{media_type}");
        let made: Vec<_> = rendering
            .variants
            .iter()
            .map(|variant| (variant.spec.format, variant.width, variant.height))
            .collect();
        let expected = [
            (Webp, 160, 96),
            (Webp, 300, 180),
            (Jpeg, 300, 180),
            (Jpeg, 999, 599),
        ];
        assert_eq!(made, expected, "{media_type}");
        for variant in &rendering.variants {
            let picture = opened(&variant.bytes);
            assert_eq!(picture.dimensions(), (variant.width, variant.height));
            is_close(picture.get_pixel(9, 9).0, RED);
            is_close(picture.get_pixel(variant.width - 9, 9).0, GREEN);
        }
    }
}

#[test]
fn what_was_taken_lying_stands_upright() {
    // By orientation: what is seen in the upper left, upper right and lower left.
    for (orientation, corners) in [
        (1, [RED, GREEN, BLUE]),
        (2, [GREEN, RED, WHITE]),
        (3, [WHITE, BLUE, GREEN]),
        (4, [BLUE, WHITE, RED]),
        (5, [RED, BLUE, GREEN]),
        (6, [BLUE, RED, WHITE]),
        (7, [WHITE, GREEN, BLUE]),
        (8, [GREEN, WHITE, RED]),
    ] {
        let file = jpeg(&quarters(800, 400), Some(orientation), None);
        let rendering = rendered(&file, MediaType::Jpeg, &[(300, Webp)]).unwrap();
        let variant = &rendering.variants[0];
        let expected = if orientation < 5 { (300, 150) } else { (300, 600) };
        assert_eq!(
            (variant.width, variant.height),
            expected,
            "orientation {orientation}"
        );
        let picture = opened(&variant.bytes);
        let (right, bottom) = (variant.width - 9, variant.height - 9);
        for ((x, y), colour) in [(9, 9), (right, 9), (9, bottom)].into_iter().zip(corners) {
            is_close(picture.get_pixel(x, y).0, colour);
        }
    }
}

#[test]
fn colours_of_a_wide_gamut_keep_their_look() {
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let picture = RgbImage::from_pixel(600, 400, Rgb([200, 60, 60]));
    let file = jpeg(&picture, None, Some(&profile));
    let rendering = rendered(&file, MediaType::Jpeg, &[(300, Webp)]).unwrap();
    // Display P3 (200, 60, 60) is about sRGB (216, 46, 54).
    let seen = opened(&rendering.variants[0].bytes).get_pixel(150, 100).0;
    assert!(seen[0] > 210 && seen[1] < 54, "{seen:?}");
    assert!(rendering.essence.dominant[0] > 210, "{:?}", rendering.essence);
    let unchanged = rendered(&jpeg(&picture, None, None), MediaType::Jpeg, &[(300, Webp)]).unwrap();
    is_close(
        opened(&unchanged.variants[0].bytes).get_pixel(150, 100).0,
        [200, 60, 60],
    );
    let nonsense = rendered(
        &jpeg(&picture, None, Some(&profile[..99])),
        MediaType::Jpeg,
        &[(300, Webp)],
    )
    .unwrap();
    is_close(
        opened(&nonsense.variants[0].bytes).get_pixel(150, 100).0,
        [200, 60, 60],
    );
}

#[test]
fn what_is_transparent_stays_so_in_webp_and_is_white_in_jpeg() {
    let picture = RgbaImage::from_fn(600, 400, |x, _| {
        if x < 300 {
            Rgba([20, 20, 230, 255])
        } else {
            Rgba([0, 0, 0, 0])
        }
    });
    let file = saved(picture, ImageFormat::Png);
    let rendering = rendered(&file, MediaType::Png, &[(300, Webp), (300, Jpeg)]).unwrap();
    let (webp, jpeg) = (
        opened(&rendering.variants[0].bytes),
        opened(&rendering.variants[1].bytes),
    );
    is_close(webp.get_pixel(40, 100).0, BLUE);
    assert_eq!(webp.get_pixel(260, 100).0[3], 0);
    is_close(jpeg.get_pixel(260, 100).0, [255, 255, 255]);
    is_close(jpeg.get_pixel(40, 100).0, BLUE);
}

#[test]
fn of_an_animation_the_first_frame_is_shown() {
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new(&mut file);
    for colour in [RED, GREEN, BLUE] {
        let [red, green, blue] = colour;
        let still = RgbaImage::from_pixel(400, 300, Rgba([red, green, blue, 255]));
        encoder
            .encode_frame(Frame::from_parts(still, 0, 0, Delay::from_numer_denom_ms(100, 1)))
            .unwrap();
    }
    drop(encoder);
    let rendering = rendered(&file, MediaType::Gif, &[(160, Webp)]).unwrap();
    is_close(opened(&rendering.variants[0].bytes).get_pixel(80, 60).0, RED);
}

#[test]
fn a_picture_has_an_essence_whatever_its_shape() {
    for (width, height) in [(1, 1), (2, 3000), (3000, 2), (640, 480), (99, 101)] {
        let file = saved(RgbImage::from_pixel(width, height, Rgb(BLUE)), ImageFormat::Png);
        let rendering = rendered(&file, MediaType::Png, &[]).unwrap();
        assert_eq!(rendering.essence.dominant, BLUE, "{width} × {height}");
        assert!((5..=30).contains(&rendering.essence.thumbhash.len()));
        let (red, green, blue, alpha) =
            thumbhash::thumb_hash_to_average_rgba(&rendering.essence.thumbhash).unwrap();
        assert!(
            blue > 0.8 && red < 0.2 && green < 0.2 && alpha > 0.9,
            "{red} {green} {blue}"
        );
    }
}

#[test]
fn too_many_pixels_are_refused_before_they_are_decoded() {
    let limits = RenderLimits { pixel_bytes: 1 << 20 };
    let spec = [Spec {
        width: 300,
        format: Webp,
    }];
    for (file, media_type, fits) in [
        (saved(quarters(700, 700), ImageFormat::Png), MediaType::Png, false),
        (saved(quarters(500, 500), ImageFormat::Png), MediaType::Png, true),
        // Scaled while it is decoded, this one never has so many pixels.
        (jpeg(&quarters(2400, 2400), None, None), MediaType::Jpeg, true),
    ] {
        let outcome = render(Cursor::new(&file), media_type, limits, &spec);
        assert_eq!(outcome.is_ok(), fits, "{media_type} {outcome:?}");
    }
}

#[test]
fn what_is_no_picture_or_of_no_decoder_is_said_to_be() {
    let video = rendered(b"\0\0\0\x18ftypmp42", MediaType::Mp4, &[]);
    assert_eq!(video, Err(NotRenderable::Unsupported(MediaType::Mp4)));
    for media_type in [
        MediaType::Jpeg,
        MediaType::Png,
        MediaType::Gif,
        MediaType::Webp,
        MediaType::Tiff,
    ] {
        for file in [
            &b""[..],
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            b"GIF89a\x01\0\x01\0",
        ] {
            let outcome = rendered(file, media_type, &[(300, Webp)]);
            assert!(
                matches!(outcome, Err(NotRenderable::Broken(_))),
                "{media_type} {outcome:?}"
            );
        }
    }
}

/// Photographs as cameras and phones write them, oddities and hostile files: whatever they are, they end in variants or in a
/// reason.
#[test]
fn the_corpus_is_rendered_or_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !corpus.is_dir() {
        eprintln!("no corpus here: not tested");
        return;
    }
    let (mut made, mut refused) = (0, 0);
    for folder in ["exif-samples", "sharp", "image-rs", "libvips"] {
        for entry in std::fs::read_dir(corpus.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let Ok(file) = File::open(&path) else { continue };
            let mut head = vec![0; 4096];
            let length = std::io::Read::read(&mut &file, &mut head).unwrap_or_default();
            let Some(media_type) = imaging::sniff(&head[..length]) else {
                continue;
            };
            std::io::Seek::rewind(&mut &file).unwrap();
            let spec = [Spec {
                width: 160,
                format: Webp,
            }];
            let outcome = std::panic::catch_unwind(|| {
                render(BufReader::new(&file), media_type, RenderLimits::default(), &spec)
            });
            match outcome.unwrap_or_else(|_| panic!("{} makes a decoder panic", path.display())) {
                Ok(rendering) => {
                    made += 1;
                    assert!(
                        rendering.variants.iter().all(|variant| variant.width == 160),
                        "{path:?}"
                    );
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(made > 100, "{made} made, {refused} refused");
}

/// Few browsers show a TIFF: there is always another picture of it.
#[tokio::test]
async fn a_tiff_that_is_narrower_than_what_is_asked_for_is_rendered_as_wide_as_it_is() {
    let tiff = file(&saved(quarters(200, 120), ImageFormat::Tiff));
    let (wide, narrow) = (file(b""), file(b""));
    let output = |width, format, path: &tempfile::TempPath| Output {
        spec: Spec { width, format },
        path: path.to_path_buf(),
    };
    let outputs = vec![output(300, Webp, &wide), output(160, Jpeg, &narrow)];
    let rendered = decoders()
        .render(tiff.to_path_buf(), outputs)
        .await
        .unwrap()
        .unwrap();
    let mut sizes: Vec<(u32, u32)> = rendered
        .made
        .iter()
        .map(|made| (made.width, made.height))
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [(160, 96), (200, 120)]);
    assert!(std::fs::read(&wide).unwrap().starts_with(b"RIFF"));
}
