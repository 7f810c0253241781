//! The `berth` program: what it keeps it brings back, whatever happens meanwhile.

#![allow(
    clippy::unwrap_used,
    reason = "a test says that something is wrong by panicking"
)]

mod damage;
mod healing;
mod keeping;
mod kills;
mod meanwhile;
mod own_postgres;
mod refusals;
mod rig;
mod round_trip;
mod settings;
