use std::{io, path::PathBuf};

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
}

impl Error {
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
