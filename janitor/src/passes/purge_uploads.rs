use std::time::{Duration, SystemTime};

use blobs::BlobRemover;
use catalog::{count_forgotten_uploads, forget_uploads};
use domain::PublicId;

use super::{BATCH, Done, Error, Work};

/// How much older than any row's a file is that no row speaks of: a row is written a little after its file.
const MARGIN: Duration = Duration::from_hours(1);

/// Removes what nobody goes on with: staging files that were not written to for long (a killed upload-svc can't do it itself),
/// and uploads in pieces that are over.
pub(super) async fn run(work: &Work<'_>, done: &mut Done) -> Result<(), Error> {
    let pretend = work.settings.pretend;
    let staged_since = SystemTime::from(work.ago(work.settings.staging_max_age));
    let uploaded_since = SystemTime::from(work.ago(work.settings.uploads_keep.saturating_add(MARGIN)));
    forget(work, done).await?;
    let remover = work.remover.clone();
    let purging = tokio::task::spawn_blocking(move || {
        let staged = remover.purge_staging(staged_since, pretend)?;
        Ok::<_, blobs::Error>([staged, remover.purge_uploads(uploaded_since, pretend)?])
    });
    for purged in purging.await?? {
        done.staging_purged += purged.files;
        done.staging_bytes += purged.bytes;
    }
    Ok(())
}

/// Forgets uploads in pieces that are over, with their bytes.
async fn forget(work: &Work<'_>, done: &mut Done) -> Result<(), Error> {
    if work.settings.pretend {
        done.staging_purged += count_forgotten_uploads(work.catalog, work.now).await?;
        return Ok(());
    }
    loop {
        let mut bytes = 0;
        let remove = async |ids| bytes = remove_all(work.remover.clone(), ids).await;
        let forgotten = forget_uploads(work.catalog, i64::from(BATCH), work.now, remove).await?;
        done.staging_purged += forgotten;
        done.staging_bytes += bytes;
        if !work.is_more(forgotten) {
            return Ok(());
        }
    }
}

/// Says how many bytes were freed. What can't be removed is removed later, as a file that no row speaks of.
async fn remove_all(remover: BlobRemover, ids: Vec<PublicId>) -> u64 {
    let removing = tokio::task::spawn_blocking(move || {
        let bytes = |id: &PublicId| {
            remover.drop_upload(*id).unwrap_or_else(|error| {
                tracing::warn!(%id, error = &error as &dyn std::error::Error, "an upload that is over could not be removed");
                0
            })
        };
        ids.iter().map(bytes).sum()
    });
    removing.await.unwrap_or_default()
}
