use std::os::unix::fs::FileExt as _;

use sha1::{Digest as _, Sha1};

use crate::{intake::Form, problem::Failure};

/// Bytes that are read at a time.
const PIECE: usize = 256 << 10;

/// The SHA-1 of a form's first file, which Lsky shows beside the MD5; empty when the file was refused. Nothing of ours relies on it.
pub(super) async fn of_first(form: &Form) -> Result<String, Failure> {
    let staged = form.files.first().and_then(|file| file.staged.as_ref().ok());
    let Some(file) = staged.and_then(|staged| staged.file().try_clone().ok()) else {
        return Ok(String::new());
    };
    let hashing = tokio::task::spawn_blocking(move || {
        let (mut sha1, mut piece, mut offset) = (Sha1::new(), vec![0; PIECE], 0);
        // A file that can't be read is publishing's to tell.
        while let Ok(read @ 1..) = file.read_at(&mut piece, offset) {
            sha1.update(&piece[..read]);
            offset += read as u64;
        }
        hex::encode(sha1.finalize())
    });
    Ok(hashing.await?)
}
