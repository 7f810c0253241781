//! upload-svc over real sockets, a real Postgres and real files.

#![allow(
    clippy::unwrap_used,
    reason = "a test says that something is wrong by panicking"
)]

mod access;
mod album_tokens;
mod albums;
mod bulk;
mod cameras;
mod concurrency;
mod contract;
mod delete_links;
mod dialects;
mod document;
mod events;
mod hostile;
mod idempotency;
mod list;
mod media;
mod native;
mod patch;
mod people;
mod pictures;
mod policy;
mod quota;
mod replace;
mod restore;
mod resumable;
mod scrubbing;
mod server;
mod session;
mod tokens;
mod usage;
mod users;
mod variants;
