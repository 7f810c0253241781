//! How a process lives: it reads its settings, opens its log, watches for signals and ends with an honest exit code.
//!
//! This room alone reads the environment, the clock and the machine's randomness (`clippy.toml` forbids them
//! everywhere else); other rooms are given values. What the settings mean is left to those who declare them.

mod clock;
mod exit;
mod log;
mod person;
pub mod settings;
mod shutdown;

pub use clock::Clock;
pub use exit::{FAILURE, MISCONFIGURED, in_one_line, report};
pub use log::{LogFormat, LogSettings, start_log};
pub use person::Person;
pub use shutdown::stop_on_signal;

/// Fresh bytes from the machine's source of randomness, good for secrets.
///
/// # Panics
/// When the machine has no such source, for nothing safe could be done without one.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place that draws randomness"
    )]
    getrandom::fill(&mut bytes).expect("the machine's source of randomness answers");
    bytes
}

/// `PATH`, in which the programs of the system are looked for.
#[must_use]
pub fn search_path() -> Option<std::ffi::OsString> {
    std::env::var_os("PATH")
}
