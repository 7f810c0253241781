use std::time::SystemTime;

use super::{Done, Error, Work};

/// Removes staging files that nobody has written to for long: a killed upload-svc can't do it itself.
pub(super) async fn run(work: &Work<'_>, done: &mut Done) -> Result<(), Error> {
    let idle_since = SystemTime::from(work.ago(work.settings.staging_max_age));
    let (remover, pretend) = (work.remover.clone(), work.settings.pretend);
    let purging = tokio::task::spawn_blocking(move || remover.purge_staging(idle_since, pretend));
    let purged = purging.await??;
    done.staging_purged += purged.files;
    done.staging_bytes += purged.bytes;
    Ok(())
}
