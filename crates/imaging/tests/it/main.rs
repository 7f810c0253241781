//! Whole files in, whole files out; decoders as real processes.

// The lint's own exceptions cover test functions, not what they call.
#![allow(clippy::unwrap_used)]

mod cameras;
mod corpus;
mod decoders;
mod disk;
mod moving;
mod oddities;
mod posters;
mod rendering;
mod rig;
mod scrubbing;
