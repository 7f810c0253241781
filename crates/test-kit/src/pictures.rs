//! Small pictures that are what they say: whole files that any decoder reads, written by code.
//!
//! The content follows from `seed`: two seeds below 2³² give different files of 6 × 6 pixels or more, the same seed
//! always the same bytes.

mod exif;
mod gif;
mod jpeg;
mod png;
mod webp;

pub use exif::{ExifValue, exif, fraction, jpeg_with_exif, png_with_exif};
pub use gif::gif;
pub use jpeg::jpeg;
pub use png::png;
pub use webp::webp;

/// Pixel values without end: first the seed itself, so that no two seeds look alike, then noise of it.
fn values(seed: u64) -> impl Iterator<Item = u8> {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15; // never zero for a seed below 2³², where the noise would stand still
    let noise = std::iter::from_fn(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Some(state.to_le_bytes()[0])
    });
    seed.to_le_bytes().into_iter().chain(noise)
}

fn size(pixels: u32) -> usize {
    usize::try_from(pixels).expect("a picture that fits into memory")
}
