//! Rows in a real Postgres.

#![allow(
    clippy::unwrap_used,
    reason = "a test says that something is wrong by panicking"
)]

mod list;
