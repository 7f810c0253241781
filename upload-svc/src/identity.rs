//! Who is asking.

mod credentials;

pub(crate) use credentials::{authenticate, require};
