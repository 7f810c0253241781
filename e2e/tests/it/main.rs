//! Everything from outside.

#![allow(
    clippy::unwrap_used,
    reason = "a test says that something is wrong by panicking"
)]

mod at_once;
mod backups;
mod berthd;
mod browser;
mod bucket;
mod client;
mod clients;
mod curl;
mod dialects;
mod docs;
mod faults;
mod full;
mod hostile;
mod house;
mod kills;
mod leaders;
mod outage;
mod page;
mod privacy;
mod replacements;
mod rules;
mod sizes;
mod spine;
mod stack;
