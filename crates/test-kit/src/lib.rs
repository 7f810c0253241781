//! What tests need and the product does not: a private Postgres, a clock that is moved by hand, pictures.
//!
//! This room owns the throw-away database of a test process ([`TestDatabase`]) and the making of small true files
//! ([`pictures`]), some of which tell on people ([`telltales`]), and a server of the S3 protocol ([`ObjectServer`]) behind a line that can be cut. It leaves to each crate's tests what they assert, and running Postgres to `local-postgres`.
//!
//! Nothing here may be linked by a program: it is a dev-dependency everywhere. Whatever goes wrong panics, for that is
//! how a test says so.
//!
//! # What stays behind
//! Nothing. Rust runs no destructors for statics, and a killed process runs none at all, so cleaning up is not ours:
//! each Postgres has a small shell beside it that holds the other end of a pipe. When the pipe closes, by whatever death of ours, it
//! stops Postgres and removes its folder. `tests/it/ends.rs` proves it for a normal exit, a panic, Ctrl-C and SIGKILL.

mod apart;
mod clock;
mod database;
mod faulty_line;
mod fixtures;
mod object_server;
pub mod pictures;
mod scratch;
mod shared;
mod slow_reader;
pub mod telltales;

pub use clock::ManualClock;
pub use database::{Frozen, TestDatabase};
pub use faulty_line::{Fault, FaultyLine};
pub use fixtures::{account, token};
pub use object_server::ObjectServer;
pub use slow_reader::SlowReader;
