//! A running Postgres: from start to end.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout};

use crate::directory::Directory;
use crate::error::Error;
use crate::options::Options;
use crate::{cluster, leftovers, processes, supervisor};

/// The cluster's superuser.
pub const SUPERUSER: &str = "postgres";

/// How long a fast shutdown may take: sessions are cut and a checkpoint is written.
const FAST_STOP_BOUND: Duration = Duration::from_secs(5);

/// How long an immediate one may take. Both together stay under the 8 s that `berthd` has for this.
const IMMEDIATE_STOP_BOUND: Duration = Duration::from_secs(2);

/// How long killed processes may take to be gone.
const KILL_BOUND: Duration = Duration::from_secs(2);

const POLL: Duration = Duration::from_millis(10);

/// A Postgres that runs as our child and ends with us.
///
/// End it with [`stop`](Self::stop). Dropping it kills it, which loses nothing that was committed but makes the
/// next start recover.
#[derive(Debug)]
pub struct LocalPostgres {
    directory: Directory,
    supervisor: Child,
    postmaster: Pid,
    remove_when_done: bool,
    /// Held until we are dropped, that is, until nothing of ours runs on the cluster.
    _lock: fs::File,
}

impl LocalPostgres {
    /// Starts Postgres and returns when it accepts connections. The first start in a directory makes the cluster.
    ///
    /// Must be called within a tokio runtime with I/O and time. A Postgres that an earlier, killed run left behind
    /// is waited for.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let (directory, account, lock) = Directory::prepare(&options.directory)?;
        account.check_reach(&directory.root).await?;
        cluster::ensure(&directory, &account, &options).await?;
        leftovers::clear(&directory.data, &directory.socket).await?;
        let mut supervisor = supervisor::spawn(&directory, &account, &options)?;
        let postmaster = match until_ready(&directory, &mut supervisor, options.start_bound).await {
            Ok(pid) => pid,
            Err(error) => {
                kill_everything(&directory.data, &supervisor);
                return Err(error);
            }
        };
        tracing::info!(
            version = options.binaries.major(),
            socket = %directory.socket.display(),
            "Postgres is ready"
        );
        let remove_when_done = options.remove_when_done;
        Ok(Self {
            directory,
            supervisor,
            postmaster,
            remove_when_done,
            _lock: lock,
        })
    }

    /// A URL for tokio-postgres and libpq alike: `postgresql:///berth?user=berth_serve&host=%2Fpath%2Fsocket`.
    #[must_use]
    pub fn connection_url(&self, user: &str, database: &str) -> String {
        url(&self.directory.socket, user, database)
    }

    /// The same URL for a Postgres that another process runs in this directory, such as berthd; none when nobody does.
    ///
    /// It may be starting still, or stopping: the first question tells.
    pub fn running_url(directory: &Path, user: &str, database: &str) -> Result<Option<String>, Error> {
        let socket = crate::directory::socket_in_use(directory)?;
        Ok(socket.map(|socket| url(&socket, user, database)))
    }

    /// The folder of the Unix socket, mode 0700.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        &self.directory.socket
    }

    /// Postgres's log.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        &self.directory.log
    }

    /// The postmaster's process id.
    #[must_use]
    pub fn process_id(&self) -> i32 {
        self.postmaster.as_raw_nonzero().get()
    }

    /// Waits until Postgres ends by itself, which it should not. Cancel-safe.
    pub async fn exited(&mut self) -> std::io::Result<ExitStatus> {
        // `Child::wait` closes the pipe by which the supervisor knows that we live, so it is put aside meanwhile.
        let pipe = Aside {
            kept: self.supervisor.stdin.take(),
            supervisor: &mut self.supervisor,
        };
        pipe.supervisor.wait().await
    }

    /// Ends Postgres in order: sessions are cut, everything is written. Past 5 s it is ended at once (the next
    /// start recovers), past 7 s killed. Returns when it is gone.
    pub async fn stop(mut self) -> Result<(), Error> {
        for (signal, bound) in [
            (Signal::INT, FAST_STOP_BOUND),
            (Signal::QUIT, IMMEDIATE_STOP_BOUND),
        ] {
            processes::signal_all(&[self.postmaster], signal);
            if timeout(bound, self.gone()).await.is_ok() {
                self.tidy();
                tracing::info!("Postgres has stopped");
                return Ok(());
            }
            tracing::warn!(?bound, "Postgres has not stopped in time: pressing harder");
        }
        self.kill_hard().await
    }

    /// Waits until neither the supervisor nor any process of Postgres is there, whichever ends first.
    async fn gone(&mut self) {
        let group = group_of(&self.supervisor);
        let ended = self.exited().await;
        while !processes::remaining_on(&self.directory.data).is_empty() {
            sleep(POLL).await;
        }
        // A supervisor that was killed has left its watcher behind.
        if let (Some(group), Ok(status)) = (group, ended)
            && status.signal().is_some()
        {
            kill_group(group);
        }
    }

    /// Kills every process of it with SIGKILL, as a crash would, and returns when they are gone.
    pub async fn kill_hard(mut self) -> Result<(), Error> {
        kill_everything(&self.directory.data, &self.supervisor);
        // The supervisor is ours to wait for; the others are init's.
        let reaped = timeout(KILL_BOUND, self.supervisor.wait()).await;
        if let Ok(Err(source)) = reaped {
            return Err(Error::program(Path::new("/bin/sh"))(source));
        }
        wait_until_gone(&self.directory.data);
        Ok(())
    }

    /// Removes what a stop in order leaves outside the directory.
    fn tidy(&self) {
        if self.directory.socket_is_elsewhere
            && let Err(error) = fs::remove_dir(&self.directory.socket)
        {
            tracing::debug!(%error, "the socket's folder stays behind");
        }
    }
}

impl Drop for LocalPostgres {
    fn drop(&mut self) {
        if self.supervisor.id().is_none() {
            return; // ended and waited for
        }
        kill_everything(&self.directory.data, &self.supervisor);
        wait_until_gone(&self.directory.data);
        if self.remove_when_done
            && let Err(error) = fs::remove_dir_all(&self.directory.root)
        {
            tracing::debug!(%error, "a throw-away Postgres's directory stays behind");
        }
    }
}

/// Puts the pipe back when a wait is cancelled.
struct Aside<'a> {
    kept: Option<tokio::process::ChildStdin>,
    supervisor: &'a mut Child,
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        self.supervisor.stdin = self.kept.take();
    }
}

/// Waits until Postgres says in `postmaster.pid` that it takes connections, as `pg_ctl` does.
async fn until_ready(directory: &Directory, supervisor: &mut Child, bound: Duration) -> Result<Pid, Error> {
    let began = Instant::now();
    let pid_file = directory.data.join("postmaster.pid");
    loop {
        if let Some(pid) = ready_postmaster(&pid_file)
            && processes::living_on(&directory.data).contains(&pid)
        {
            return Ok(pid);
        }
        let ended = supervisor
            .try_wait()
            .map_err(Error::program(Path::new("/bin/sh")))?;
        if let Some(status) = ended {
            let (log, tail) = (directory.log.clone(), directory.log_tail());
            return Err(Error::Ended {
                status: status.to_string(),
                log,
                tail,
            });
        }
        if began.elapsed() > bound {
            return Err(Error::NotReady {
                bound,
                log: directory.log.clone(),
                tail: directory.log_tail(),
            });
        }
        sleep(POLL).await;
    }
}

/// The pid of line 1, when line 8 says `ready`.
fn ready_postmaster(pid_file: &Path) -> Option<Pid> {
    let text = fs::read_to_string(pid_file).ok()?;
    let status = text.lines().nth(7)?.trim();
    if status == "ready" {
        leftovers::pid_in(pid_file)
    } else {
        None
    }
}

fn kill_everything(data: &Path, supervisor: &Child) {
    // Sessions leave the postmaster's process group, so they are looked up, and before the kill: a postmaster that
    // outlived them for a moment would begin to recover.
    let living = processes::living_on(data);
    if let Some(group) = group_of(supervisor) {
        kill_group(group);
    }
    processes::signal_all(&living, Signal::KILL);
}

/// The process group that the supervisor leads, until it has been waited for.
fn group_of(supervisor: &Child) -> Option<Pid> {
    i32::try_from(supervisor.id()?).ok().and_then(Pid::from_raw)
}

fn kill_group(group: Pid) {
    if let Err(error) = kill_process_group(group, Signal::KILL) {
        tracing::debug!(%error, "Postgres's process group is gone already");
    }
}

/// Blocks for the moment in which killed processes go; a session that was just being forked goes by itself when it
/// sees its postmaster dead.
fn wait_until_gone(data: &Path) {
    let began = std::time::Instant::now();
    while !processes::remaining_on(data).is_empty() {
        if began.elapsed() > KILL_BOUND {
            tracing::warn!("killed Postgres processes are still there");
            return;
        }
        std::thread::sleep(POLL);
    }
}

fn url(socket: &Path, user: &str, database: &str) -> String {
    format!(
        "postgresql:///{}?user={}&host={}",
        percent_encoded(database.as_bytes()),
        percent_encoded(user.as_bytes()),
        percent_encoded(socket.as_os_str().as_bytes())
    )
}

/// Percent-encodes all but what RFC 3986 calls unreserved.
fn percent_encoded(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len()), |mut text, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
                text.push(char::from(*byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
            text
        })
}
