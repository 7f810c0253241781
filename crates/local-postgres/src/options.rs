//! What a caller may choose about its Postgres.

use std::path::PathBuf;
use std::time::Duration;

use crate::binaries::PostgresBinaries;

/// Crash recovery of a large database takes its time; a start that hangs should still be told to somebody.
const START_BOUND: Duration = Duration::from_mins(1);

/// What a power cut may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed.
    Full,
    /// Everything. A killed process still loses nothing, so tests of crashes stay honest.
    None,
}

/// How to run a Postgres. Build one with [`Options::new`] or [`Options::for_tests`] and change fields as needed.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where everything of it lives; made when it is not there. As root, the folders of the cluster and the socket
    /// in it go to the user that Postgres runs as (`postgres`, else `nobody`; for a cluster that is there, its
    /// owner), who must be able to enter every parent.
    pub directory: PathBuf,
    /// Which Postgres.
    pub binaries: PostgresBinaries,
    /// What a power cut may take.
    pub durability: Durability,
    /// Whether pages carry checksums. Decided when the cluster is made.
    pub checksums: bool,
    /// Memory for Postgres's page cache, in MiB.
    pub shared_buffers_mib: u32,
    /// How many sessions at once.
    pub max_connections: u32,
    /// How long [`crate::LocalPostgres::start`] waits for the first connection to be possible.
    pub start_bound: Duration,
    /// Whether the whole directory is removed once Postgres has ended, even when our process was killed.
    pub remove_when_done: bool,
    /// More server settings, as `("work_mem", "16MB")`; they win over ours.
    pub settings: Vec<(String, String)>,
}

impl Options {
    /// For real data: durable, with checksums.
    #[must_use]
    pub fn new(directory: PathBuf, binaries: PostgresBinaries) -> Self {
        Self {
            directory,
            binaries,
            durability: Durability::Full,
            checksums: true,
            shared_buffers_mib: 128,
            max_connections: 100,
            start_bound: START_BOUND,
            remove_when_done: false,
            settings: Vec::new(),
        }
    }

    /// For tests: fast to make, small, and not durable.
    #[must_use]
    pub fn for_tests(directory: PathBuf, binaries: PostgresBinaries) -> Self {
        Self {
            durability: Durability::None,
            checksums: false,
            shared_buffers_mib: 16,
            max_connections: 200,
            ..Self::new(directory, binaries)
        }
    }

    /// The server settings of these options, ours first, so that the caller's own come later and win.
    pub(crate) fn server_settings(&self) -> Vec<(String, String)> {
        let mut settings: Vec<(&str, String)> = vec![
            ("listen_addresses", String::new()),
            ("unix_socket_permissions", "0700".into()),
            ("shared_buffers", format!("{}MB", self.shared_buffers_mib)),
            ("max_connections", self.max_connections.to_string()),
            // Compiling a query costs more than any query of ours.
            ("jit", "off".into()),
            ("logging_collector", "off".into()),
            ("log_destination", "stderr".into()),
            ("log_line_prefix", "%m [%p] %q%u@%d ".into()),
            ("log_checkpoints", "off".into()),
            ("timezone", "UTC".into()),
            ("log_timezone", "UTC".into()),
        ];
        if self.durability == Durability::None {
            // Not synchronous_commit: without it a kill takes what was committed in the last moments.
            settings.push(("fsync", "off".into()));
            settings.push(("full_page_writes", "off".into()));
            settings.push(("min_wal_size", "16MB".into()));
        }
        let ours = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        ours.chain(self.settings.iter().cloned()).collect()
    }
}
