use std::{
    fs::File,
    io::{BufReader, Cursor},
    path::{Path, PathBuf},
};

use domain::Kind;
use serde::{Deserialize, Serialize};

use super::{Essence, NotRenderable, RenderLimits, Spec, WiderThanPicture, render, variants_of};
use crate::{
    sniff::{SNIFF_BYTES, sniff},
    source::Source,
    survey::{Still, still},
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
        let file = File::open(path).map_err(broken)?;
        render(BufReader::new(file), media_type, limits, &specs)?
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
