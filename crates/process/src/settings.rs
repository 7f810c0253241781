//! Settings of a process, in layers: a file (`berth.toml` or `.json`), overridden by `.env`, overridden by the
//! environment. Every complaint is collected, so that a person mends all of them in one go.

mod key;
mod reader;
mod sources;

pub use key::{KEYS, Key};
pub use reader::{Complaints, Reader};
pub use sources::{Layer, Sources};
