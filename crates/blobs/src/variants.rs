use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use domain::{BlobKey, Sha256, VariantKey};
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256 as Sha256Hasher};
use tokio::{io::AsyncWriteExt as _, time::timeout};

use crate::{
    BlobWriter, Error, Pieces,
    bucket::{Bucket, Parcel},
    disk::{Disk, sync_folder},
    staging::{FILE_MODE, StagingName},
    writer::{LOCKED, too_slow},
};

/// A file in the staging folder into which a decoder process writes a variant. Dropped before it is published, it is gone;
/// what a killed process leaves of it the janitor purges, as it does with uploads.
#[derive(Debug)]
pub struct DerivedFile {
    name: StagingName,
    file: File,
}

impl DerivedFile {
    /// Where it is until it is published: for a decoder, which is another process.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.name.0
    }

    /// How many bytes were written, and which. It may block for the disk.
    pub fn measure(&self) -> Result<(u64, Sha256), Error> {
        const PIECE: usize = 64 << 10;
        let mut file = File::open(&self.name.0).map_err(Error::at("open", &self.name.0))?;
        let (mut hasher, mut size_bytes, mut piece) = (Sha256Hasher::new(), 0, vec![0; PIECE]);
        loop {
            let count = file.read(&mut piece).map_err(Error::at("read", &self.name.0))?;
            if count == 0 {
                return Ok((size_bytes, Sha256(hasher.finalize().into())));
            }
            hasher.update(&piece[..count]);
            size_bytes += count as u64;
        }
    }
}

impl BlobWriter {
    /// Makes an empty file for a variant that is about to be derived.
    pub fn stage_derived(&self) -> Result<DerivedFile, Error> {
        let number = self.next_name.fetch_add(1, Ordering::Relaxed);
        // "d" keeps it apart from uploads; where replicas share a volume, the exclusive creation decides.
        let path = self
            .disk
            .staging()
            .join(format!("d{}-{number}", std::process::id()));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(&path)
            .map_err(Error::at("create", &path))?;
        Ok(DerivedFile {
            name: StagingName(path),
            file,
        })
    }

    /// A published blob as a file, for a decoder, which is another process; none when its bytes are not there. They may be damaged:
    /// the decoder says so.
    pub async fn at_hand(&self, key: &BlobKey) -> Result<Option<AtHand>, Error> {
        if let Some(bucket) = &self.bucket {
            return self.download(bucket, key).await;
        }
        let path = self.disk.path(key);
        match tokio::fs::try_exists(&path).await {
            Ok(true) => Ok(Some(AtHand(Place::Store(path)))),
            Ok(false) => Ok(None),
            Err(error) => Err(Error::at("look at", &path)(error)),
        }
    }

    /// Puts derived bytes at their key for good, in place of what is there. Run it while the blob's row is locked and the
    /// variant's row is there.
    pub async fn publish_variant(&self, derived: Arc<DerivedFile>, key: VariantKey) -> Result<(), Error> {
        if let Some(bucket) = &self.bucket {
            let publishing = timeout(LOCKED, publish_in(bucket, &derived, &key));
            return publishing.await.unwrap_or_else(|_| Err(too_slow(&key)));
        }
        let disk = Arc::clone(&self.disk);
        let publishing = tokio::task::spawn_blocking(move || publish(&disk, &derived, &key));
        publishing
            .await
            .map_err(|panic| Error::at("publish", "a variant")(io::Error::other(panic)))?
    }
}

impl BlobWriter {
    async fn download(&self, bucket: &Bucket, key: &BlobKey) -> Result<Option<AtHand>, Error> {
        let Some(flow) = bucket.get(&bucket.path(key.as_str()), &(0..u64::MAX)).await? else {
            return Ok(None);
        };
        let copy = self.stage_derived()?;
        let path = copy.name.0.clone();
        let mut file = tokio::fs::File::from_std(copy.file);
        let mut pieces = Pieces::of_flow(flow.bytes, flow.length);
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| Error::Away {
                operation: "read",
                object: key.to_string(),
                source: error.into(),
            })?;
            file.write_all(&piece).await.map_err(Error::at("write", &path))?;
        }
        file.flush().await.map_err(Error::at("write", &path))?;
        Ok(Some(AtHand(Place::Copy(copy.name))))
    }
}

async fn publish_in(bucket: &Bucket, derived: &Arc<DerivedFile>, key: &VariantKey) -> Result<(), Error> {
    let measured = Arc::clone(derived);
    let measuring = tokio::task::spawn_blocking(move || {
        let (size_bytes, sha256) = measured.measure()?;
        let file = File::open(measured.path()).map_err(Error::at("open", measured.path()))?;
        Ok(Parcel {
            file: Arc::new(file),
            size_bytes,
            sha256,
        })
    });
    let parcel = measuring
        .await
        .map_err(|panic| Error::at("publish", "a variant")(io::Error::other(panic)))??;
    bucket.send(&parcel, &bucket.path(key.as_str())).await
}

/// A blob that can be read as a file for as long as this value lives.
#[derive(Debug)]
pub struct AtHand(Place);

#[derive(Debug)]
enum Place {
    Store(PathBuf),
    Copy(StagingName),
}

impl AtHand {
    /// Where it is. It must not be written to.
    #[must_use]
    pub fn path(&self) -> &Path {
        match &self.0 {
            Place::Store(path) | Place::Copy(StagingName(path)) => path,
        }
    }
}

fn publish(disk: &Disk, derived: &DerivedFile, key: &VariantKey) -> Result<(), Error> {
    let (from, to) = (&derived.name.0, disk.variant_path(key));
    derived.file.sync_data().map_err(Error::at("sync", from))?;
    match std::fs::rename(from, &to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            disk.make_variant_folder(key)?;
            std::fs::rename(from, &to).map_err(Error::at("publish", &to))?;
        }
        outcome => outcome.map_err(Error::at("publish", &to))?,
    }
    sync_folder(to.parent().unwrap_or(disk.root()))
}
