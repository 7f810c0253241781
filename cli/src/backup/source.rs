//! The live store, as a backup reads it: blob by blob, from threads that may block.

use blobs::BlobReader;
use domain::{BlobKey, Sha256};
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256 as Hasher};
use tokio::runtime::Handle;

use crate::Failure;

/// A store that is read and never changed.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    reader: BlobReader,
    runtime: Handle,
}

impl Source {
    /// Must be called within a Tokio runtime.
    pub(crate) fn new(reader: BlobReader) -> Self {
        Self {
            reader,
            runtime: Handle::current(),
        }
    }

    /// Reads a blob to its end, each piece of it through `each`, and says what is wrong with its bytes. Blocks, so not on the runtime's own threads.
    pub(crate) fn read(
        &self,
        key: &BlobKey,
        size_bytes: u64,
        sha256: Sha256,
        mut each: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<Option<String>, Failure> {
        let Some(open) = self.runtime.block_on(self.reader.open(key, ..))? else {
            return Ok(Some("it is not there".to_owned()));
        };
        if open.size_bytes() != size_bytes {
            let found = open.size_bytes();
            return Ok(Some(format!("it has {found} bytes instead of {size_bytes}")));
        }
        let (mut pieces, mut hasher) = (open.into_pieces(), Hasher::new());
        while let Some(piece) = self.runtime.block_on(pieces.next()) {
            match piece {
                Ok(piece) => {
                    hasher.update(&piece);
                    each(&piece)?;
                }
                Err(error) => return Ok(Some(format!("it can't be read: {error}"))),
            }
        }
        Ok((hasher.finalize()[..] != sha256.0)
            .then(|| "its bytes have changed: they are not those that were uploaded".to_owned()))
    }
}
