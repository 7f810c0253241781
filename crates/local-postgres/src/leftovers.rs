//! What an earlier life left on the cluster: a Postgres that is still stopping, or a pid file that lies.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::time::{Instant, sleep};

use crate::error::Error;
use crate::processes;

/// After our death the supervisor ends Postgres within moments. Past this we ask it to end ourselves.
const PATIENCE: Duration = Duration::from_secs(2);

/// Past this it is told to the operator.
const BOUND: Duration = Duration::from_secs(15);

const POLL: Duration = Duration::from_millis(20);

/// Waits until no Postgres lives on the cluster and its pid files tell nothing false.
///
/// INVARIANT: the caller holds the directory's lock, so a Postgres with our mark has no owner any more.
pub(crate) async fn clear(data: &Path, socket: &Path) -> Result<(), Error> {
    let began = Instant::now();
    let mut asked = false;
    loop {
        let living = processes::remaining_on(data);
        let Some(first) = living.first() else { break };
        let postmaster = pid_in(&data.join("postmaster.pid")).filter(|pid| living.contains(pid));
        let foreign = postmaster.is_some_and(processes::is_foreign);
        if foreign || began.elapsed() > BOUND {
            let pid = postmaster.unwrap_or(*first).as_raw_nonzero().get();
            return Err(Error::AlreadyRunning {
                directory: data.to_owned(),
                pid,
            });
        }
        if !asked && began.elapsed() > PATIENCE {
            tracing::warn!("a Postgres of an earlier run has no owner any more: asking it to stop");
            processes::signal_all(postmaster.as_slice(), Signal::INT);
            asked = true;
        }
        sleep(POLL).await;
    }
    forget_reused_pid(&data.join("postmaster.pid"))?;
    forget_reused_pid(&socket.join(".s.PGSQL.5432.lock"))
}

/// Postgres itself gets over a pid file whose number is free, but not over one whose number is taken: by some other
/// program meanwhile, or by the killed postmaster itself, which stays as a zombie where nobody waits for orphans
/// (a container without an init). Either it takes for a running server.
fn forget_reused_pid(pid_file: &Path) -> Result<(), Error> {
    let Some(pid) = pid_in(pid_file).filter(|pid| processes::is_taken(*pid)) else {
        return Ok(());
    };
    tracing::debug!(pid = pid.as_raw_nonzero(), file = %pid_file.display(), "removing a stale pid file");
    match fs::remove_file(pid_file) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(Error::files("remove", pid_file)(source)),
        _ => Ok(()),
    }
}

/// The first line of a `postmaster.pid` or of a socket's lock file. The latter's is the same number; one that
/// begins with a minus (a single-user server's) is none.
pub(crate) fn pid_in(pid_file: &Path) -> Option<Pid> {
    let text = fs::read_to_string(pid_file).ok()?;
    text.lines()
        .next()?
        .trim()
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .and_then(Pid::from_raw)
}
