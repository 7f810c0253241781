//! Staged bytes on their way to their key, and the rows that speak of them.

use std::sync::Arc;

use blobs::{BlobWriter, Staged};
use catalog::{PublishError, ReplaceError};
use domain::BlobKey;

/// Another upload, or a sweep, may come in between that often before there must be something wrong.
const TRIES: u32 = 3;

/// Why a transaction that puts bytes at their key did not end well, as far as the bytes are concerned.
pub(super) trait Fault {
    /// The bytes could not be put in place.
    fn of_bytes(error: blobs::Error) -> Self;
    /// Where the bytes must be sent first, if that is all.
    fn not_sent(&self) -> Option<&BlobKey>;
}

impl Fault for PublishError<blobs::Error> {
    fn of_bytes(error: blobs::Error) -> Self {
        Self::Bytes(error)
    }

    fn not_sent(&self) -> Option<&BlobKey> {
        match self {
            Self::Bytes(blobs::Error::NotSent { key }) => Some(key),
            _ => None,
        }
    }
}

impl Fault for ReplaceError<blobs::Error> {
    fn of_bytes(error: blobs::Error) -> Self {
        Self::Bytes(error)
    }

    fn not_sent(&self) -> Option<&BlobKey> {
        match self {
            Self::Bytes(blobs::Error::NotSent { key }) => Some(key),
            _ => None,
        }
    }
}

/// Runs a transaction that puts staged bytes at their key.
///
/// A large file goes to a bucket before the transaction, which must not be kept open for that long. Only the transaction knows the
/// key: it is another than expected when the MD5 is taken by other bytes, and then the file goes there, and the transaction runs
/// again. On disk it runs once.
pub(super) async fn placed<T, E: Fault, F>(
    writer: &BlobWriter,
    staged: &Arc<Staged>,
    expected: BlobKey,
    mut transact: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut key = expected;
    for _ in 1..TRIES {
        writer.send_ahead(staged, &key).await.map_err(E::of_bytes)?;
        match transact().await {
            Err(fault) => match fault.not_sent() {
                Some(right) => key = right.clone(),
                None => return Err(fault),
            },
            outcome => return outcome,
        }
    }
    writer.send_ahead(staged, &key).await.map_err(E::of_bytes)?;
    transact().await
}
