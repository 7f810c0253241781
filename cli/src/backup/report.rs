//! What a backup says when it is done.

use std::time::Duration;

use super::{BackupFolder, Done};
use crate::{
    client::words::size,
    database::Place,
    figures::{count, time},
    progress::Voice,
};

/// More files that could not be had are not told one by one; the manifest names all.
const MOST_TOLD: usize = 20;

pub(super) fn tell(done: &Done, folder: &BackupFolder, place: &Place, took: Duration, voice: &Voice) {
    let (manifest, new) = (&done.manifest, done.copied.new);
    let here = manifest.blobs.files - new.files - done.copied.lost.len() as u64;
    let mut lines = vec![
        format!(
            "Backed up {} images, {} files of {}, in {} · 备份完成",
            count(manifest.images),
            count(manifest.blobs.files),
            size(manifest.blobs.bytes),
            time(took)
        ),
        format!("  snapshot 快照    {}", done.snapshot.root.display()),
        format!(
            "  copied 新增      {} files, {}; {} were here already",
            count(new.files),
            size(new.bytes),
            count(here)
        ),
        format!(
            "  rows 数据        {} in {} tables, schema V{}",
            count(manifest.rows()),
            manifest.tables.len(),
            manifest.schema
        ),
    ];
    if done.copied.mended > 0 {
        lines.push(format!(
            "  mended 修复      {} files that were damaged in the backup",
            count(done.copied.mended)
        ));
    }
    if let Some(removed) = &done.removed {
        lines.push(format!(
            "  kept 保留        {} snapshots; {} older removed, {} freed",
            removed.kept,
            removed.snapshots,
            size(removed.blobs.bytes)
        ));
    }
    let secret = if place.is_berthd() {
        "the file `secret` of berthd's data folder (or BERTH_SECRET)"
    } else {
        ".env or berth.toml, with BERTH_SECRET"
    };
    lines.push(format!(
        "  not in it 未包含 {secret}: keep it beside the backup, or links that were signed and delete links end with the server"
    ));
    lines.push(format!("Prove it 验证: berth verify {}", folder.root().display()));
    voice.say(lines.join("\n"));
    for lost in done.copied.lost.iter().take(MOST_TOLD) {
        voice.complain(format!("{}: {}", lost.blob.key, lost.because));
    }
}

/// The last word on a backup that lacks files.
pub(super) fn incomplete(done: &Done) -> String {
    format!(
        "{} files could not be backed up, for the store does not have their bytes, and no older snapshot does. Everything else \
         is in the snapshot, whose manifest.json names them (`missing`). Look at the disk; send those files again, which heals \
         them, and back up again · 有文件在存储中已丢失或损坏，其余已备份",
        count(done.copied.lost.len() as u64)
    )
}
