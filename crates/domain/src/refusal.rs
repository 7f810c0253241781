use crate::{AccessRefusal, FileRefusal, ImageRefusal, RepeatRefusal, ResumeRefusal, Scope};

/// Every reason to say no to a client. The services turn each into a status and words for a person; the code is
/// what programs test for, and never changes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No credential came.
    #[error("no credential was sent")]
    Unauthenticated,
    /// A credential came that is unknown, expired, revoked, or whose account is disabled. Which of these it is stays
    /// untold. SECURITY: the difference would tell a thief which stolen tokens were once good.
    #[error("the credential is not valid")]
    InvalidCredential,
    /// The credential is good, but not for this.
    #[error("the credential lacks the scope {0}")]
    ScopeMissing(Scope),
    /// The form holds no file.
    #[error("the form holds no file")]
    NoFile,
    /// The file has no bytes.
    #[error("the file is empty")]
    EmptyFile,
    /// More files than one request may bring.
    #[error("more than {limit} files in one request")]
    TooManyFiles {
        /// The most that are taken.
        limit: usize,
    },
    /// One file is too large.
    #[error("the file is larger than {limit} bytes")]
    FileTooLarge {
        /// The most bytes that are taken.
        limit: u64,
    },
    /// The request is too large as a whole.
    #[error("the request is larger than {limit} bytes")]
    RequestTooLarge {
        /// The most bytes that are taken.
        limit: u64,
    },
    /// The bytes are of no format that is taken here.
    #[error("the type of the file is not allowed")]
    TypeNotAllowed,
    /// The bytes begin like a known format and then make no sense.
    #[error("the file can't be read as what it begins like")]
    Unreadable,
    /// The dimensions are past the budget.
    #[error("the picture is larger than {side} pixels a side or {pixels} in all")]
    TooManyPixels {
        /// The most pixels along a side.
        side: u32,
        /// The most pixels in all.
        pixels: u64,
    },
    /// The body is no well-formed form.
    #[error("the multipart body is broken: {0}")]
    MalformedMultipart(String),
    /// A field or parameter holds something it can't.
    #[error("{field}: {reason}")]
    InvalidField {
        /// Its name.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The body is neither JSON nor a form that holds what this URL wants. SECURITY: the reason may repeat a value, which may be a
    /// password: it goes back to who sent it and into no log.
    #[error("the body can't be read")]
    MalformedBody(String),
    /// What is in the file stands against it.
    #[error(transparent)]
    File(#[from] FileRefusal),
    /// Accounts, sessions, tokens or their limits say no.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// Images or albums that are there stand against it.
    #[error(transparent)]
    Image(#[from] ImageRefusal),
    /// An `Idempotency-Key` stands against it.
    #[error(transparent)]
    Repeat(#[from] RepeatRefusal),
    /// An upload in pieces can't go on.
    #[error(transparent)]
    Resume(#[from] ResumeRefusal),
    /// There is no such image, or not for this caller.
    #[error("there is no such image")]
    NotFound,
}

impl Refusal {
    /// The stable word that programs test for.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::InvalidCredential => "invalid_credential",
            Self::ScopeMissing(_) => "scope_missing",
            Self::NoFile => "no_file",
            Self::EmptyFile => "empty_file",
            Self::TooManyFiles { .. } => "too_many_files",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::RequestTooLarge { .. } => "request_too_large",
            Self::TypeNotAllowed => "type_not_allowed",
            Self::Unreadable => "unreadable_file",
            Self::TooManyPixels { .. } => "too_many_pixels",
            Self::MalformedMultipart(_) => "malformed_multipart",
            Self::InvalidField { .. } => "invalid_field",
            Self::MalformedBody(_) => "malformed_body",
            Self::File(refusal) => refusal.code(),
            Self::Access(refusal) => refusal.code(),
            Self::Image(refusal) => refusal.code(),
            Self::Repeat(refusal) => refusal.code(),
            Self::Resume(refusal) => refusal.code(),
            Self::NotFound => "not_found",
        }
    }
}
