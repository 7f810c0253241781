//! The live store, as a backup reads it: blob by blob, from threads that may block.

use blobs::{BlobReader, Pieces};
use bytes::Bytes;
use domain::BlobKey;
use futures_util::StreamExt as _;
use tokio::runtime::Handle;

use crate::Failure;

/// A store that is read and never changed.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    reader: BlobReader,
    runtime: Handle,
}

/// A blob of it.
pub(crate) struct OpenBlob<'a> {
    size_bytes: u64,
    pieces: Pieces,
    runtime: &'a Handle,
}

impl Source {
    /// Must be called within a Tokio runtime.
    pub(crate) fn new(reader: BlobReader) -> Self {
        Self {
            reader,
            runtime: Handle::current(),
        }
    }

    /// Opens a blob; none where its bytes are not there. Blocks, so not on the runtime's own threads.
    pub(crate) fn open(&self, key: &BlobKey) -> Result<Option<OpenBlob<'_>>, Failure> {
        let open = self.runtime.block_on(self.reader.open(key, ..))?;
        Ok(open.map(|open| OpenBlob {
            size_bytes: open.size_bytes(),
            pieces: open.into_pieces(),
            runtime: &self.runtime,
        }))
    }
}

impl OpenBlob<'_> {
    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The next bytes; none behind the last. An error is the disk's: bytes that can't be read.
    pub(crate) fn next_piece(&mut self) -> std::io::Result<Option<Bytes>> {
        self.runtime.block_on(self.pieces.next()).transpose()
    }
}
