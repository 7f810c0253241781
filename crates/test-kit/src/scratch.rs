//! A folder that goes when we do.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// `$1` is the folder. Reads until the pipe closes, waits until the Postgres in it has ended (its own supervisor sees to
/// that), and removes everything. It waits no longer than Postgres is given to stop.
const SCRIPT: &str = r#"
read -r _
step=0
while [ $step -lt 200 ]; do
  pid=$(head -n 1 "$1/postgres/data/postmaster.pid" 2>/dev/null)
  if [ -z "$pid" ] || ! kill -0 "$pid" 2>/dev/null; then
    rm -rf -- "$1" 2>/dev/null && exit 0
  fi
  sleep 0.1
  step=$((step + 1))
done
rm -rf -- "$1"
"#;

/// A temporary folder, and a small shell that removes it once our end of its pipe is closed: by dropping this value or by
/// the end of the process, whatever its cause. The shell has a process group of its own, so Ctrl-C doesn't reach it.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
    remover: Child,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("berth-test-")
            .permissions(std::fs::Permissions::from_mode(0o711)) // root's Postgres runs as another user
            .tempdir()
            .expect("a temporary folder can be made")
            .keep();
        let remover = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "berth-test-remover"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a shell can be run");
        Self { folder, remover }
    }

    /// Where Postgres belongs.
    pub(crate) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // `wait` closes the pipe first.
        let _gone = self.remover.wait();
    }
}
