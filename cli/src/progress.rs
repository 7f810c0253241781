//! How far a long command is, for whoever watches: a bar on a terminal, nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What a command says of itself. Nothing with `--quiet`, but for what went wrong.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    quiet: bool,
    bar: ProgressBar,
}

impl Voice {
    pub(crate) fn new(quiet: bool) -> Self {
        let target = if quiet {
            ProgressDrawTarget::hidden()
        } else {
            // Hidden by itself where standard error is no terminal.
            ProgressDrawTarget::stderr_with_hz(8)
        };
        Self {
            quiet,
            bar: ProgressBar::with_draw_target(None, target),
        }
    }

    /// Begins a part of which nobody knows how long it takes.
    pub(crate) fn begin(&self, words: &'static str) {
        self.bar.reset();
        self.bar.unset_length();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos}") {
            self.bar.set_style(style);
        }
        self.bar.set_message(words);
        self.bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// Begins a part of so many bytes.
    pub(crate) fn begin_bytes(&self, words: &'static str, bytes: u64) {
        self.bar.reset();
        self.bar.set_length(bytes);
        let template = "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_message(words);
    }

    /// So much is done.
    pub(crate) fn advance(&self, by: u64) {
        self.bar.inc(by);
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// Says a line on standard output.
    pub(crate) fn say(&self, line: impl AsRef<str>) {
        self.end();
        if !self.quiet {
            println!("{}", line.as_ref());
        }
    }

    /// Says what is wrong on standard error, quiet or not.
    pub(crate) fn complain(&self, line: impl AsRef<str>) {
        self.bar.suspend(|| eprintln!("{}", line.as_ref()));
    }
}
