//! upload-svc over real sockets, a real Postgres and real files.

#![allow(
    clippy::unwrap_used,
    reason = "a test says that something is wrong by panicking"
)]

mod concurrency;
mod events;
mod hostile;
mod native;
mod people;
mod server;
mod session;
mod tokens;
mod upimg;
mod users;
