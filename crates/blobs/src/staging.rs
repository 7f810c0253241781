use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use domain::{Md5, Sha256};
use md5::{Digest as _, Md5 as Md5Hasher};
use sha2::Sha256 as Sha256Hasher;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    Error,
    bucket::{Parcel, Sent},
};

/// Pieces that may wait for the disk before the client is made to wait.
pub(crate) const PIECES_IN_FLIGHT: usize = 8;

/// The beginning of a file that is kept in memory, so that its type can be told without reading it back. Containers put
/// their brands and dimensions within it.
const HEAD_BYTES: usize = 64 << 10;

/// What is read at once of a file that is hashed.
const PIECE_BYTES: usize = 256 << 10;

/// nginx reads blobs as another user.
pub(crate) const FILE_MODE: u32 = 0o644;

/// An upload that is still arriving. It is written and hashed on a thread of its own, so that neither the disk nor MD5
/// holds up other requests. Dropped before [`finish`](Self::finish), nothing is left of it.
#[derive(Debug)]
pub struct Staging {
    pieces: mpsc::Sender<Bytes>,
    writer: JoinHandle<Result<Staged, Error>>,
}

/// An upload that has arrived whole: hashed, and not published yet. Dropped, its file is gone.
#[derive(Debug)]
pub struct Staged {
    name: StagingName,
    file: Arc<File>,
    size_bytes: u64,
    md5: Md5,
    sha256: Sha256,
    head: Vec<u8>,
    sent: Mutex<Option<Sent>>,
}

impl Staging {
    pub(crate) fn open(folder: &Path, name: &str) -> Result<Self, Error> {
        let path = folder.join(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(&path)
            .map_err(Error::at("create", &path))?;
        let name = StagingName(path);
        let (pieces, receiver) = mpsc::channel(PIECES_IN_FLIGHT);
        let writer = tokio::task::spawn_blocking(move || write_all(file, name, receiver));
        Ok(Self { pieces, writer })
    }

    /// Hands over the next bytes; waits while the disk is behind. After a failure later calls do nothing and
    /// [`finish`](Self::finish) tells what happened.
    pub async fn write(&mut self, piece: Bytes) {
        let _writer_has_failed = self.pieces.send(piece).await;
    }

    /// Where pieces go in, for a thread that copies; it must be gone before [`finish`](Self::finish) can return.
    pub(crate) fn pieces(&self) -> mpsc::Sender<Bytes> {
        self.pieces.clone()
    }

    /// Whether the disk has failed, so that there is no use in sending on.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.pieces.is_closed()
    }

    /// Gives the upload up; when this returns nothing of it is left.
    pub async fn discard(self) {
        drop(self.finish().await);
    }

    /// Waits until everything is written and hashed.
    pub async fn finish(self) -> Result<Staged, Error> {
        let Self { pieces, writer } = self;
        drop(pieces);
        writer
            .await
            .map_err(|panic| Error::at("write", "a staging file")(io::Error::other(panic)))?
    }
}

fn write_all(mut file: File, name: StagingName, mut pieces: mpsc::Receiver<Bytes>) -> Result<Staged, Error> {
    let (mut md5, mut sha256) = (Md5Hasher::new(), Sha256Hasher::new());
    let (mut size_bytes, mut head) = (0, Vec::new());
    while let Some(piece) = pieces.blocking_recv() {
        file.write_all(&piece).map_err(Error::at("write", &name.0))?;
        md5.update(&piece);
        sha256.update(&piece);
        let wanted = HEAD_BYTES.saturating_sub(head.len()).min(piece.len());
        head.extend_from_slice(&piece[..wanted]);
        size_bytes += piece.len() as u64;
    }
    Ok(Staged {
        name,
        file: Arc::new(file),
        size_bytes,
        md5: Md5(md5.finalize().into()),
        sha256: Sha256(sha256.finalize().into()),
        head,
        sent: Mutex::default(),
    })
}

/// Hashes a file that has come whole, from its beginning.
pub(crate) fn hash_all(mut file: File, name: StagingName) -> Result<Staged, Error> {
    let (mut md5, mut sha256) = (Md5Hasher::new(), Sha256Hasher::new());
    let (mut size_bytes, mut head) = (0, Vec::new());
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece).map_err(Error::at("read", &name.0))?;
        if read == 0 {
            break;
        }
        let piece = &piece[..read];
        md5.update(piece);
        sha256.update(piece);
        let wanted = HEAD_BYTES.saturating_sub(head.len()).min(read);
        head.extend_from_slice(&piece[..wanted]);
        size_bytes += read as u64;
    }
    Ok(Staged {
        name,
        file: Arc::new(file),
        size_bytes,
        md5: Md5(md5.finalize().into()),
        sha256: Sha256(sha256.finalize().into()),
        head,
        sent: Mutex::default(),
    })
}

impl Staged {
    /// How many bytes arrived.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The MD5 of all of them.
    #[must_use]
    pub fn md5(&self) -> Md5 {
        self.md5
    }

    /// The SHA-256 of all of them.
    #[must_use]
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// The first 64 KiB, or all of a smaller file.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The file, to be read from its beginning by whoever must look further than [`head`](Self::head).
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// What is sent of it to a bucket.
    pub(crate) fn parcel(&self) -> Parcel {
        Parcel {
            file: Arc::clone(&self.file),
            size_bytes: self.size_bytes,
            sha256: self.sha256,
        }
    }

    /// What was done already to bring it to a bucket.
    pub(crate) fn sent(&self) -> MutexGuard<'_, Option<Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the file is until this value is dropped: for a decoder, which is another process.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.name.0
    }
}

/// A name in the staging folder that goes away with the value. After a rename there is nothing left to remove.
#[derive(Debug)]
pub(crate) struct StagingName(pub(crate) PathBuf);

impl StagingName {
    /// Leaves the name where it is.
    pub(crate) fn keep(mut self) {
        self.0 = PathBuf::new();
    }
}

impl Drop for StagingName {
    fn drop(&mut self) {
        if self.0.as_os_str().is_empty() {
            return;
        }
        if let Err(error) = std::fs::remove_file(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            // The janitor purges what stays behind.
            tracing::warn!(path = %self.0.display(), %error, "a staging file could not be removed");
        }
    }
}

/// Removes an upload that came in pieces, and says how many bytes it had; none when it was gone already.
pub(crate) fn remove_upload(path: &Path) -> Result<u64, Error> {
    let bytes = std::fs::symlink_metadata(path).map_or(0, |there| there.len());
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::at("remove", path)(error)),
        _ => Ok(bytes),
    }
}
