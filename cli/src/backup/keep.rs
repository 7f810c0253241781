//! Old snapshots go, and with them the blobs that no other needs.

use std::{collections::HashSet, fs, num::NonZeroUsize};

use super::{
    check::check_rows,
    folder::{BackupFolder, Snapshot, at},
    manifest::{BlobTotals, Manifest},
    merge::Merged,
};
use crate::Failure;

/// What was let go.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    pub(crate) snapshots: u64,
    pub(crate) kept: u64,
    pub(crate) blobs: BlobTotals,
}

/// Keeps the newest `keep` snapshots. Nothing is removed while one of those that stay is damaged: what seems to be needed by none
/// may then be needed.
pub(crate) fn keep_newest(folder: &BackupFolder, keep: NonZeroUsize) -> Result<Removed, Failure> {
    let mut snapshots = folder.snapshots()?;
    let staying = snapshots.split_off(snapshots.len().saturating_sub(keep.get()));
    let mut manifests = Vec::with_capacity(staying.len());
    for snapshot in &staying {
        match check_rows(snapshot)? {
            (Some(manifest), damages) if damages.is_empty() => manifests.push(manifest),
            (_, damages) => {
                let what = damages
                    .first()
                    .map_or_else(String::new, |damage| damage.what.clone());
                return Err(format!(
                    "nothing was removed: the snapshot {}, which is to stay, is damaged ({what}); `berth verify {}` tells more · \
                     有快照损坏，未清理旧快照",
                    snapshot.name,
                    folder.root().display()
                )
                .into());
            }
        }
    }
    for snapshot in &snapshots {
        snapshot.remove()?;
    }
    Ok(Removed {
        snapshots: snapshots.len() as u64,
        kept: staying.len() as u64,
        blobs: remove_unneeded(folder, &staying, &manifests)?,
    })
}

/// Removes the files that no snapshot speaks of, a folder at a time: one folder's names are in memory, never all.
fn remove_unneeded(
    folder: &BackupFolder,
    snapshots: &[Snapshot],
    manifests: &[Manifest],
) -> Result<BlobTotals, Failure> {
    let mut needed = Merged::open(snapshots.iter().zip(manifests))?.peekable();
    let mut removed = BlobTotals::default();
    for first in 0..=u8::MAX {
        let mut names = HashSet::new();
        while let Some(next) = needed.next_if(|next| match next {
            Ok((_, blob)) => blob.sha256.0[0] == first,
            Err(_) => true,
        }) {
            names.insert(next?.1.file());
        }
        let path = folder.blob_folder(first);
        for entry in fs::read_dir(&path).map_err(at("list", &path))? {
            let entry = entry.map_err(at("list", &path))?;
            let name = format!("blobs/{first:02x}/{}", entry.file_name().to_string_lossy());
            if names.contains(&name) {
                continue;
            }
            let bytes = entry.metadata().map_or(0, |there| there.len());
            fs::remove_file(entry.path()).map_err(at("remove", &entry.path()))?;
            removed.files += 1;
            removed.bytes += bytes;
        }
    }
    Ok(removed)
}
