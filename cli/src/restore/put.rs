//! Bytes out of a backup into a store.

use std::{collections::HashSet, fs::File, io::Read as _, path::Path, sync::Arc};

use blobs::{BlobWriter, Staged};
use domain::Sha256;
use tokio::runtime::Handle;

use crate::{
    Failure,
    backup::{
        folder::{BackupFolder, Snapshot, at},
        hashing::PIECE_BYTES,
        manifest::Manifest,
        rows::BlobRows,
        workers::{blocking, in_parallel},
    },
    progress::Voice,
};

/// Publishes every blob of a snapshot. What is there already and right stays; what is wrong there is replaced.
pub(super) async fn put_blobs(
    writer: BlobWriter,
    folder: &Arc<BackupFolder>,
    snapshot: &Snapshot,
    manifest: &Manifest,
    voice: &Voice,
) -> Result<(), Failure> {
    voice.begin_bytes("files 文件", manifest.blobs.bytes);
    let missing: HashSet<Sha256> = manifest.missing.iter().map(|blob| blob.sha256.0).collect();
    let blobs = BlobRows::open(snapshot, manifest)?;
    let (folder, telling, runtime) = (Arc::clone(folder), voice.clone(), Handle::current());
    blocking(move || {
        in_parallel(blobs, |blob| {
            let path = folder.blob_path(&blob);
            // One that was missing then may have been found by a later backup.
            if missing.contains(&blob.sha256) && !path.exists() {
                return Ok(());
            }
            runtime.block_on(async {
                let staged = stage(&writer, &path, blob.sha256).await?;
                writer.send_ahead(&staged, &blob.key).await?;
                writer.publish(Arc::new(staged), blob.key.clone()).await?;
                telling.advance(blob.size_bytes);
                Ok(())
            })
        })
    })
    .await?;
    voice.end();
    Ok(())
}

/// Brings a backup's file into the store's staging, and refuses it if its bytes are not those.
pub(super) async fn stage(writer: &BlobWriter, path: &Path, sha256: Sha256) -> Result<Staged, Failure> {
    let mut file = File::open(path).map_err(at("open", path))?;
    let mut staging = writer.stage()?;
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let count = file.read(&mut piece).map_err(at("read", path))?;
        if count == 0 || staging.has_failed() {
            break;
        }
        piece.truncate(count);
        staging.write(piece.into()).await;
    }
    let staged = staging.finish().await?;
    if staged.sha256() != sha256 {
        return Err(format!(
            "{} is damaged: its bytes have changed · 备份文件已损坏",
            path.display()
        )
        .into());
    }
    Ok(staged)
}
