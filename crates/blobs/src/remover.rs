use std::{io, path::Path, sync::Arc, time::SystemTime};

use domain::{BlobKey, PublicId, VariantKey};

use crate::{Error, disk::Disk, staging::remove_upload};

/// Unlinks published blobs and purges what uploads left behind. Held by the janitor alone.
#[derive(Debug, Clone)]
pub struct BlobRemover {
    pub(crate) disk: Arc<Disk>,
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
    /// Removes from the store in this folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self {
            disk: Arc::new(Disk::new(root)),
        }
    }

    /// Removes a blob with its variants; false when the blob's file was gone already, which is as good.
    ///
    /// INVARIANT: this is the one place in the product that unlinks a published blob or a variant. The caller holds the lock
    /// of the blob's row, and nothing links to it; or the lock of its MD5, and there is no row.
    pub fn remove(&self, key: &BlobKey, variants: &[VariantKey]) -> Result<bool, Error> {
        // The blob last: while it is there, its row is, which knows of the variants.
        for variant in variants {
            unlink(&self.disk.variant_path(variant))?;
        }
        unlink(&self.disk.path(key))
    }

    /// Whether a variant's file is lost. One that can't be looked for is not.
    #[must_use]
    pub fn has_lost(&self, variant: &VariantKey) -> bool {
        matches!(self.disk.variant_path(variant).try_exists(), Ok(false))
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

    /// Whether the store can be read at all, for a health check.
    pub fn check(&self) -> Result<(), Error> {
        std::fs::read_dir(self.disk.root())
            .map(drop)
            .map_err(Error::at("open", self.disk.root()))
    }
}

fn unlink(path: &Path) -> Result<bool, Error> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::at("remove", path)(error)),
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
