//! http-kit from outside: real sockets, raw bytes.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails by unwrapping, in its own steps too"
)]

mod bodies;
mod client_addresses;
mod connections;
mod exchanges;
mod framing;
mod listening;
mod operations;
mod rate_limits;
mod rig;
mod routing;
mod stopping;
mod succession;
