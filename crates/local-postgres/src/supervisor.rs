//! The small shell between us and Postgres that notices our death.
//!
//! The kernel's parent-death signal would be the obvious way. It is tied to the thread that forked, which the
//! runtime may end long before the process, it is dropped when a program changes its user, and asking for it
//! between fork and exec needs `unsafe`. A pipe has none of these troubles: we hold its write end and never write;
//! whatever ends us closes it, and the reader then stops Postgres. The end we hold is close-on-exec, so no other
//! child of ours keeps it open.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Child;

use crate::account::Account;
use crate::directory::Directory;
use crate::error::Error;
use crate::options::Options;
use crate::processes::MARK;

/// `$1` is the folder to remove in the end, or empty; the rest is Postgres's command line.
///
/// The watcher reads until the pipe closes, asks for a fast shutdown, after 5 s for an immediate one, and then
/// kills. It sleeps in short steps so that nothing of it outlives Postgres by more than one.
/// What a service manager sends to all processes of a service at once is not for it: we say when to stop.
const SCRIPT: &str = r#"
trap '' TERM INT HUP
exec 3<&0 </dev/null
doomed=$1; shift
"$@" 3<&- &
postgres=$!
(
  read -r _ <&3
  for signal in INT QUIT KILL; do
    kill -$signal $postgres 2>/dev/null
    step=0
    while [ $step -lt 50 ] && kill -0 $postgres 2>/dev/null; do sleep 0.1; step=$((step + 1)); done
  done
) &
watcher=$!
exec 3<&-
wait $postgres
code=$?
kill -KILL $watcher 2>/dev/null
if [ -n "$doomed" ]; then rm -rf -- "$doomed"; fi
exit $code
"#;

/// Starts the shell and, under it, Postgres. The child's standard input is the pipe: keep it open.
///
/// They form a process group of their own, so that a terminal's Ctrl-C reaches us alone and Postgres is there
/// until the last request has been answered.
pub(crate) fn spawn(directory: &Directory, account: &Account, options: &Options) -> Result<Child, Error> {
    let log = directory.open_log(account)?;
    let copy = log.try_clone().map_err(Error::files("open", &directory.log))?;
    let shell = Path::new("/bin/sh");
    let mut command = account.command(shell);
    command.args(["-c", SCRIPT, "berth-postgres"]);
    if options.remove_when_done {
        account.give(&directory.root)?;
        command.arg(&directory.root);
    } else {
        command.arg("");
    }
    command
        .arg(options.binaries.postgres())
        .arg("-D")
        .arg(&directory.data);
    for (name, value) in options.server_settings() {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    let socket = directory.socket.display().to_string().replace('"', "\"\"");
    command
        .arg("-c")
        .arg(format!("unix_socket_directories=\"{socket}\""));
    command.arg("-c").arg(format!("cluster_name={MARK}"));
    start(command.stdin(Stdio::piped()), log, copy).map_err(Error::program(shell))
}

fn start(command: &mut tokio::process::Command, stdout: File, stderr: File) -> std::io::Result<Child> {
    command.stdout(stdout).stderr(stderr).process_group(0).spawn()
}
