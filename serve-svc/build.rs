//! Draws the two placeholder pictures, `art/refused.svg` and `art/missing.svg`, and what is shown of videos and photographs without a
//! picture that is decoded, `art/video.svg` and `art/photo.svg`, into `OUT_DIR` as PNG.
//!
//! It happens here, while building, so that serve-svc, which faces the world, links neither a renderer
//! nor a decoder: it only includes the finished bytes. The art needs no font; its letters are strokes.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use resvg::tiny_skia::{Pixmap, PremultipliedColorU8, Transform};
use resvg::usvg;

/// The pictures are drawn for 480 by 320 and shown on dense screens: twice that.
const SCALE: f32 = 2.0;

/// A placeholder goes out on every refusal, so it must stay small; a change of the art that forgets it fails the build.
const MOST_BYTES: usize = 20 * 1024;

/// What a palette of one byte a pixel can hold.
const MOST_COLOURS: usize = 256;

/// Red, green, blue, alpha; not premultiplied.
type Colour = [u8; 4];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=art");
    // Cargo speaks to build scripts through the environment; the ban on reading it is about settings.
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    for name in ["refused", "missing", "video", "photo"] {
        let picture = draw(Path::new("art").join(name).with_extension("svg").as_path())?;
        let png = encode(&picture)?;
        if png.len() > MOST_BYTES {
            return Err(format!(
                "{name}.png has {} bytes; at most {MOST_BYTES} are allowed",
                png.len()
            )
            .into());
        }
        fs::write(out.join(name).with_extension("png"), png)?;
    }
    Ok(())
}

fn draw(svg: &Path) -> Result<Pixmap, Box<dyn Error>> {
    let tree = usvg::Tree::from_data(&fs::read(svg)?, &usvg::Options::default())?;
    let size = tree
        .size()
        .to_int_size()
        .scale_by(SCALE)
        .ok_or("the drawing has no size")?;
    let mut picture = Pixmap::new(size.width(), size.height()).ok_or("the drawing has no size")?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut picture.as_mut());
    Ok(picture)
}

/// Flat art has few colours: a palette halves the file against RGBA and loses nothing.
fn encode(picture: &Pixmap) -> Result<Vec<u8>, Box<dyn Error>> {
    let pixels: Vec<Colour> = picture
        .pixels()
        .iter()
        .map(PremultipliedColorU8::demultiply)
        .map(|pixel| [pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()])
        .collect();
    let palette = palette(&pixels);
    let mut nearest = HashMap::new();
    let indices: Vec<u8> = pixels
        .iter()
        .map(|&pixel| {
            *nearest
                .entry(pixel)
                .or_insert_with(|| nearest_in(&palette, pixel))
        })
        .collect();

    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(
        palette
            .iter()
            .flat_map(|[red, green, blue, _]| [*red, *green, *blue])
            .collect::<Vec<u8>>(),
    );
    encoder.set_trns(palette.iter().map(|[.., alpha]| *alpha).collect::<Vec<u8>>());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&indices)?;
    writer.finish()?;
    Ok(bytes)
}

/// The colours in use, the most frequent first, so that the same art always gives the same bytes.
fn palette(pixels: &[Colour]) -> Vec<Colour> {
    let mut uses: HashMap<Colour, usize> = HashMap::new();
    for pixel in pixels {
        *uses.entry(*pixel).or_default() += 1;
    }
    let mut colours: Vec<(Colour, usize)> = uses.into_iter().collect();
    colours.sort_by(|(one, uses_of_one), (other, uses_of_other)| {
        uses_of_other.cmp(uses_of_one).then(one.cmp(other))
    });
    colours
        .into_iter()
        .take(MOST_COLOURS)
        .map(|(colour, _)| colour)
        .collect()
}

/// The place in the palette of a colour, or of the one that looks most like it when the palette was full.
fn nearest_in(palette: &[Colour], colour: Colour) -> u8 {
    let distance = |other: &Colour| -> u32 {
        colour
            .iter()
            .zip(other)
            .map(|(one, two)| u32::from(one.abs_diff(*two)).pow(2))
            .sum()
    };
    (0..=u8::MAX)
        .zip(palette)
        .min_by_key(|(_, other)| distance(other))
        .map_or(0, |(place, _)| place)
}
