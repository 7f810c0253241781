use std::collections::BTreeSet;

use crate::{Kind, MediaType, Refusal};

/// What an upload may be at most.
#[derive(Debug, Clone)]
pub struct UploadLimits {
    /// Bytes of one image.
    pub image_bytes: u64,
    /// Bytes of one video.
    pub video_bytes: u64,
    /// Bytes of a whole request.
    pub request_bytes: u64,
    /// Files in one request.
    pub files: usize,
    /// Formats that are taken.
    pub allowed: BTreeSet<MediaType>,
    /// Pixels of a still image, its width times its height.
    pub pixels: u64,
    /// Pixels along either side.
    pub side: u32,
}

impl UploadLimits {
    /// The most bytes that a file of this type may have.
    #[must_use]
    pub fn bytes_for(&self, media_type: MediaType) -> u64 {
        match media_type.kind() {
            Kind::Image => self.image_bytes,
            Kind::Video => self.video_bytes,
        }
    }

    /// The most bytes that any file may have, for as long as its type isn't known yet.
    #[must_use]
    pub fn bytes_for_any(&self) -> u64 {
        self.image_bytes.max(self.video_bytes)
    }

    /// Judges a format.
    pub fn check_type(&self, media_type: MediaType) -> Result<(), Refusal> {
        if self.allowed.contains(&media_type) {
            Ok(())
        } else {
            Err(Refusal::TypeNotAllowed)
        }
    }

    /// Judges dimensions, before anything is decoded.
    pub fn check_dimensions(&self, width: u32, height: u32) -> Result<(), Refusal> {
        let fits =
            width <= self.side && height <= self.side && u64::from(width) * u64::from(height) <= self.pixels;
        if fits {
            Ok(())
        } else {
            Err(Refusal::TooManyPixels {
                side: self.side,
                pixels: self.pixels,
            })
        }
    }
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self {
            image_bytes: 64 << 20,
            video_bytes: 2 << 30,
            request_bytes: 5 << 30,
            files: 50,
            allowed: MediaType::ALL.into_iter().collect(),
            pixels: 50_000_000,
            side: 16_384,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_are_judged_by_side_and_by_area() {
        let limits = UploadLimits::default();
        for (width, height, fits) in [
            (1, 1, true),
            (8_000, 6_000, true),
            (16_384, 1, true),
            (16_385, 1, false),
            (1, 16_385, false),
            (10_000, 5_001, false),
            (u32::MAX, u32::MAX, false),
        ] {
            assert_eq!(
                limits.check_dimensions(width, height).is_ok(),
                fits,
                "{width} x {height}"
            );
        }
    }
}
