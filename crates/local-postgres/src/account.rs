//! As whom Postgres runs. It refuses to run as root, so a root caller lends it another user.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, fchown, lchown};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::error::Error;

/// The users that a new cluster may be given to, best first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// As whom the children run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Account {
    /// As ourselves: we are not root.
    Ours,
    /// As somebody else: we are root.
    Lent { name: String, uid: u32, gid: u32 },
}

impl Account {
    /// Decides for the cluster in `data`, which may not be there yet.
    pub(crate) fn choose(data: &Path) -> Result<Self, Error> {
        let ours = rustix::process::geteuid().as_raw();
        let owner = fs::metadata(data).ok().map(|it| (it.uid(), it.gid()));
        match owner {
            Some((uid, _)) if ours != 0 && uid != ours => Err(Error::OtherOwner {
                directory: data.to_owned(),
                owner: uid,
                ours,
            }),
            _ if ours != 0 => Ok(Self::Ours),
            // Somebody ran us before without being root: their cluster stays theirs, and they can come back to it.
            Some((uid, gid)) if uid != 0 => Ok(Self::Lent {
                name: format!("with uid {uid}"),
                uid,
                gid,
            }),
            _ => Self::first_known(&fs::read_to_string("/etc/passwd").unwrap_or_default()),
        }
    }

    fn first_known(passwd: &str) -> Result<Self, Error> {
        let known = CANDIDATES.iter().find_map(|candidate| {
            passwd.lines().find_map(|line| {
                let mut fields = line.split(':');
                let name = fields.next().filter(|name| name == candidate)?;
                let uid = fields.nth(1)?.parse().ok()?;
                let gid = fields.next()?.parse().ok()?;
                Some(Self::Lent {
                    name: name.to_owned(),
                    uid,
                    gid,
                })
            })
        });
        known.ok_or(Error::NoAccount)
    }

    /// Gives the account a folder that we made.
    pub(crate) fn give(&self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Ours => Ok(()),
            // SECURITY: a link in its place is not followed to what root alone may give.
            Self::Lent { uid, gid, .. } => {
                lchown(path, Some(*uid), Some(*gid)).map_err(Error::files("give away", path))
            }
        }
    }

    /// Gives the account a file that we opened.
    pub(crate) fn give_open(&self, file: &File, path: &Path) -> Result<(), Error> {
        match self {
            Self::Ours => Ok(()),
            Self::Lent { uid, gid, .. } => {
                fchown(file, Some(*uid), Some(*gid)).map_err(Error::files("give away", path))
            }
        }
    }

    /// The user's number.
    pub(crate) fn uid(&self) -> u32 {
        match self {
            Self::Ours => rustix::process::geteuid().as_raw(),
            Self::Lent { uid, .. } => *uid,
        }
    }

    /// A command that will run as this account. It sees none of our environment: no `PG*` that would bend it, and
    /// no secret of ours. Setting the user drops root's other groups too.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .current_dir("/");
        if let Self::Lent { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
        command
    }

    /// Checks that the account can reach `directory`, by trying: mode bits alone would overlook ACLs.
    pub(crate) async fn check_reach(&self, directory: &Path) -> Result<(), Error> {
        let Self::Lent { name, .. } = self else {
            return Ok(());
        };
        let mut parents: Vec<&Path> = directory.ancestors().collect();
        parents.reverse();
        let shell = Path::new("/bin/sh");
        let tried = self
            .command(shell)
            .args([
                "-c",
                r#"for d; do test -x "$d" || { printf %s "$d"; exit 1; }; done"#,
                "sh",
            ])
            .args(parents)
            .output()
            .await
            .map_err(Error::program(shell))?;
        if tried.status.success() {
            return Ok(());
        }
        let blocked = PathBuf::from(String::from_utf8_lossy(&tried.stdout).into_owned());
        Err(Error::NotTraversable {
            directory: directory.to_owned(),
            blocked,
            user: name.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_is_preferred_to_nobody() {
        let passwd = "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/x\npostgres:x:101:104::/:/x\n";
        let expected = Account::Lent {
            name: "postgres".into(),
            uid: 101,
            gid: 104,
        };
        assert_eq!(Account::first_known(passwd).unwrap(), expected);
        let without = passwd.replace("postgres", "postgrest");
        let expected = Account::Lent {
            name: "nobody".into(),
            uid: 65534,
            gid: 65534,
        };
        assert_eq!(Account::first_known(&without).unwrap(), expected);
        assert!(matches!(
            Account::first_known("root:x:0:0::/:/bin/sh"),
            Err(Error::NoAccount)
        ));
    }
}
