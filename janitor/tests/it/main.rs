//! The janitor over a real database and a real store.

// The lint's own exceptions cover test functions, not what they call.
#![allow(clippy::unwrap_used)]

mod leading;
mod passes;
mod program;
mod purging;
mod racing;
mod reconciling;
mod rig;
mod running;
mod schedule;
mod scrubbing;
mod settings;
mod sliding;
mod stopping;
mod variants;
