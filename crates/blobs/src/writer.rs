use std::{
    fmt,
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::BlobKey;
use tokio::time::timeout;

use crate::{
    Error, Staged, Staging, StoreSettings,
    bucket::{Bucket, Sent},
    disk::{Disk, sync_folder},
    staging::StagingName,
};

/// Stages uploads and publishes them. Held by upload-svc alone.
#[derive(Debug, Clone)]
pub struct BlobWriter {
    pub(crate) disk: Arc<Disk>,
    pub(crate) bucket: Option<Arc<Bucket>>,
    pub(crate) next_name: Arc<AtomicU64>,
}

/// Names in a row that may be taken (by another replica over the same store) before something must be wrong.
const NAME_TRIES: u64 = 10_000;

impl BlobWriter {
    /// Opens this store, which may be a folder, and makes the folders that it needs.
    pub fn open(store: impl Into<StoreSettings>) -> Result<Self, Error> {
        let store = store.into();
        let disk = Disk::new(store.folder);
        let bucket = store.buckets.map(|buckets| buckets.for_work);
        match bucket {
            None => disk.prepare()?,
            Some(_) => disk.prepare_staging()?,
        }
        Ok(Self {
            disk: Arc::new(disk),
            bucket,
            next_name: Arc::default(),
        })
    }

    /// Proves, where blobs are in a bucket, that they can be written and read.
    pub async fn prove(&self) -> Result<(), Error> {
        match &self.bucket {
            None => Ok(()),
            Some(bucket) => bucket.prove_writing().await,
        }
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

    /// Brings a large file to a bucket before its row is locked, so that the lock need not be held for as long as that takes. Nobody can
    /// see it there before it is published. `key` is where it will belong, as far as one can tell; [`publish`](Self::publish) says
    /// when it is another. A file on disk, or a small one, is where it should be.
    pub async fn send_ahead(&self, staged: &Staged, key: &BlobKey) -> Result<(), Error> {
        let Some(bucket) = &self.bucket else { return Ok(()) };
        let (path, parcel) = (bucket.path(key.as_str()), staged.parcel());
        if parcel.is_small() {
            return Ok(());
        }
        let sent = match bucket.find(&parcel, &path).await? {
            Some(there) => Sent::There(there),
            None => Sent::Parts(bucket.send_ahead(&parcel, &path).await?),
        };
        *staged.sent() = Some(sent);
        Ok(())
    }

    /// Puts staged bytes at their key for good: when this returns they survive a power cut. A file that is there already
    /// and holds the same bytes stays; one that holds others was damaged, or left over by a publication that failed, and is
    /// replaced in one step.
    ///
    /// May be repeated. Run it while the blob's row is locked: the row says which bytes belong at the key.
    pub async fn publish(&self, staged: Arc<Staged>, key: BlobKey) -> Result<(), Error> {
        if let Some(bucket) = &self.bucket {
            let publishing = timeout(LOCKED, publish_in(bucket, &staged, &key));
            return publishing.await.unwrap_or_else(|_| Err(too_slow(&key)));
        }
        let disk = Arc::clone(&self.disk);
        let publishing = tokio::task::spawn_blocking(move || publish(&disk, &staged, &key));
        publishing
            .await
            .map_err(|panic| Error::at("publish", "a blob")(io::Error::other(panic)))?
    }
}

/// What the database lets a transaction be silent for is longer.
pub(crate) const LOCKED: Duration = Duration::from_secs(45);

pub(crate) fn too_slow(key: &dyn fmt::Display) -> Error {
    Error::Away {
        operation: "publish",
        object: key.to_string(),
        source: "the server took too long".into(),
    }
}

async fn publish_in(bucket: &Bucket, staged: &Staged, key: &BlobKey) -> Result<(), Error> {
    let (path, parcel) = (bucket.path(key.as_str()), staged.parcel());
    if parcel.is_small() {
        return match bucket.find(&parcel, &path).await? {
            Some(_) => Ok(()),
            None => bucket.send(&parcel, &path).await,
        };
    }
    let sent = staged.sent().take();
    let is_done = match sent {
        Some(Sent::Parts(ahead)) if ahead.is_for(&path) => {
            bucket.complete(&parcel, ahead).await?;
            true
        }
        Some(Sent::There(there)) if there.path == path => bucket.is_still(&parcel, &there).await?,
        _ => false,
    };
    if is_done {
        Ok(())
    } else {
        Err(Error::NotSent { key: key.clone() })
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
