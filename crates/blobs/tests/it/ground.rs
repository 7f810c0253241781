//! A store of either kind, empty, with all three handles.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use blobs::{BlobReader, BlobRemover, BlobWriter, Error, Staged, StoreSettings};
use domain::{BlobKey, MediaType, VariantKey};
use tempfile::TempDir;
use test_kit::ObjectServer;

use crate::{names_in, read, stage};

pub(crate) struct Ground {
    /// For what a failing assertion says.
    pub(crate) name: &'static str,
    pub(crate) writer: BlobWriter,
    pub(crate) reader: BlobReader,
    pub(crate) remover: BlobRemover,
    pub(crate) server: Option<ObjectServer>,
    folder: TempDir,
}

impl Ground {
    pub(crate) async fn both() -> [Self; 2] {
        [Self::disk(), Self::bucket().await]
    }

    pub(crate) fn disk() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings::from(folder.path());
        Self::over("disk", folder, &settings, None)
    }

    pub(crate) async fn bucket() -> Self {
        let server = ObjectServer::start().await;
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), &server.settings());
        Self::over("bucket", folder, &settings, Some(server))
    }

    fn over(
        name: &'static str,
        folder: TempDir,
        settings: &StoreSettings,
        server: Option<ObjectServer>,
    ) -> Self {
        Self {
            name,
            writer: BlobWriter::open(settings).unwrap(),
            reader: BlobReader::new(settings),
            remover: BlobRemover::new(settings),
            server,
            folder,
        }
    }

    /// Where the bytes of a key rest as a file, behind the handles' backs.
    pub(crate) fn path(&self, key: &str) -> PathBuf {
        match &self.server {
            Some(server) => server.objects().join(key),
            None => self.folder.path().join(key),
        }
    }

    pub(crate) fn staging_names(&self) -> Vec<String> {
        names_in(&self.folder.path().join(".staging"))
    }

    pub(crate) async fn staged(&self, bytes: &[u8]) -> Arc<Staged> {
        Arc::new(stage(&self.writer, bytes).await.unwrap())
    }

    /// As upload-svc does it: ahead, then under the lock.
    pub(crate) async fn publish(&self, staged: Arc<Staged>, key: &BlobKey) -> Result<(), Error> {
        self.writer.send_ahead(&staged, key).await?;
        self.writer.publish(staged, key.clone()).await
    }

    pub(crate) async fn published(&self, bytes: &[u8]) -> BlobKey {
        let staged = self.staged(bytes).await;
        let key = key_of(&staged);
        self.publish(staged, &key).await.unwrap();
        key
    }

    pub(crate) async fn derived(&self, bytes: &[u8], key: &VariantKey) {
        let derived = self.writer.stage_derived().unwrap();
        std::fs::write(derived.path(), bytes).unwrap();
        let published = self.writer.publish_variant(Arc::new(derived), key.clone());
        published.await.unwrap();
    }

    pub(crate) async fn bytes_of(&self, key: &BlobKey) -> Option<Vec<u8>> {
        let blob = self.reader.open(key, ..).await.unwrap()?;
        Some(read(blob.into_pieces()).await)
    }
}

pub(crate) fn key_of(staged: &Staged) -> BlobKey {
    BlobKey::plain(staged.md5(), MediaType::Png)
}

pub(crate) fn settings(folder: &Path, pairs: &[(&str, String)]) -> StoreSettings {
    let text = |name: &str| {
        let pair = pairs.iter().find(|(own, _)| *own == name)?;
        Some(pair.1.clone())
    };
    StoreSettings::read(folder, text).unwrap()
}
