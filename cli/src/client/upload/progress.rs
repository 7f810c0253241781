use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::client::words::plain;

/// Bars on standard error, if that is a terminal: one for each file under way, and one below them for all.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    bars: MultiProgress,
    all: ProgressBar,
}

const EACH: &str = "  {msg:32!} {bar:20.cyan/dim} {bytes:>11}/{total_bytes:11}";
const ALL: &str =
    "  {prefix:32!} {bar:20.green/dim} {bytes:>11}/{total_bytes:11} {binary_bytes_per_sec:>13} {eta:>4}";
const COUNT: &str = "  {prefix:32!} {bar:20.green/dim} {pos:>7}/{len:7} {eta:>4}";

impl Progress {
    /// A bar for this many bytes in all.
    pub(crate) fn of_bytes(total: u64, what: String) -> Self {
        Self::with(ALL, total, what)
    }

    /// A bar for this many things.
    pub(crate) fn of_things(total: u64, what: String) -> Self {
        Self::with(COUNT, total, what)
    }

    fn with(template: &str, total: u64, what: String) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        let all = bars.add(
            ProgressBar::new(total)
                .with_style(style(template))
                .with_prefix(what),
        );
        all.enable_steady_tick(Duration::from_millis(250));
        Self { bars, all }
    }

    /// A bar for one file, which goes when the value does. Its bytes are part of the whole.
    pub(crate) fn file(&self, name: &str, size: u64) -> FileBar {
        FileBar {
            bar: self.add(name, size),
            all: Some(self.all.clone()),
        }
    }

    /// The same where the whole counts things, not bytes.
    pub(crate) fn detail(&self, name: &str, size: u64) -> FileBar {
        FileBar {
            bar: self.add(name, size),
            all: None,
        }
    }

    fn add(&self, name: &str, size: u64) -> ProgressBar {
        let bar = ProgressBar::new(size)
            .with_style(style(EACH))
            .with_message(plain(name));
        self.bars.insert_before(&self.all, bar)
    }

    /// So much of the whole is done.
    pub(crate) fn done(&self, count: u64) {
        self.all.inc(count);
    }

    /// Prints while no bar stands there.
    pub(crate) fn print(&self, printing: impl FnOnce()) {
        self.bars.suspend(printing);
    }

    /// Takes the bars away.
    pub(crate) fn end(&self) {
        self.all.finish_and_clear();
        let _ = self.bars.clear();
    }
}

/// A name's bar for as long as its file is under way.
#[derive(Debug)]
pub(crate) struct FileBar {
    bar: ProgressBar,
    all: Option<ProgressBar>,
}

impl FileBar {
    /// So far the file has come; where a try began again, less far than before.
    pub(crate) fn at(&self, position: u64) {
        let before = self.bar.position();
        self.bar.set_position(position);
        let Some(all) = &self.all else { return };
        match position.checked_sub(before) {
            Some(more) => all.inc(more),
            None => all.dec(before - position),
        }
    }

    /// So much more of it has gone.
    pub(crate) fn inc(&self, count: u64) {
        self.at(self.bar.position() + count);
    }

    /// All of it, whether it had to be sent or not.
    pub(crate) fn whole(&self) {
        self.at(self.bar.length().unwrap_or(0));
    }
}

impl Drop for FileBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}
