use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use md5::Md5;
use sha2::{Digest as _, Sha256};

/// What a file's bytes hash to, in hexadecimal, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digests {
    pub(crate) md5: String,
    pub(crate) sha256: String,
    pub(crate) size_bytes: u64,
}

impl Digests {
    /// Reads a file to its end, on a thread that may wait for the disk.
    pub(crate) async fn of(path: &Path) -> io::Result<Self> {
        let path = path.to_owned();
        let reading = tokio::task::spawn_blocking(move || Self::read(&path));
        reading.await.map_err(io::Error::other)?
    }

    fn read(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let (mut md5, mut sha256, mut size_bytes) = (Md5::new(), Sha256::new(), 0);
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            md5.update(&buffer[..count]);
            sha256.update(&buffer[..count]);
            size_bytes += count as u64;
        }
        Ok(Self {
            md5: hex::encode(md5.finalize()),
            sha256: hex::encode(sha256.finalize()),
            size_bytes,
        })
    }
}
