use std::{
    fs::File,
    io,
    ops::{Bound, Range, RangeBounds},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use domain::{BlobKey, VariantKey};
use rustix::fs::OFlags;

use crate::{
    Error, Pieces, StoreSettings,
    bucket::{Bucket, PROOF},
    disk::Disk,
    lending::{Lent, lend},
};

/// Opens published blobs for reading. Held by serve-svc, which can't do anything else to them.
#[derive(Debug, Clone)]
pub struct BlobReader {
    disk: Arc<Disk>,
    bucket: Option<Arc<Bucket>>,
}

/// A published blob, or a variant, open for reading: it can be read to its end even if it is removed meanwhile.
#[derive(Debug)]
pub struct OpenBlob {
    size_bytes: u64,
    pieces: Pieces,
}

impl BlobReader {
    /// Reads from this store, which may be a folder; changes nothing there.
    #[must_use]
    pub fn new(store: impl Into<StoreSettings>) -> Self {
        let store = store.into();
        Self {
            disk: Arc::new(Disk::new(store.folder)),
            bucket: store.buckets.map(|buckets| buckets.for_views),
        }
    }

    /// Opens a part of a blob (`..` for all of it, `first..=last` for a range; what lies behind its end is left out); none when its
    /// bytes are not there.
    ///
    /// On a disk it blocks for as long as the file system needs to find a name, which it has in memory for anything that was
    /// asked for lately.
    pub async fn open(&self, key: &BlobKey, part: impl RangeBounds<u64>) -> Result<Option<OpenBlob>, Error> {
        match &self.bucket {
            None => open(&self.disk.path(key), &limits(&part)),
            Some(bucket) => fetch(bucket, key.as_str(), &limits(&part)).await,
        }
    }

    /// Opens a part of a variant, likewise.
    pub async fn open_variant(
        &self,
        key: &VariantKey,
        part: impl RangeBounds<u64>,
    ) -> Result<Option<OpenBlob>, Error> {
        match &self.bucket {
            None => open(&self.disk.variant_path(key), &limits(&part)),
            Some(bucket) => fetch(bucket, key.as_str(), &limits(&part)).await,
        }
    }

    /// Proves, where blobs are in a bucket, that they can be read.
    pub async fn prove(&self) -> Result<(), Error> {
        match &self.bucket {
            None => Ok(()),
            Some(bucket) => bucket.prove_reading().await,
        }
    }

    /// Puts a blob's bytes at a path outside of the store, for an export; none when they are not there.
    pub fn lend(&self, key: &BlobKey, target: &Path) -> Result<Option<Lent>, Error> {
        lend(&self.disk.path(key), target)
    }

    /// Whether the store can be read at all, for a health check.
    pub async fn check(&self) -> Result<(), Error> {
        match &self.bucket {
            None => self.disk.check(),
            Some(bucket) => bucket.look_at(&bucket.path(PROOF)).await.map(drop),
        }
    }
}

impl OpenBlob {
    /// How long all of it is, whichever part was opened.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The bytes of the part that was opened.
    #[must_use]
    pub fn into_pieces(self) -> Pieces {
        self.pieces
    }
}

fn limits(part: &impl RangeBounds<u64>) -> Range<u64> {
    let start = match part.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match part.end_bound() {
        Bound::Included(last) => last.saturating_add(1),
        Bound::Excluded(end) => *end,
        Bound::Unbounded => u64::MAX,
    };
    start..end
}

async fn fetch(bucket: &Bucket, key: &str, part: &Range<u64>) -> Result<Option<OpenBlob>, Error> {
    let flow = bucket.get(&bucket.path(key), part).await?;
    Ok(flow.map(|flow| OpenBlob {
        size_bytes: flow.size_bytes,
        pieces: Pieces::of_flow(flow.bytes, flow.length),
    }))
}

fn open(path: &Path, part: &Range<u64>) -> Result<Option<OpenBlob>, Error> {
    // SECURITY: a symbolic link in the store would hand out any file of the machine.
    let no_follow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let file = match File::options().read(true).custom_flags(no_follow).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::at("open", path)(error)),
    };
    let metadata = file.metadata().map_err(Error::at("look at", path))?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let size_bytes = metadata.len();
    let end = part.end.min(size_bytes);
    Ok(Some(OpenBlob {
        size_bytes,
        pieces: Pieces::of_file(file, part.start.min(end)..end),
    }))
}
