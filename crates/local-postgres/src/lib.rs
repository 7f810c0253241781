//! A Postgres of our own, run as a child process: for `berthd` (one machine, no Docker) and for tests.
//!
//! This room owns: finding the system's Postgres programs, making a cluster on first start, starting it on a Unix
//! socket that only its owner may enter, telling when it is ready, and ending it, in order or by force. It leaves
//! to others: roles, databases and migrations (`catalog`), settings and signals (`process`), and every query.
//!
//! What lies in the directory given to [`LocalPostgres::start`]:
//!
//! | name | what |
//! |---|---|
//! | `data/` | the cluster. It is made as `data.new/` and renamed, so a `data/` is always a whole one |
//! | `socket/` | mode 0700; the Unix socket. There is no TCP port |
//! | `postgres.log` | what Postgres says; `postgres.log.1` is the one before |
//! | `lock` | held while we run, so that two programs never share a cluster |
//!
//! INVARIANT: when the process that called `start` is gone, by whatever death, Postgres stops too. A pipe tells:
//! see `supervisor.rs`.

mod account;
mod binaries;
mod cluster;
mod directory;
mod error;
mod leftovers;
mod options;
mod processes;
mod server;
mod supervisor;

pub use binaries::PostgresBinaries;
pub use error::Error;
pub use options::{Durability, Options};
pub use server::{LocalPostgres, SUPERUSER};
