use blobs::BlobRemover;
use catalog::{Doomed, count_doomed, forget_ended, sweep_batch};

use super::{BATCH, Done, Error, Work};

/// Frees the bytes of blobs that were doomed longer ago than the grace, then forgets images that ended before it.
pub(super) async fn run(work: &Work<'_>, done: &mut Done) -> Result<(), Error> {
    let before = work.ago(work.settings.sweep_grace);
    if work.settings.pretend {
        (done.blobs_swept, done.bytes_swept) = count_doomed(work.catalog, before).await?;
        return Ok(());
    }
    loop {
        let remove = |doomed| remove_all(work.remover.clone(), doomed);
        let swept = sweep_batch(work.catalog, i64::from(BATCH), before, remove).await?;
        done.blobs_swept += swept.blobs as u64;
        done.bytes_swept += swept.bytes;
        // A batch of which nothing could be freed would come again at once, and for ever.
        if swept.blobs == 0 || !work.is_more(swept.claimed as u64) {
            break;
        }
    }
    loop {
        let forgotten = forget_ended(work.catalog, i64::from(BATCH), before).await?;
        done.images_forgotten += forgotten;
        if !work.is_more(forgotten) {
            return Ok(());
        }
    }
}

/// Removes the bytes of each blob, and gives the ids of those that are gone.
///
/// INVARIANT: it runs only while the rows are locked. When this future is dropped, the locks are about to go, and the remover
/// removes nothing more.
async fn remove_all(remover: BlobRemover, doomed: Vec<Doomed>) -> Vec<i64> {
    let ids: Vec<i64> = doomed.iter().map(|blob| blob.id).collect();
    let keys = doomed.into_iter().map(|blob| (blob.key, blob.variants)).collect();
    let outcomes = remover.remove_all(keys).await;
    let is_gone = |(id, outcome): (i64, Result<(), blobs::Error>)| match outcome {
        Ok(()) => Some(id),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a blob could not be removed; it stays doomed"
            );
            None
        }
    };
    ids.into_iter().zip(outcomes).filter_map(is_gone).collect()
}
