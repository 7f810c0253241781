use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
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
    staging::StagingName,
};

/// Stages uploads and publishes them. Held by upload-svc alone.
#[derive(Debug, Clone)]
pub struct BlobWriter {
    pub(crate) disk: Arc<Disk>,
    pub(crate) next_name: Arc<AtomicU64>,
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
        self.with_free_name(|name| Staging::open(&folder, name))
    }

    /// Makes a file of the staging folder under a name that nobody has.
    pub(crate) fn with_free_name<T>(&self, make: impl Fn(&str) -> Result<T, Error>) -> Result<T, Error> {
        let mut tries = 0;
        loop {
            // Where replicas share a volume, the exclusive creation decides.
            let name = self.next_staging_name();
            match make(&name) {
                Err(Error::Io { source, .. })
                    if source.kind() == io::ErrorKind::AlreadyExists && tries < NAME_TRIES =>
                {
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// A name that is unique among the processes of this machine.
    pub(crate) fn next_staging_name(&self) -> String {
        format!(
            "{}-{}",
            std::process::id(),
            self.next_name.fetch_add(1, Ordering::Relaxed)
        )
    }

    pub(crate) fn disk(&self) -> Arc<Disk> {
        Arc::clone(&self.disk)
    }

    /// Puts staged bytes at their key for good: when this returns they survive a power cut. A file that is there already
    /// and holds the same bytes stays; one that holds others was damaged, or left over by a publication that failed, and is
    /// replaced in one step.
    ///
    /// May be repeated. Run it while the blob's row is locked: the row says which bytes belong at the key.
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
        Ok(there)
            if there.is_file() && there.len() == staged.size_bytes() && has_same_bytes(staged, &path)? =>
        {
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
        tracing::warn!(%key, "a blob was damaged or left over; the upload of the right bytes replaces it");
        // rename() takes the staging name along, so link a copy of the name first and rename that.
        let copy = StagingName(staged.path().with_extension("heal"));
        link(staged.path(), &copy.0)?;
        std::fs::rename(&copy.0, &path).map_err(Error::at("replace", &path))?;
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

/// Whether the file at `path` holds what was staged.
///
/// SECURITY: its name and its length don't tell. A transaction that failed leaves a file that no row speaks of, and another
/// file of the same MD5 and length can be made to come after it.
fn has_same_bytes(staged: &Staged, path: &Path) -> Result<bool, Error> {
    const PIECE: usize = 256 << 10;
    let there = File::open(path).map_err(Error::at("open", path))?;
    let (mut ours, mut theirs) = (vec![0; PIECE], vec![0; PIECE]);
    let mut offset = 0;
    while offset < staged.size_bytes() {
        let left = usize::try_from(staged.size_bytes() - offset)
            .unwrap_or(PIECE)
            .min(PIECE);
        staged
            .file()
            .read_exact_at(&mut ours[..left], offset)
            .map_err(Error::at("read", staged.path()))?;
        if there.read_exact_at(&mut theirs[..left], offset).is_err() || ours[..left] != theirs[..left] {
            return Ok(false);
        }
        offset += left as u64;
    }
    Ok(true)
}

fn link(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::hard_link(from, to).map_err(Error::at("link", to))
}

#[cfg(test)]
mod tests {
    use domain::MediaType;

    use super::*;

    async fn staged(writer: &BlobWriter, bytes: &'static [u8]) -> Arc<Staged> {
        let mut staging = writer.stage().unwrap();
        staging.write(bytes.into()).await;
        Arc::new(staging.finish().await.unwrap())
    }

    #[tokio::test]
    async fn a_file_of_the_same_name_and_length_with_other_bytes_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let writer = BlobWriter::open(folder.path()).unwrap();
        let right = staged(&writer, b"the right bytes").await;
        let key = BlobKey::plain(right.md5(), MediaType::Png);
        // What a publication that failed left, or what a disk has done to a good file.
        std::fs::write(folder.path().join(key.as_str()), b"the wrong bytes").unwrap();
        writer.publish(right, key.clone()).await.unwrap();
        assert_eq!(
            std::fs::read(folder.path().join(key.as_str())).unwrap(),
            b"the right bytes"
        );
    }
}
