use std::{error::Error, fmt::Write as _, process::ExitCode};

/// Something went wrong at run time.
pub const FAILURE: u8 = 1;

/// The settings are bad; nothing was started.
pub const MISCONFIGURED: u8 = 2;

/// Tells a person on standard error what went wrong, with every cause, and gives the exit code.
#[must_use]
pub fn report(program: &str, error: &dyn Error, code: u8) -> ExitCode {
    let mut text = format!("{program}: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, "\n  because: {cause}");
        source = cause.source();
    }
    eprintln!("{text}");
    ExitCode::from(code)
}

/// An error and its causes in one line.
#[must_use]
pub fn in_one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}
