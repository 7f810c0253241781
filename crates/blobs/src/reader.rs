use std::{
    fs::File,
    io::{self, IoSliceMut},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use domain::{BlobKey, VariantKey};
use rustix::{
    fs::OFlags,
    io::{Errno, ReadWriteFlags, preadv2},
};

use crate::{Error, disk::Disk};

/// Opens published blobs for reading. Held by serve-svc, which can't do anything else to them.
#[derive(Debug, Clone)]
pub struct BlobReader {
    disk: Arc<Disk>,
}

/// A published blob, open for reading.
#[derive(Debug, Clone)]
pub struct BlobFile {
    file: Arc<File>,
    size_bytes: u64,
}

impl BlobReader {
    /// Reads from the store in this folder; changes nothing there.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self {
            disk: Arc::new(Disk::new(root)),
        }
    }

    /// Opens a blob; none when its file is not there. It blocks for as long as the file system needs to find a name,
    /// which it has in memory for anything that was asked for lately.
    pub fn open(&self, key: &BlobKey) -> Result<Option<BlobFile>, Error> {
        open(&self.disk.path(key))
    }

    /// Opens a variant, likewise.
    pub fn open_variant(&self, key: &VariantKey) -> Result<Option<BlobFile>, Error> {
        open(&self.disk.variant_path(key))
    }

    /// Whether the store can be read at all, for a health check.
    pub fn check(&self) -> Result<(), Error> {
        std::fs::read_dir(self.disk.root())
            .map(drop)
            .map_err(Error::at("open", self.disk.root()))
    }
}

fn open(path: &Path) -> Result<Option<BlobFile>, Error> {
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
    Ok(Some(BlobFile {
        file: Arc::new(file),
        size_bytes: metadata.len(),
    }))
}

impl BlobFile {
    /// How long the file is.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Up to `length` bytes from `offset` on if they are in the page cache, at once; none when the disk would have to be
    /// waited for. Fewer bytes may come than were asked for; no bytes at all mean the end of the file.
    pub fn read_cached(&self, offset: u64, length: usize) -> io::Result<Option<Bytes>> {
        let mut buffer = BytesMut::zeroed(length);
        match preadv2(
            &self.file,
            &mut [IoSliceMut::new(&mut buffer)],
            offset,
            ReadWriteFlags::NOWAIT,
        ) {
            Ok(count) => {
                buffer.truncate(count);
                Ok(Some(buffer.freeze()))
            }
            // OPNOTSUPP: a file system without RWF_NOWAIT, such as tmpfs on older kernels.
            Err(Errno::AGAIN | Errno::OPNOTSUPP) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Up to `length` bytes from `offset` on, waiting for the disk: for a thread that may block.
    pub fn read_blocking(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let mut buffer = BytesMut::zeroed(length);
        let count = self.file.read_at(&mut buffer, offset)?;
        buffer.truncate(count);
        Ok(buffer.freeze())
    }
}
