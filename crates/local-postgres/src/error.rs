//! Everything that can stop a local Postgres from starting or stopping, in words an operator can act on.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a local Postgres could not be found, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No usable programs. `too_old` lists the older versions that were seen, as `14 in /usr/lib/postgresql/14/bin`.
    #[error(
        "no PostgreSQL 15 or newer was found on PATH or under /usr/lib/postgresql{}; \
         install it with: apt-get install postgresql",
        if too_old.is_empty() { String::new() } else { format!(" (too old: {})", too_old.join(", ")) }
    )]
    NoBinaries {
        /// The versions that were found and are too old.
        too_old: Vec<String>,
    },
    /// The cluster was made by another major version, which cannot be opened by this one.
    #[error(
        "{} was made by PostgreSQL {cluster}, but the programs in {} are PostgreSQL {programs}; \
         install postgresql-{cluster}, or move the data with pg_dump and pg_restore",
        directory.display(), bin.display()
    )]
    OtherVersion {
        /// The cluster.
        directory: PathBuf,
        /// The major version that made it.
        cluster: u32,
        /// Where the programs are.
        bin: PathBuf,
        /// Their major version.
        programs: u32,
    },
    /// There is a `data` folder, and it is not a Postgres cluster.
    #[error("{} is there but is not a PostgreSQL cluster: it has no readable PG_VERSION", directory.display())]
    NotACluster {
        /// The folder.
        directory: PathBuf,
    },
    /// We are root, and the user that Postgres must run as cannot reach the directory.
    #[error(
        "user {user}, as which PostgreSQL runs, may not enter {}, so it cannot reach {}; \
         run `chmod o+x {}` or choose another directory",
        blocked.display(), directory.display(), blocked.display()
    )]
    NotTraversable {
        /// The directory that was asked for.
        directory: PathBuf,
        /// The first of its parents that the user cannot enter.
        blocked: PathBuf,
        /// The user.
        user: String,
    },
    /// We are not root, and the cluster belongs to somebody else.
    #[error(
        "{} belongs to uid {owner}, not to uid {ours} that this runs as; run it as that user or as root",
        directory.display()
    )]
    OtherOwner {
        /// The cluster.
        directory: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        ours: u32,
    },
    /// We are root and found no user for Postgres, which refuses to run as root.
    #[error("PostgreSQL does not run as root, and /etc/passwd has neither a user `postgres` nor `nobody`")]
    NoAccount,
    /// Another program of ours holds the directory's lock.
    #[error("{} is in use by another berthd", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// A Postgres that we did not start, or that will not end, runs on the cluster.
    #[error(
        "PostgreSQL (process {pid}) is already running on {}; stop it first: kill -INT {pid}",
        directory.display()
    )]
    AlreadyRunning {
        /// The cluster.
        directory: PathBuf,
        /// One of its processes.
        pid: i32,
    },
    /// A file or folder could not be read, made or changed.
    #[error("cannot {doing} {}", path.display())]
    Files {
        /// The verb.
        doing: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A program could not be run at all.
    #[error("cannot run {}", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// `initdb` said no.
    #[error("initdb could not make a cluster in {}:\n{said}", directory.display())]
    Initdb {
        /// Where.
        directory: PathBuf,
        /// The end of what it said.
        said: String,
    },
    /// Postgres ended before it accepted connections.
    #[error("PostgreSQL ended before it was ready ({status}); the end of its log, {}:\n{tail}", log.display())]
    Ended {
        /// How it ended.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// Postgres did not accept connections in time. It has been stopped.
    #[error("PostgreSQL was not ready within {bound:?}; the end of its log, {}:\n{tail}", log.display())]
    NotReady {
        /// How long we waited.
        bound: Duration,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
}

impl Error {
    /// For `map_err`: names the verb and the path beside what the system said.
    pub(crate) fn files(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Files {
            doing,
            path: path.to_owned(),
            source,
        }
    }

    /// For `map_err`: names the program beside what the system said.
    pub(crate) fn program(program: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Program {
            program: program.to_owned(),
            source,
        }
    }
}
