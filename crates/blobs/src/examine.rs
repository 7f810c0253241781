//! Reading a blob again, to hold it against what its row says.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::Arc,
};

use domain::{BlobKey, Md5, Sha256};
use futures_util::StreamExt as _;
use md5::{Digest as _, Md5 as Md5Hasher};
use rustix::{
    fs::{Advice, OFlags, fadvise},
    io::Errno,
};
use sha2::Sha256 as Sha256Hasher;
use tokio::task::spawn_blocking;

use crate::{BlobRemover, Error, Pieces, bucket::Bucket, disk::Disk};

/// What is at a blob's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Examined {
    /// No file.
    Gone,
    /// A file of another length: this one.
    OtherLength(u64),
    /// A file that the disk does not give back.
    Unreadable,
    /// A file of the length that was asked about, with these bytes.
    Bytes {
        /// Their MD5.
        md5: Md5,
        /// Their SHA-256.
        sha256: Sha256,
    },
}

/// What is read before the caller may make us wait.
const STRETCH_BYTES: u64 = 1 << 20;
/// What is read at once.
const PIECE_BYTES: usize = 256 << 10;

/// What a disk, or a file system that keeps checksums of its own, says of bytes that it has lost.
const LOSSES: [Errno; 3] = [Errno::IO, Errno::BADMSG, Errno::UCLEAN];

impl BlobRemover {
    /// Reads what is at this key, which should be `size_bytes` long, from the disk and not from what the system has in memory. `pace` is told how
    /// many bytes were read after each stretch, and may wait. An error is no answer: neither is a store that is not there at all, for a volume
    /// that is not mounted has lost nothing.
    pub async fn examine<F>(
        &self,
        key: &BlobKey,
        size_bytes: u64,
        mut pace: impl FnMut(u64) -> F,
    ) -> Result<Examined, Error>
    where
        F: Future<Output = ()>,
    {
        // INVARIANT: whatever a store is made of is read here. Where a file is looked for that belongs elsewhere, all of them are lost.
        let Self { disk, bucket } = self;
        if let Some(bucket) = bucket {
            return examine_object(bucket, key, size_bytes, pace).await;
        }
        let (disk, own) = (Arc::clone(disk), key.clone());
        let opened = spawn_blocking(move || open(&disk, &own, size_bytes)).await;
        let mut reading = match opened.map_err(died)?? {
            Ok(reading) => reading,
            Err(examined) => return Ok(examined),
        };
        loop {
            let before = reading.at;
            let read = spawn_blocking(move || reading.read_on()).await.map_err(died)??;
            match read {
                Progress::Ended(examined) => return Ok(examined),
                Progress::More(on) => {
                    pace(on.at - before).await;
                    reading = on;
                }
            }
        }
    }
}

async fn examine_object<F>(
    bucket: &Bucket,
    key: &BlobKey,
    size_bytes: u64,
    mut pace: impl FnMut(u64) -> F,
) -> Result<Examined, Error>
where
    F: Future<Output = ()>,
{
    let Some(flow) = bucket.get(&bucket.path(key.as_str()), &(0..u64::MAX)).await? else {
        return Ok(Examined::Gone);
    };
    if flow.size_bytes != size_bytes {
        return Ok(Examined::OtherLength(flow.size_bytes));
    }
    let mut pieces = Pieces::of_flow(flow.bytes, flow.length);
    let (mut md5, mut sha256, mut stretch) = (Md5Hasher::new(), Sha256Hasher::new(), 0);
    while let Some(piece) = pieces.next().await {
        // A line that breaks says nothing about the bytes.
        let piece = piece.map_err(|error| Error::Away {
            operation: "read",
            object: key.to_string(),
            source: error.into(),
        })?;
        md5.update(&piece);
        sha256.update(&piece);
        stretch += piece.len() as u64;
        if stretch >= STRETCH_BYTES {
            pace(std::mem::take(&mut stretch)).await;
        }
    }
    Ok(Examined::Bytes {
        md5: Md5(md5.finalize().into()),
        sha256: Sha256(sha256.finalize().into()),
    })
}

/// A file that is being read.
struct Reading {
    file: File,
    path: PathBuf,
    size_bytes: u64,
    at: u64,
    md5: Md5Hasher,
    sha256: Sha256Hasher,
}

enum Progress {
    More(Reading),
    Ended(Examined),
}

fn open(disk: &Disk, key: &BlobKey, size_bytes: u64) -> Result<Result<Reading, Examined>, Error> {
    let path = disk.path(key);
    // SECURITY: as for views, a symbolic link is no blob.
    let no_follow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let file = match File::options().read(true).custom_flags(no_follow).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let is_there = disk.staging().is_dir() || disk.folder(key).is_dir();
            return if is_there {
                Ok(Err(Examined::Gone))
            } else {
                Err(Error::at("find the store", disk.root())(error))
            };
        }
        Err(error) if is_loss(&error) => return Ok(Err(Examined::Unreadable)),
        Err(error) if Errno::from_io_error(&error) == Some(Errno::LOOP) => return Ok(Err(Examined::Gone)),
        Err(error) => return Err(Error::at("open", path)(error)),
    };
    let metadata = file.metadata().map_err(Error::at("look at", &path))?;
    if !metadata.is_file() {
        return Ok(Err(Examined::Gone));
    }
    if metadata.len() != size_bytes {
        return Ok(Err(Examined::OtherLength(metadata.len())));
    }
    // What was sent lately is in memory, whatever has become of it on the disk. Best effort, as in `forget`.
    forget(&file);
    let _hint = fadvise(&file, 0, None, Advice::Sequential);
    Ok(Ok(Reading {
        file,
        path,
        size_bytes,
        at: 0,
        md5: Md5Hasher::new(),
        sha256: Sha256Hasher::new(),
    }))
}

impl Reading {
    fn read_on(mut self) -> Result<Progress, Error> {
        let until = self.at + STRETCH_BYTES;
        let mut piece = vec![0; PIECE_BYTES];
        while self.at < until {
            let count = match self.file.read(&mut piece) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if is_loss(&error) => return Ok(Progress::Ended(Examined::Unreadable)),
                Err(error) => return Err(Error::at("read", self.path)(error)),
            };
            if count == 0 {
                return Ok(Progress::Ended(self.end()));
            }
            self.md5.update(&piece[..count]);
            self.sha256.update(&piece[..count]);
            self.at += count as u64;
        }
        Ok(Progress::More(self))
    }

    fn end(self) -> Examined {
        // A large store must not push what is viewed out of memory.
        forget(&self.file);
        if self.at != self.size_bytes {
            return Examined::OtherLength(self.at);
        }
        Examined::Bytes {
            md5: Md5(self.md5.finalize().into()),
            sha256: Sha256(self.sha256.finalize().into()),
        }
    }
}

/// Has the system forget what it keeps of a file in memory.
fn forget(file: &File) {
    let _hint = fadvise(file, 0, None, Advice::DontNeed);
}

fn is_loss(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| LOSSES.contains(&errno))
}

fn died(panic: tokio::task::JoinError) -> Error {
    Error::at("read", "a blob")(io::Error::other(panic))
}
