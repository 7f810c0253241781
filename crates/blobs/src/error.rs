use std::{io, path::PathBuf};

use domain::BlobKey;

/// The store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No space or no inodes are left, or a quota is used up. The caller may tell its client: 507.
    #[error("the store is full: {operation} {}", path.display())]
    Full {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: io::Error,
    },
    /// Nothing can be written, as after an error of the disk: an operator has to look. The caller may tell its client: 503.
    #[error("the store is read-only: {operation} {}", path.display())]
    ReadOnly {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: io::Error,
    },
    /// Anything else that the system refused.
    #[error("the store failed: {operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: io::Error,
    },
    /// The server that keeps the blobs does not answer, or not as it should. It may later.
    #[error("the store is away: {operation} {object}")]
    Away {
        /// What was tried.
        operation: &'static str,
        /// On what.
        object: String,
        /// What its client says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server that keeps the blobs does not let us, or has no such bucket. An operator has to mend that.
    #[error(
        "the store refuses: {operation} {object}; check BERTH_S3_BUCKET, the key, and what it may do (docs/OPERATIONS.md, \"Blobs in a bucket\")"
    )]
    Refused {
        /// What was tried.
        operation: &'static str,
        /// On what.
        object: String,
        /// What the server says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A large file must be [sent ahead](crate::BlobWriter::send_ahead) for this key before it can be published there.
    #[error("the file was not sent ahead for {key}")]
    NotSent {
        /// Where it belongs.
        key: BlobKey,
    },
}

impl Error {
    /// Whether it is the server of a bucket that did not do what it was asked: nothing is said of the bytes.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        matches!(
            self,
            Self::Away { .. } | Self::Refused { .. } | Self::NotSent { .. }
        )
    }

    /// What a proof at the start of a service comes to. A server that is away may come back, as the database may: that is only said. One
    /// that refuses will refuse for ever.
    pub fn unless_away(proof: Result<(), Self>) -> Result<(), Self> {
        match proof {
            Err(error @ Self::Away { .. }) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the store does not answer; trying again when it is needed");
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Makes an error of what the system said about a path.
    pub(crate) fn at(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full {
                operation,
                path,
                source,
            },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly {
                operation,
                path,
                source,
            },
            _ => Self::Io {
                operation,
                path,
                source,
            },
        }
    }
}
