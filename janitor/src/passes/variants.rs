use std::sync::atomic::Ordering;

use catalog::{KeptVariant, list_kept_variants, wish_for_lost_variants, wish_for_missing_thumbnails};

use super::{Done, Error, Work};

/// Blobs that one round looks at. The next round goes on behind them, so that a large database is walked in hours, at some
/// milliseconds a round.
const BLOBS: i64 = 10_000;
/// Variants whose files one round looks for: a question to the disk each.
const FILES: usize = 1_000;
/// The same in a bucket, where questions are paid for and objects do not get lost as files do.
const OBJECTS: usize = 10;

/// Wishes for what is missing: thumbnails of pictures from before there were any, and of whatever lost its row; variants whose
/// files are lost.
pub(super) async fn run(work: &Work<'_>, done: &mut Done) -> Result<(), Error> {
    if work.settings.pretend {
        return Ok(());
    }
    let after = work.blobs_walked.load(Ordering::Relaxed);
    let (wished, last) = wish_for_missing_thumbnails(work.catalog, after, BLOBS, work.now).await?;
    done.variants_wished += wished;
    // At the end it begins anew.
    work.blobs_walked.store(last.unwrap_or(0), Ordering::Relaxed);
    look_for_files(work, done).await
}

async fn look_for_files(work: &Work<'_>, done: &mut Done) -> Result<(), Error> {
    let most = if work.settings.blobs.is_remote() {
        OBJECTS
    } else {
        FILES
    };
    let after = work.variants_walked.load(Ordering::Relaxed);
    let kept = list_kept_variants(work.catalog, after, most).await?;
    let walked = kept.last().map_or(0, |variant| variant.blob_id);
    let keys = kept.iter().map(|variant| variant.key.clone()).collect();
    let have_lost = work.remover.have_lost(keys).await;
    let lost: Vec<KeptVariant> = kept
        .into_iter()
        .zip(have_lost)
        .filter_map(|(variant, is_lost)| is_lost.then_some(variant))
        .collect();
    if !lost.is_empty() {
        tracing::warn!(variants = lost.len(), first = %lost[0].key, "files of variants are lost; they are derived again");
        done.variants_wished += wish_for_lost_variants(work.catalog, &lost, work.now).await?;
    }
    work.variants_walked.store(walked, Ordering::Relaxed);
    Ok(())
}
