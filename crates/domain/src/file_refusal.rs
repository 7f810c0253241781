/// Why a file is not taken for what is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileRefusal {
    /// It has too many frames, or too many pixels in all of them.
    #[error("the animation has more than {frames} frames or {pixels} pixels in all of them")]
    TooManyFrames {
        /// The most frames.
        frames: u32,
        /// The most pixels of all frames together.
        pixels: u64,
    },
    /// The pixels are not what the headers promise.
    #[error("the file can't be decoded: {0}")]
    NotDecodable(String),
    /// Decoding did not come to an end in time.
    #[error("the file takes too long to decode")]
    TookTooLong,
}

impl FileRefusal {
    /// The stable word that programs test for.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooManyFrames { .. } => "too_many_frames",
            Self::NotDecodable(_) => "not_decodable",
            Self::TookTooLong => "took_too_long",
        }
    }
}
