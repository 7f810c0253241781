use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use domain::{BlobKey, PublicId, VariantKey};
use futures_util::{StreamExt as _, stream};

use crate::{
    Error, StoreSettings,
    bucket::{AT_ONCE, Bucket, PROOFS},
    disk::Disk,
    staging::remove_upload,
};

/// Unlinks published blobs and purges what uploads left behind. Held by the janitor alone.
#[derive(Debug, Clone)]
pub struct BlobRemover {
    pub(crate) disk: Arc<Disk>,
    pub(crate) bucket: Option<Arc<Bucket>>,
}

/// What a purge of the staging folder found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Files that were removed (or would have been).
    pub files: u64,
    /// Bytes that they held.
    pub bytes: u64,
}

impl BlobRemover {
    /// Removes from this store, which may be a folder.
    #[must_use]
    pub fn new(store: impl Into<StoreSettings>) -> Self {
        let store = store.into();
        Self {
            disk: Arc::new(Disk::new(store.folder)),
            bucket: store.buckets.map(|buckets| buckets.for_work),
        }
    }

    /// Removes a blob with its variants. What is gone already is as good.
    ///
    /// INVARIANT: this and [`remove_all`](Self::remove_all) are the one place in the product that removes a published blob or a
    /// variant. The caller holds the lock of the blob's row, and nothing links to it; or the lock of its MD5, and there is no row.
    pub async fn remove(&self, key: BlobKey, variants: Vec<VariantKey>) -> Result<(), Error> {
        let mut outcomes = self.remove_all(vec![(key, variants)]).await;
        outcomes.pop().unwrap_or(Ok(()))
    }

    /// Removes many, each with its variants, and says of each how that went.
    ///
    /// INVARIANT: when this future is dropped, the locks are about to go: nothing more is removed then.
    pub async fn remove_all(&self, blobs: Vec<(BlobKey, Vec<VariantKey>)>) -> Vec<Result<(), Error>> {
        if let Some(bucket) = &self.bucket {
            return remove_all_in(bucket, blobs).await;
        }
        let (disk, count) = (Arc::clone(&self.disk), blobs.len());
        let when_dropped = Unlocked::default();
        let unlocked = Arc::clone(&when_dropped.0);
        let removing = tokio::task::spawn_blocking(move || {
            let mut outcomes = Vec::with_capacity(blobs.len());
            for (key, variants) in blobs {
                // Nobody can stop this thread, and nobody hears any more what it did.
                if unlocked.load(Ordering::Acquire) {
                    break;
                }
                outcomes.push(remove(&disk, &key, &variants));
            }
            outcomes
        });
        removing.await.unwrap_or_else(|panic| {
            // Whichever of them are gone, the next sweep finds them so.
            let died = || io::Error::other(panic.to_string());
            let failed = |_| Err(Error::at("remove", "blobs")(died()));
            (0..count).map(failed).collect()
        })
    }

    /// Whether the file of each variant is lost. One that can't be looked for is not.
    pub async fn have_lost(&self, variants: Vec<VariantKey>) -> Vec<bool> {
        if let Some(bucket) = &self.bucket {
            let is_lost = |variant: VariantKey| async move {
                matches!(bucket.look_at(&bucket.path(variant.as_str())).await, Ok(None))
            };
            return stream::iter(variants)
                .map(is_lost)
                .buffered(AT_ONCE)
                .collect()
                .await;
        }
        let (disk, count) = (Arc::clone(&self.disk), variants.len());
        let looking = tokio::task::spawn_blocking(move || {
            let is_lost = |variant: &VariantKey| matches!(disk.variant_path(variant).try_exists(), Ok(false));
            variants.iter().map(is_lost).collect()
        });
        looking.await.unwrap_or_else(|_| vec![false; count])
    }

    /// Removes staging files that were last written to before `idle_since`: what a killed process left. With `pretend`
    /// it only counts them.
    pub fn purge_staging(&self, idle_since: SystemTime, pretend: bool) -> Result<Purged, Error> {
        purge(&self.disk.staging(), idle_since, pretend)
    }

    /// The same for uploads that come in pieces: what no row speaks of. `idle_since` must be before what rows speak of.
    pub fn purge_uploads(&self, idle_since: SystemTime, pretend: bool) -> Result<Purged, Error> {
        purge(&self.disk.uploads(), idle_since, pretend)
    }

    /// Removes an upload that came in pieces, and says how many bytes it had; none when it was gone already.
    pub fn drop_upload(&self, id: PublicId) -> Result<u64, Error> {
        remove_upload(&self.disk.upload(id))
    }

    /// Proves, where blobs are in a bucket, that they can be listed and removed.
    pub async fn prove(&self) -> Result<(), Error> {
        match &self.bucket {
            None => Ok(()),
            Some(bucket) => bucket.prove_removing().await,
        }
    }

    /// Whether the store can be read at all, for a health check.
    pub async fn check(&self) -> Result<(), Error> {
        if let Some(bucket) = &self.bucket {
            return bucket.list_one(PROOFS).await;
        }
        let disk = Arc::clone(&self.disk);
        tokio::task::spawn_blocking(move || disk.check())
            .await
            .map_err(|panic| Error::at("check", "the store")(io::Error::other(panic)))?
    }
}

/// Variants first: while a blob is there, its row is, which knows of them.
async fn remove_all_in(bucket: &Bucket, blobs: Vec<(BlobKey, Vec<VariantKey>)>) -> Vec<Result<(), Error>> {
    let text = |keys: &[VariantKey]| keys.iter().map(|key| key.as_str().to_owned()).collect::<Vec<_>>();
    let variants: Vec<String> = blobs.iter().flat_map(|(_, variants)| text(variants)).collect();
    let mut left: HashMap<String, Error> = bucket.remove(variants).await.into_iter().collect();
    let mut outcomes = Vec::with_capacity(blobs.len());
    let mut keys = Vec::new();
    for (key, variants) in &blobs {
        let failed = text(variants).iter().find_map(|variant| left.remove(variant));
        if failed.is_none() {
            keys.push(key.as_str().to_owned());
        }
        outcomes.push(failed.map_or(Ok(()), Err));
    }
    let mut left: HashMap<String, Error> = bucket.remove(keys).await.into_iter().collect();
    for ((key, _), outcome) in blobs.iter().zip(&mut outcomes) {
        if let Some(error) = left.remove(key.as_str()) {
            *outcome = Err(error);
        }
    }
    outcomes
}

/// Dropped, it says that the locks are about to go.
#[derive(Debug, Default)]
struct Unlocked(Arc<AtomicBool>);

impl Drop for Unlocked {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

fn remove(disk: &Disk, key: &BlobKey, variants: &[VariantKey]) -> Result<(), Error> {
    // The blob last: while it is there, its row is, which knows of the variants.
    for variant in variants {
        unlink(&disk.variant_path(variant))?;
    }
    unlink(&disk.path(key))
}

fn unlink(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::at("remove", path)(error)),
        _ => Ok(()),
    }
}

fn purge(folder: &Path, idle_since: SystemTime, pretend: bool) -> Result<Purged, Error> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Purged::default()),
        Err(error) => return Err(Error::at("list", folder)(error)),
    };
    let mut purged = Purged::default();
    for entry in entries {
        let entry = entry.map_err(Error::at("list", folder))?;
        // A file that went away between the two calls was published or given up: nothing to do.
        let Ok(metadata) = entry.metadata() else { continue };
        let is_abandoned = metadata
            .modified()
            .is_ok_and(|last_write| last_write < idle_since);
        if !metadata.is_file() || !is_abandoned {
            continue;
        }
        if !pretend && let Err(error) = std::fs::remove_file(entry.path()) {
            tracing::warn!(path = %entry.path().display(), %error, "an abandoned staging file could not be removed");
            continue;
        }
        purged.files += 1;
        purged.bytes += metadata.len();
    }
    Ok(purged)
}
