//! serve-svc over real sockets, a real Postgres and real files.

#![allow(
    clippy::unwrap_used,
    reason = "a test says that something is wrong by panicking"
)]

mod answers;
mod damage;
mod lives;
mod older;
mod outages;
mod placeholders;
mod policies;
mod posters;
mod replicas;
mod server;
mod signed;
mod sliding;
mod variants;
mod views;
