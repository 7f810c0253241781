//! Whole files in, whole files out.

// The lint's own exceptions cover test functions, not what they call.
#![allow(clippy::unwrap_used)]

mod rendering;
