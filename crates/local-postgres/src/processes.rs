//! Which Postgres processes live on a cluster, told by `/proc`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

/// The mark that our own Postgres carries on its command line (as its `cluster_name`).
pub(crate) const MARK: &str = "berth";

/// Every living Postgres process (the postmaster and its children alike) whose working directory is `data`.
///
/// Postgres enters its data directory and stays, so this finds processes that no pid file names any more, such as
/// the sessions that outlive a killed postmaster for a moment.
pub(crate) fn living_on(data: &Path) -> Vec<Pid> {
    living()
        .filter(|pid| directory_of(*pid).is_ok_and(|directory| directory == data))
        .collect()
}

/// As [`living_on`], and every Postgres process that is on its way out: the kernel takes away its directory before
/// it calls it dead, so whose it was can no longer be told. For waiting, not for signals.
pub(crate) fn remaining_on(data: &Path) -> Vec<Pid> {
    let remains = |pid: Pid| match directory_of(pid) {
        Ok(directory) => directory == data,
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    // Looked at twice, for one that has ended between the two readings has no directory either.
    living()
        .filter(|pid| remains(*pid) && is_living_postgres(*pid))
        .collect()
}

fn living() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw))
        .filter(|pid| is_living_postgres(*pid))
}

fn directory_of(pid: Pid) -> std::io::Result<PathBuf> {
    fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero()))
}

/// Whether there is a process with this number, be it one that ended and that nobody has waited for.
pub(crate) fn is_taken(pid: Pid) -> bool {
    state_and_name(pid).is_some()
}

fn is_living_postgres(pid: Pid) -> bool {
    state_and_name(pid).is_some_and(|(state, name)| name == "postgres" && state != 'Z' && state != 'X')
}

fn state_and_name(pid: Pid) -> Option<(char, String)> {
    let line = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // `42 (name) S 1 …`, and a name may hold anything, a parenthesis too.
    let (open, close) = (line.find('(')?, line.rfind(')')?);
    let state = line.get(close + 1..)?.trim_start().chars().next()?;
    Some((state, line.get(open + 1..close)?.to_owned()))
}

/// Whether this process was started by somebody else. One that is on its way out has no command line any more.
pub(crate) fn is_foreign(pid: Pid) -> bool {
    let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    let mark = format!("cluster_name={MARK}");
    !line.is_empty()
        && !line
            .split(|byte| *byte == 0)
            .any(|argument| argument == mark.as_bytes())
}

/// Sends a signal to each; one that has gone meanwhile is what we wanted.
pub(crate) fn signal_all(pids: &[Pid], signal: Signal) {
    for pid in pids {
        if let Err(error) = kill_process(*pid, signal)
            && error != rustix::io::Errno::SRCH
        {
            tracing::warn!(pid = pid.as_raw_nonzero(), %error, "cannot signal a Postgres process");
        }
    }
}
