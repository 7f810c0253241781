//! Whether every pixel of a file is what its headers promise: decoded, looked at by nobody, forgotten. Row by row, or frame by
//! frame, wherever the library can.

use std::{
    fs::File,
    io::{BufReader, Seek as _},
};

use domain::MediaType;
use image::ImageDecoder as _;

/// What decoding came to.
pub(crate) enum Checked {
    /// Every pixel is there.
    Whole,
    /// There is no decoder for it, or it would take more memory than one may have.
    Unchecked,
}

/// Bytes that the pixels of one picture may take, all at once.
pub(crate) const MOST_BYTES: u64 = 128 << 20;

type Outcome = Result<Checked, Box<dyn std::error::Error>>;

/// Decodes all of a file whose headers fit the budgets. `bytes` is what that takes, by the headers.
pub(crate) fn check(mut file: &File, media_type: MediaType, bytes: u64) -> Result<Checked, String> {
    if bytes > MOST_BYTES {
        return Ok(Checked::Unchecked);
    }
    file.rewind().map_err(|error| error.to_string())?;
    let reader = BufReader::with_capacity(64 << 10, file);
    let outcome = match media_type {
        MediaType::Jpeg => jpeg(reader),
        MediaType::Png => png(reader),
        MediaType::Gif => gif(reader),
        MediaType::Webp => webp(reader),
        MediaType::Bmp => bmp(reader),
        MediaType::Tiff => tiff(reader),
        _ => Ok(Checked::Unchecked),
    };
    outcome.map_err(|error| error.to_string())
}

type Reader<'a> = BufReader<&'a File>;

/// At an eighth of its size, which takes an eighth of the memory and reads every bit all the same.
fn jpeg(reader: Reader<'_>) -> Outcome {
    let mut decoder = jpeg_decoder::Decoder::new(reader);
    decoder.set_max_decoding_buffer_size(usize::try_from(MOST_BYTES)?);
    decoder.read_info()?;
    decoder.scale(1, 1)?;
    decoder.decode()?;
    Ok(Checked::Whole)
}

fn png(reader: Reader<'_>) -> Outcome {
    let limits = png::Limits {
        bytes: usize::try_from(MOST_BYTES / 2)?,
    };
    let mut decoder = png::Decoder::new_with_limits(reader, limits);
    // SECURITY: half a megabyte of compressed profile or text can be half a gigabyte; nobody here reads it.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info()?;
    let frames = reader
        .info()
        .animation_control()
        .map_or(1, |control| control.num_frames);
    for frame in 0..frames.max(1) {
        // The default image of an animation may stand before its frames; what there is after the last one is no matter.
        if frame > 0 {
            reader.next_frame_info()?;
        }
        while reader.next_row()?.is_some() {}
    }
    Ok(Checked::Whole)
}

fn gif(reader: Reader<'_>) -> Outcome {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::Indexed);
    options.set_memory_limit(gif::MemoryLimit::Bytes(
        std::num::NonZeroU64::new(MOST_BYTES).ok_or("no limit")?,
    ));
    options.allow_unknown_blocks(true);
    let mut decoder = options.read_info(reader)?;
    let mut buffer = Vec::new();
    while decoder.next_frame_info()?.is_some() {
        buffer.resize(decoder.buffer_size(), 0);
        decoder.read_into_buffer(&mut buffer)?;
    }
    Ok(Checked::Whole)
}

fn webp(reader: Reader<'_>) -> Outcome {
    let mut decoder = image_webp::WebPDecoder::new(reader)?;
    decoder.set_memory_limit(usize::try_from(MOST_BYTES)?);
    let bytes = decoder.output_buffer_size().ok_or("it has no size")?;
    let mut buffer = vec![0; bytes];
    if decoder.is_animated() {
        for _ in 0..decoder.num_frames() {
            decoder.read_frame(&mut buffer)?;
        }
    } else {
        decoder.read_image(&mut buffer)?;
    }
    Ok(Checked::Whole)
}

fn bmp(reader: Reader<'_>) -> Outcome {
    let decoder = match image::codecs::bmp::BmpDecoder::new(reader) {
        // Old kinds of header, and a JPEG or PNG inside.
        Err(image::ImageError::Unsupported(_)) => return Ok(Checked::Unchecked),
        decoder => decoder?,
    };
    if decoder.total_bytes() > MOST_BYTES {
        return Ok(Checked::Unchecked);
    }
    let mut buffer = vec![0; usize::try_from(decoder.total_bytes())?];
    decoder.read_image(&mut buffer)?;
    Ok(Checked::Whole)
}

/// Strip by strip, page by page. Of the many ways to compress a TIFF some are known to nobody here; browsers show none.
fn tiff(reader: Reader<'_>) -> Outcome {
    let pages = || -> tiff::TiffResult<()> {
        let mut limits = tiff::decoder::Limits::default();
        limits.decoding_buffer_size = usize::try_from(MOST_BYTES).unwrap_or(usize::MAX);
        let mut decoder = tiff::decoder::Decoder::new(reader)?.with_limits(limits);
        loop {
            let chunks = match decoder.get_chunk_type() {
                tiff::decoder::ChunkType::Strip => decoder.strip_count()?,
                tiff::decoder::ChunkType::Tile => decoder.tile_count()?,
            };
            for chunk in 0..chunks {
                decoder.read_chunk(chunk)?;
            }
            if !decoder.more_images() {
                return Ok(());
            }
            decoder.next_image()?;
        }
    };
    match pages() {
        Ok(()) => Ok(Checked::Whole),
        Err(tiff::TiffError::UnsupportedError(_)) => Ok(Checked::Unchecked),
        Err(error) => Err(error.into()),
    }
}
