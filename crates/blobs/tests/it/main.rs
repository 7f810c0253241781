//! The store on a real disk: what becomes durable, what is healed, and what never stays behind.

// The lint's own exceptions cover test functions, not what they call.
#![allow(clippy::unwrap_used)]

mod contract;
mod faults;
mod full;
mod ground;
mod publishing;
mod reading;
mod removing;
mod resumable;
mod staging;

use std::{path::Path, sync::Arc};

use blobs::{BlobWriter, Pieces, Staged};
use domain::{BlobKey, MediaType};
use futures_util::StreamExt as _;
use tempfile::TempDir;

/// A store in a temporary folder.
struct Store {
    folder: TempDir,
    writer: BlobWriter,
}

impl Store {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let writer = BlobWriter::open(folder.path()).unwrap();
        Self { folder, writer }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    async fn staged(&self, bytes: &[u8]) -> Arc<Staged> {
        Arc::new(stage(&self.writer, bytes).await.unwrap())
    }

    /// The bytes as a published blob.
    async fn published(&self, bytes: &[u8]) -> BlobKey {
        let staged = self.staged(bytes).await;
        let key = BlobKey::plain(staged.md5(), MediaType::Png);
        self.writer.publish(staged, key.clone()).await.unwrap();
        key
    }

    fn bytes_at(&self, key: &BlobKey) -> Vec<u8> {
        std::fs::read(self.root().join(key.as_str())).unwrap()
    }

    fn staging_names(&self) -> Vec<String> {
        names_in(&self.root().join(".staging"))
    }
}

async fn stage(writer: &BlobWriter, bytes: &[u8]) -> Result<Staged, blobs::Error> {
    let mut staging = writer.stage()?;
    for piece in bytes.chunks(10_000) {
        staging.write(piece.to_vec().into()).await;
    }
    staging.finish().await
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

async fn read(mut pieces: Pieces) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(piece) = pieces.next().await {
        all.extend_from_slice(&piece.unwrap());
    }
    all
}
