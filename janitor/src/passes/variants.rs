use std::sync::atomic::Ordering;

use catalog::wish_for_missing_thumbnails;

use super::{Done, Error, Work};

/// Blobs that one round looks at. The next round goes on behind them, so that a large database is walked in hours, at some
/// milliseconds a round.
const BLOBS: i64 = 10_000;

/// Wishes for thumbnails that are missing: of pictures from before there were any, and of whatever lost its row.
pub(super) async fn run(work: &Work<'_>, done: &mut Done) -> Result<(), Error> {
    if work.settings.pretend {
        return Ok(());
    }
    let after = work.blobs_walked.load(Ordering::Relaxed);
    let (wished, last) = wish_for_missing_thumbnails(work.catalog, after, BLOBS, work.now).await?;
    done.variants_wished += wished;
    // At the end it begins anew.
    work.blobs_walked.store(last.unwrap_or(0), Ordering::Relaxed);
    Ok(())
}
