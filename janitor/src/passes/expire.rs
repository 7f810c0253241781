use catalog::{count_due, expire_batch};

use super::{BATCH, Done, Error, Work};

/// Writes off every image whose time is over. They have stopped answering already; this frees their owner's quota and dooms
/// bytes that nothing else links to.
pub(super) async fn run(work: &Work<'_>, done: &mut Done) -> Result<(), Error> {
    if work.settings.pretend {
        done.images_expired = count_due(work.catalog, work.now).await?;
        return Ok(());
    }
    loop {
        let expired = expire_batch(work.catalog, i64::from(BATCH), work.now).await?;
        done.images_expired += expired;
        if !work.is_more(expired) {
            return Ok(());
        }
    }
}
