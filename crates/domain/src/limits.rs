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
    /// Frames of an animation.
    pub frames: u32,
    /// Pixels of all frames of an animation together.
    pub frame_pixels: u64,
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
            frames: 1_000,
            frame_pixels: 200_000_000,
        }
    }
}
