//! Blobs into the folder of backups, each once.

use std::{
    fs,
    io::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    folder::{BackupFolder, at},
    hashing::hash_file,
    manifest::BlobTotals,
    rows::BlobRow,
    source::Source,
    workers::in_parallel,
};
use crate::{Failure, progress::Voice};

/// A blob whose bytes could not be had, and what is wrong with them in the store.
#[derive(Debug, Clone)]
pub(crate) struct Lost {
    pub(crate) blob: BlobRow,
    pub(crate) because: String,
}

/// So many files that are not there, and not one that is, are no loss but another folder.
pub(crate) const ALL_LOST: usize = 1_000;

/// Why nothing more is read.
pub(crate) fn is_another(lost: usize) -> Failure {
    format!(
        "of the first {lost} files that were looked for in the store not one is right: is its volume mounted, and BERTH_DATA the right \
         one? · 存储目录可能不正确或未挂载"
    )
    .into()
}

/// What copying came to.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    /// What was new.
    pub(crate) new: BlobTotals,
    /// Files in the backup that were damaged and are good again.
    pub(crate) mended: u64,
    /// What is in no copy of it right, neither in the store nor here.
    pub(crate) lost: Vec<Lost>,
}

/// Copies what is not there yet. With `rehash` it reads what is there, too, and replaces what is damaged.
///
/// INVARIANT: only bytes that have the row's SHA-256 ever get a blob's name, so nothing that rots in the store replaces a good copy.
pub(crate) fn copy_blobs(
    blobs: impl Iterator<Item = Result<BlobRow, Failure>> + Send,
    source: &Source,
    folder: &BackupFolder,
    rehash: bool,
    voice: &Voice,
) -> Result<Copied, Failure> {
    let (files, bytes, mended) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let lost = Mutex::new(Vec::new());
    in_parallel(blobs, |blob: BlobRow| {
        let here = look(&blob, folder, rehash)?;
        if here == Here::Good {
            voice.advance(blob.size_bytes);
            return Ok(());
        }
        match copy(&blob, source, folder)? {
            None => {
                files.fetch_add(1, Ordering::Relaxed);
                bytes.fetch_add(blob.size_bytes, Ordering::Relaxed);
                mended.fetch_add(u64::from(here == Here::Damaged), Ordering::Relaxed);
            }
            Some(because) => {
                let mut lost = lost.lock().unwrap_or_else(PoisonError::into_inner);
                lost.push(Lost {
                    blob: blob.clone(),
                    because,
                });
                if lost.len() >= ALL_LOST && files.load(Ordering::Relaxed) == 0 {
                    return Err(is_another(lost.len()));
                }
            }
        }
        voice.advance(blob.size_bytes);
        Ok(())
    })?;
    let mut lost = lost.into_inner().unwrap_or_else(PoisonError::into_inner);
    lost.sort_by_key(|lost| lost.blob.sha256);
    Ok(Copied {
        new: BlobTotals {
            files: files.into_inner(),
            bytes: bytes.into_inner(),
        },
        mended: mended.into_inner(),
        lost,
    })
}

/// What the folder holds of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Here {
    Nothing,
    Good,
    Damaged,
}

fn look(blob: &BlobRow, folder: &BackupFolder, rehash: bool) -> Result<Here, Failure> {
    let path = folder.blob_path(blob);
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Here::Nothing),
        Err(error) => return Err(at("look at", &path)(error)),
        Ok(there) if !there.is_file() || there.len() != blob.size_bytes => return Ok(Here::Damaged),
        Ok(_) => {}
    }
    // Bytes that can't be read any more are damaged, too.
    if rehash
        && !hash_file(&path, |_| {}).is_ok_and(|found| found.is_some_and(|(sha256, _)| sha256 == blob.sha256))
    {
        return Ok(Here::Damaged);
    }
    Ok(Here::Good)
}

/// Copies one blob; says why where the store does not have its bytes.
fn copy(blob: &BlobRow, source: &Source, folder: &BackupFolder) -> Result<Option<String>, Failure> {
    let mut draft = folder.draft()?;
    let path = draft.path().to_owned();
    let fault = source.read(&blob.key, blob.size_bytes, blob.sha256, |piece| {
        draft.file.write_all(piece).map_err(at("write", &path))
    })?;
    if fault.is_some() {
        return Ok(fault);
    }
    folder.keep_blob(draft, blob)?;
    Ok(None)
}
