//! For `bench/thumbnails.py`: what a decoder process does for one thumbnail, and nothing else.
//!
//! - `thumbnail draw WIDTH HEIGHT OUT.jpg`: a picture that compresses as a photograph does;
//! - `thumbnail make IN OUT.webp`: its thumbnail;
//! - `thumbnail share FOLDER`: what variants of the pictures in a folder take of the disk, in percent of the originals.

use std::{
    error::Error,
    fs::{self, File},
    io::BufReader,
    path::Path,
};

use domain::{NamedWidths, VariantFormat};
use imaging::{RenderLimits, Spec, render, sniff};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["draw", width, height, out] => draw(width.parse()?, height.parse()?, Path::new(out)),
        ["make", from, out] => make(Path::new(from), Path::new(out)),
        ["share", folder] => share(Path::new(folder)),
        _ => Err("thumbnail draw WIDTH HEIGHT OUT | make IN OUT | share FOLDER".into()),
    }
}

/// Soft slopes with grain over them.
fn draw(width: u16, height: u16, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
    for y in 0..u32::from(height) {
        for x in 0..u32::from(width) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let grain = u32::try_from(seed % 17)?;
            let hill = (x * 5 / 16 + (y * y / 9000) + (x ^ y) / 64) % 190;
            for tint in [20, 35, 8] {
                pixels.push(u8::try_from((hill + grain + tint).min(255))?);
            }
        }
    }
    let encoder = jpeg_encoder::Encoder::new_file(out, 88)?;
    encoder.encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb)?;
    Ok(())
}

fn specs(widths: &[u32]) -> Vec<Spec> {
    let spec = |&width: &u32| Spec {
        width,
        format: VariantFormat::Webp,
    };
    widths.iter().map(spec).collect()
}

fn make(from: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let wanted = specs(&[NamedWidths::THUMB]);
    let (_, rendering) = rendered(from, &wanted)?.ok_or("no picture")?;
    let bytes = rendering.variants.first().map(|variant| variant.bytes.as_slice());
    Ok(fs::write(out, bytes.unwrap_or_default())?)
}

fn rendered(from: &Path, wanted: &[Spec]) -> Result<Option<(u64, imaging::Rendering)>, Box<dyn Error>> {
    let head = fs::read(from)?;
    let Some(media_type) = sniff(&head) else {
        return Ok(None);
    };
    let source = BufReader::new(File::open(from)?);
    let rendering = render(source, media_type, RenderLimits::default(), wanted);
    Ok(rendering.ok().map(|rendering| (head.len() as u64, rendering)))
}

fn share(folder: &Path) -> Result<(), Box<dyn Error>> {
    let widths = NamedWidths::default();
    let (mut originals, mut thumbs, mut all, mut pictures) = (0, 0, 0, 0);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Ok(Some((size, rendering))) = rendered(&path, &specs(widths.all())) else {
            continue;
        };
        pictures += 1;
        originals += size;
        for variant in rendering.variants {
            let bytes = variant.bytes.len() as u64;
            // As upload-svc does: what saves nothing is not kept.
            if bytes < size {
                all += bytes;
                thumbs += if variant.spec.width == NamedWidths::THUMB {
                    bytes
                } else {
                    0
                };
            }
        }
    }
    let percent =
        |part: u64| f64::from(u32::try_from(part * 1000 / originals.max(1)).unwrap_or(u32::MAX)) / 10.0;
    println!(
        "{pictures} pictures, {originals} bytes; thumbnails {thumbs} ({}%), the whole ladder {all} ({}%)",
        percent(thumbs),
        percent(all)
    );
    Ok(())
}
