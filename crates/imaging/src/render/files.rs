use std::{
    fs::File,
    io::{BufReader, Cursor},
    path::{Path, PathBuf},
};

use domain::{Kind, MediaType, VariantFormat};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Essence, NotRenderable, RenderLimits, Rendered, Rendering, Spec, WiderThanPicture,
    animation::{MOST_FRAMES, MOST_PIXELS_READ, moving},
    variants_of,
};
use crate::{
    sniff::{SNIFF_BYTES, sniff},
    source::Source,
    survey::{Still, still, survey},
};

/// A variant that is wanted, and the file, made by whoever wants it, that it goes into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// What is wanted.
    pub spec: Spec,
    /// Where it goes.
    pub path: PathBuf,
}

/// A variant that is in its file now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// What was wanted.
    pub spec: Spec,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// What a picture gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderedFiles {
    /// Width and height as the picture is shown, its orientation applied.
    pub shown: (u32, u32),
    /// The variants that there are. The files of the others are as they were.
    pub made: Vec<Made>,
    /// What stands in for the picture.
    pub essence: Essence,
}

/// Renders the picture at `path`, or the one in the video there, into files.
pub(crate) fn render_files(path: &Path, outputs: &[Output]) -> Result<RenderedFiles, NotRenderable> {
    let broken = |error: std::io::Error| NotRenderable::Broken(error.to_string());
    let source = Source::open(path).map_err(broken)?;
    let media_type = sniff(&source.up_to(0, SNIFF_BYTES as u64))
        .ok_or_else(|| NotRenderable::Broken("the bytes are of no known format".to_owned()))?;
    let specs: Vec<Spec> = outputs.iter().map(|output| output.spec).collect();
    let limits = RenderLimits::default();
    let rendering = if media_type.kind() == Kind::Video {
        let Still { media_type, bytes } = still(&source, media_type).ok_or(NotRenderable::NoPicture)?;
        let wider = WiderThanPicture::AsWideAsPicture;
        variants_of(Cursor::new(bytes), media_type, limits, &specs, wider)?
    } else {
        let file = || File::open(path).map(BufReader::new).map_err(broken);
        let wider = if media_type.is_picture_for_browsers() {
            WiderThanPicture::Passed
        } else {
            WiderThanPicture::AsWideAsPicture
        };
        let mut rendering = variants_of(file()?, media_type, limits, &specs, wider)?;
        if let Some(frames) = frames_worth_moving(&source, media_type) {
            // A moving one that does not halve the file would not be kept, where its still would be.
            let most = source.len() / 2;
            move_variants(&mut rendering, file()?, (media_type, frames), limits, most);
        }
        rendering
    };
    let mut made = Vec::with_capacity(rendering.variants.len());
    for variant in rendering.variants {
        let output = outputs.iter().find(|output| output.spec == variant.spec);
        if let Some(output) = output {
            std::fs::write(&output.path, &variant.bytes).map_err(broken)?;
            made.push(Made {
                spec: variant.spec,
                width: variant.width,
                height: variant.height,
            });
        }
    }
    Ok(RenderedFiles {
        shown: rendering.shown,
        made,
        essence: rendering.essence,
    })
}

/// How many frames an animation has, if it is short enough to be made smaller as one.
fn frames_worth_moving(source: &Source, media_type: MediaType) -> Option<u64> {
    if !matches!(media_type, MediaType::Gif | MediaType::Webp) {
        return None;
    }
    // The time only judges dates, and these have none that matters here.
    let survey = survey(source, media_type, Timestamp::UNIX_EPOCH).ok()?;
    let (width, height) = survey.dimensions?;
    let pixels = u64::from(width) * u64::from(height) * survey.frames;
    let fits = (2..=MOST_FRAMES).contains(&survey.frames) && pixels <= MOST_PIXELS_READ;
    fits.then_some(survey.frames)
}

/// Puts moving pictures of at most `most` bytes in place of stills, in WebP. What can't be moved stays a still.
fn move_variants(
    rendering: &mut Rendering,
    source: BufReader<File>,
    (media_type, frames): (MediaType, u64),
    limits: RenderLimits,
    most: u64,
) {
    let webp = |variant: &&mut Rendered| variant.spec.format == VariantFormat::Webp;
    let widths: Vec<u32> = rendering
        .variants
        .iter_mut()
        .filter(webp)
        .map(|variant| variant.width)
        .collect();
    let moving = moving(source, media_type, limits, frames, &widths).unwrap_or_default();
    for (width, bytes) in moving.into_iter().filter(|(_, bytes)| bytes.len() as u64 <= most) {
        if let Some(variant) = rendering
            .variants
            .iter_mut()
            .filter(webp)
            .find(|variant| variant.width == width)
        {
            variant.bytes = bytes;
        }
    }
}
