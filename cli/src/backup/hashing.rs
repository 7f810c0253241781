//! Bytes that are hashed on their way.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use domain::Sha256;
use sha2::{Digest as _, Sha256 as Hasher};

use super::folder::at;
use crate::Failure;

/// What is read or written at once.
pub(crate) const PIECE_BYTES: usize = 256 << 10;

/// Counts and hashes what goes through it, in either direction.
pub(crate) struct Hashing<T> {
    inner: T,
    hasher: Hasher,
    bytes: u64,
}

impl<T> Hashing<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            hasher: Hasher::new(),
            bytes: 0,
        }
    }

    pub(crate) fn finish(self) -> (T, Sha256, u64) {
        (self.inner, Sha256(self.hasher.finalize().into()), self.bytes)
    }

    fn see(&mut self, piece: &[u8]) {
        self.hasher.update(piece);
        self.bytes += piece.len() as u64;
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(piece)?;
        self.see(&piece[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The SHA-256 of bytes in memory.
pub(crate) fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256(Hasher::digest(bytes).into())
}

/// The SHA-256 of a file and how many bytes it has; none where it is not there, or is no file. `seen` is told of each piece.
pub(crate) fn hash_file(path: &Path, seen: impl Fn(u64)) -> Result<Option<(Sha256, u64)>, Failure> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at("open", path)(error)),
    };
    if !file.metadata().map_err(at("look at", path))?.is_file() {
        return Ok(None);
    }
    let (mut hasher, mut bytes, mut piece) = (Hasher::new(), 0, vec![0; PIECE_BYTES]);
    loop {
        let count = file.read(&mut piece).map_err(at("read", path))?;
        if count == 0 {
            return Ok(Some((Sha256(hasher.finalize().into()), bytes)));
        }
        hasher.update(&piece[..count]);
        bytes += count as u64;
        seen(count as u64);
    }
}
