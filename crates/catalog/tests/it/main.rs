//! Every question that the product asks its database, asked of a real one with the role that asks it in production.

// The lint's own exceptions cover test functions, not what they call.
#![allow(clippy::unwrap_used)]

mod changes;
mod collisions;
mod deriving;
mod expiring;
mod folding;
mod idempotency;
mod large_table;
mod leading;
mod list;
mod lookups;
mod migrations;
mod outages;
mod publishing;
mod purging;
mod readers;
mod rig;
mod roles;
mod sliding;
mod storm;
mod sweeping;
mod tokens;
mod unused;
mod usage;
mod withdrawing;
