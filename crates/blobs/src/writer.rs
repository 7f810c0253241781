use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::BlobKey;

use crate::{
    Error, Staged, Staging,
    disk::{Disk, sync_folder},
};

/// Stages uploads and publishes them. Held by upload-svc alone.
#[derive(Debug, Clone)]
pub struct BlobWriter {
    disk: Arc<Disk>,
    next_name: Arc<AtomicU64>,
}

/// Names in a row that may be taken (by another replica over the same store) before something must be wrong.
const NAME_TRIES: u64 = 10_000;

impl BlobWriter {
    /// Opens the store in this folder and makes the folders that it needs.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let disk = Disk::new(root);
        disk.prepare()?;
        Ok(Self {
            disk: Arc::new(disk),
            next_name: Arc::default(),
        })
    }

    /// Begins an upload. Must be called within a Tokio runtime.
    pub fn stage(&self) -> Result<Staging, Error> {
        let folder = self.disk.staging();
        let mut tries = 0;
        loop {
            // Unique among the processes of this machine; where replicas share a volume, the exclusive creation decides.
            let name = format!(
                "{}-{}",
                std::process::id(),
                self.next_name.fetch_add(1, Ordering::Relaxed)
            );
            match Staging::open(&folder, &name) {
                Err(Error::Io { source, .. })
                    if source.kind() == io::ErrorKind::AlreadyExists && tries < NAME_TRIES =>
                {
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Puts staged bytes at their key for good: when this returns they survive a power cut. A file that is there already
    /// with the same length is the same file (its key was chosen by its hashes, under the blob row's lock) and stays; one of
    /// another length was damaged, and is replaced in one step.
    ///
    /// May be repeated. Run it while the blob's row is locked.
    pub async fn publish(&self, staged: Arc<Staged>, key: BlobKey) -> Result<(), Error> {
        let disk = Arc::clone(&self.disk);
        let publishing = tokio::task::spawn_blocking(move || publish(&disk, &staged, &key));
        publishing
            .await
            .map_err(|panic| Error::at("publish", "a blob")(io::Error::other(panic)))?
    }
}

fn publish(disk: &Disk, staged: &Staged, key: &BlobKey) -> Result<(), Error> {
    let path = disk.path(key);
    let mut must_replace = false;
    match std::fs::symlink_metadata(&path) {
        Ok(there) if there.is_file() && there.len() == staged.size_bytes() => {
            // The name may have come from a transaction that died before it synced the folder.
            return sync_folder(&disk.folder(key));
        }
        Ok(_) => must_replace = true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::at("look at", &path)(error)),
    }
    staged
        .file()
        .sync_data()
        .map_err(Error::at("sync", staged.path()))?;
    if must_replace {
        tracing::warn!(%key, "a blob had the wrong length; the upload of the same bytes replaces it");
        // rename() takes the staging name along, so link a copy of the name first and rename that.
        let copy = staged.path().with_extension("heal");
        link(staged.path(), &copy)?;
        std::fs::rename(&copy, &path).map_err(Error::at("replace", &path))?;
        return sync_folder(&disk.folder(key));
    }
    if let Err(error) = std::fs::hard_link(staged.path(), &path) {
        match error.kind() {
            io::ErrorKind::NotFound => {
                disk.restore_folder(key)?;
                link(staged.path(), &path)?;
            }
            io::ErrorKind::AlreadyExists => {}
            _ => return Err(Error::at("link", &path)(error)),
        }
    }
    sync_folder(&disk.folder(key))
}

fn link(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::hard_link(from, to).map_err(Error::at("link", to))
}
