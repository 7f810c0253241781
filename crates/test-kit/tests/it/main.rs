//! The kit itself: what it makes is true, and it leaves nothing behind.

// The lint's own exception covers test functions, not what they call.
#![allow(clippy::unwrap_used)]

mod databases;
mod ends;
mod pictures;
