use std::{fs::Metadata, io, path::Path, sync::Arc, time::SystemTime};

use domain::BlobKey;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    BlobRemover, Error,
    bucket::{AT_ONCE, Bucket},
    disk::Disk,
};

/// The blobs of one of the store's folders, by their files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredFiles {
    /// Files that were last written to before the instant that was asked about, and their bytes.
    pub settled: Vec<(BlobKey, u64)>,
    /// Files with names that no blob has.
    pub odd: u64,
}

impl BlobRemover {
    /// How many folders [`stored_files`](Self::stored_files) can list.
    pub const FOLDERS: u16 = 256;

    /// What is in the folder of this number. One that is not there holds nothing.
    pub async fn stored_files(&self, folder: u8, settled_before: SystemTime) -> Result<StoredFiles, Error> {
        if let Some(bucket) = &self.bucket {
            return stored_objects(bucket, folder, settled_before).await;
        }
        self.looking(move |disk| stored_files(disk.root(), folder, settled_before))
            .await
    }

    /// Whether there is a file of so many bytes at each of these keys. An error is no answer.
    pub async fn hold(&self, blobs: Vec<(BlobKey, u64)>) -> Result<Vec<bool>, Error> {
        if let Some(bucket) = &self.bucket {
            let holds = |(key, size_bytes): (BlobKey, u64)| async move {
                let there = bucket.look_at(&bucket.path(key.as_str())).await?;
                Ok(there.is_some_and(|(own, _)| own == size_bytes))
            };
            return stream::iter(blobs)
                .map(holds)
                .buffered(AT_ONCE)
                .try_collect()
                .await;
        }
        self.looking(move |disk| {
            blobs
                .iter()
                .map(|(key, size_bytes)| holds(&disk.path(key), *size_bytes))
                .collect()
        })
        .await
    }

    async fn looking<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Disk) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let disk = Arc::clone(&self.disk);
        tokio::task::spawn_blocking(move || look(&disk))
            .await
            .map_err(|panic| Error::at("look at", "the store")(io::Error::other(panic)))?
    }
}

async fn stored_objects(
    bucket: &Bucket,
    folder: u8,
    settled_before: SystemTime,
) -> Result<StoredFiles, Error> {
    let folder = format!("{folder:02x}");
    let mut stored = StoredFiles::default();
    for (name, size_bytes, last_write) in bucket.list(&folder).await? {
        match format!("{folder}/{name}").parse::<BlobKey>() {
            Ok(key) if last_write < settled_before => stored.settled.push((key, size_bytes)),
            Ok(_) => {}
            Err(_) => stored.odd += 1,
        }
    }
    Ok(stored)
}

fn stored_files(root: &Path, folder: u8, settled_before: SystemTime) -> Result<StoredFiles, Error> {
    let name = format!("{folder:02x}");
    let path = root.join(&name);
    let entries = match std::fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(StoredFiles::default()),
        Err(error) => return Err(Error::at("list", &path)(error)),
    };
    let mut stored = StoredFiles::default();
    for entry in entries {
        let entry = entry.map_err(Error::at("list", &path))?;
        let key = entry
            .file_name()
            .to_str()
            .and_then(|file| format!("{name}/{file}").parse::<BlobKey>().ok());
        // A file that went away meanwhile was swept.
        match (key, entry.metadata()) {
            (_, Err(_)) => {}
            (Some(key), Ok(metadata)) if metadata.is_file() => {
                if is_settled(&metadata, settled_before) {
                    stored.settled.push((key, metadata.len()));
                }
            }
            _ => stored.odd += 1,
        }
    }
    Ok(stored)
}

fn holds(path: &Path, size_bytes: u64) -> Result<bool, Error> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_file() && metadata.len() == size_bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::at("look at", path)(error)),
    }
}

fn is_settled(metadata: &Metadata, before: SystemTime) -> bool {
    metadata.modified().is_ok_and(|last_write| last_write < before)
}
