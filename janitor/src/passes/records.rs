use catalog::{forget_answers, forget_events, forget_sessions, withdraw_of_deleted};

use super::{BATCH, Done, Error, Work};

/// Forgets what happened too long ago to be kept (`/v1/events`) sessions and kept answers that are over, and goes on with deletions of
/// accounts that were interrupted.
pub(super) async fn run(work: &Work<'_>, done: &mut Done) -> Result<(), Error> {
    if work.settings.pretend {
        return Ok(());
    }
    let limit = i64::from(BATCH);
    let before = work.ago(work.settings.events_keep);
    loop {
        let forgotten = forget_events(work.catalog, before, limit).await?;
        done.records_forgotten += forgotten;
        if !work.is_more(forgotten) {
            break;
        }
    }
    loop {
        let forgotten = forget_sessions(work.catalog, limit, work.now).await?;
        done.records_forgotten += forgotten;
        if !work.is_more(forgotten) {
            break;
        }
    }
    loop {
        let forgotten = forget_answers(work.catalog, limit, work.now).await?;
        done.records_forgotten += forgotten;
        if !work.is_more(forgotten) {
            break;
        }
    }
    // Its batches are its own to measure: it says 0 when nothing is left.
    while withdraw_of_deleted(work.catalog, work.now).await? > 0 && !work.stop.is_cancelled() {}
    Ok(())
}
