use std::sync::atomic::Ordering;

use catalog::{count_due, expire_batch, expire_fixed_batch, slide_expiries};

use super::{BATCH, Done, Error, Work};

/// Writes off every image whose time is over. They have stopped answering already; this frees their owner's quota and dooms
/// bytes that nothing else links to. Where views keep images alive, their ends are moved first.
pub(super) async fn run(work: &Work<'_>, done: &mut Done) -> Result<(), Error> {
    if work.settings.pretend {
        done.images_expired = count_due(work.catalog, work.now).await?;
        return Ok(());
    }
    let limit = i64::from(BATCH);
    // After a time in which we could not reach the database, serve-svc may not have reached it either: whatever views there were in
    // it come in before the next round.
    let is_steady = work.is_steady.swap(false, Ordering::Relaxed);
    loop {
        let slid = slide_expiries(work.catalog, limit, work.now).await?;
        if !work.is_more(slid) {
            break;
        }
    }
    loop {
        let expired = if is_steady {
            expire_batch(work.catalog, limit, work.now).await?
        } else {
            expire_fixed_batch(work.catalog, limit, work.now).await?
        };
        done.images_expired += expired;
        if !work.is_more(expired) {
            break;
        }
    }
    work.is_steady.store(true, Ordering::Relaxed);
    Ok(())
}
