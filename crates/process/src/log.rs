use std::{io::IsTerminal as _, str::FromStr};

use tracing_subscriber::{EnvFilter, fmt};

/// The shape of a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For a person at a terminal.
    #[default]
    Text,
    /// One JSON object a line, for a collector.
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("expected text or json"),
        }
    }
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// A level (`info`) or `tracing` directives (`info,serve_svc=debug`).
    pub filter: String,
    /// The shape of a line.
    pub format: LogFormat,
}

/// Opens the log on standard error. Does nothing if one is open already, as in tests.
///
/// Colours are for terminals only.
pub fn start_log(settings: &LogSettings) {
    // The migration library tells each file; what it did in all is ours to say.
    let directives = format!("refinery_core=warn,{}", settings.filter);
    let filter = EnvFilter::try_new(directives).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(true);
    let _already_open = match settings.format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
