use std::time::Duration;

/// Why an upload in pieces can't go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResumeRefusal {
    /// The client speaks another version of the protocol, or none.
    #[error("tus 1.0.0 is spoken here")]
    OtherVersion,
    /// There is no such upload, or not for this caller, or it is over.
    #[error("there is no such upload")]
    NoSuchUpload,
    /// The piece does not begin where the upload ends.
    #[error("the upload has {offset} bytes")]
    OffsetMismatch {
        /// Bytes that are here.
        offset: u64,
    },
    /// Another request writes to the upload.
    #[error("another request writes to the upload")]
    Held {
        /// How long until it may be over.
        wait: Duration,
    },
    /// Nothing can be added to an upload that is whole.
    #[error("the upload is whole")]
    Whole,
    /// The bytes are not those of the piece's checksum. They were dropped.
    #[error("the piece does not fit its checksum")]
    PieceChecksum,
    /// The piece goes past the upload's length.
    #[error("the piece goes past the end of the upload")]
    PieceTooLong,
    /// The body of the request is no piece.
    #[error("a piece is of application/offset+octet-stream")]
    NotAPiece,
    /// Parts that are to be joined have not come whole.
    #[error("a part has not come whole")]
    PartsIncomplete,
    /// The account has more uploads under way than it may.
    #[error("more than {limit} uploads are under way")]
    TooManyUploads {
        /// The most at once.
        limit: u64,
    },
}

impl ResumeRefusal {
    /// The stable word that programs test for.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherVersion => "tus_version",
            Self::NoSuchUpload => "upload_not_found",
            Self::OffsetMismatch { .. } => "offset_mismatch",
            Self::Held { .. } => "upload_locked",
            Self::Whole => "upload_is_whole",
            Self::PieceChecksum => "piece_checksum_mismatch",
            Self::PieceTooLong => "piece_too_long",
            Self::NotAPiece => "not_a_piece",
            Self::PartsIncomplete => "parts_incomplete",
            Self::TooManyUploads { .. } => "too_many_uploads",
        }
    }
}
