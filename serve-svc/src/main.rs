//! The view service: see the crate's own page.

use std::process::ExitCode;

use process::{FAILURE, MISCONFIGURED, report, settings::Sources, start_log, stop_on_signal};
use serve_svc::{ServeSettings, run};

#[tokio::main]
async fn main() -> ExitCode {
    let settings = match ServeSettings::load(Sources::load()) {
        Ok(settings) => settings,
        Err(complaints) => return report("serve-svc", &complaints, MISCONFIGURED),
    };
    start_log(&settings.log);
    let outcome = match stop_on_signal() {
        Ok(stop) => run(settings, stop).await,
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report("serve-svc", &*error, FAILURE),
    }
}
