use crate::PublicId;

/// Why something can't be done with images and albums that are there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageRefusal {
    /// The `after` of a list is none of our making.
    #[error("the cursor can't be read")]
    InvalidCursor,
    /// The `after` of a list belongs to a list with another order or other filters.
    #[error("the cursor belongs to another list")]
    CursorMismatch,
    /// The image is not what `If-Match` says.
    #[error("the image has changed since")]
    PreconditionFailed,
    /// Another live image of the owner has the same bytes.
    #[error("the same bytes are live as {0}")]
    AlreadyLive(PublicId),
    /// The account may hold no more.
    #[error("the quota is used up")]
    QuotaExceeded,
    /// The bytes are not those that the client meant.
    #[error("the bytes don't fit their checksum")]
    ChecksumMismatch,
    /// There is no such album, or not for this caller.
    #[error("there is no such album")]
    NoSuchAlbum,
    /// Another album of the owner has this name.
    #[error("the album's name is taken")]
    AlbumNameTaken,
    /// The album `default` can be neither renamed nor deleted.
    #[error("the album `default` stays as it is")]
    DefaultAlbum,
}

impl ImageRefusal {
    /// The stable word that programs test for.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidCursor => "invalid_cursor",
            Self::CursorMismatch => "cursor_mismatch",
            Self::PreconditionFailed => "precondition_failed",
            Self::AlreadyLive(_) => "already_live",
            Self::QuotaExceeded => "quota_exceeded",
            Self::ChecksumMismatch => "checksum_mismatch",
            Self::NoSuchAlbum => "no_such_album",
            Self::AlbumNameTaken => "album_name_taken",
            Self::DefaultAlbum => "default_album",
        }
    }
}
