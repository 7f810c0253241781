//! The upload service: see the crate's own page.

use std::process::ExitCode;

use process::{FAILURE, MISCONFIGURED, report, settings::Sources, start_log, stop_on_signal};
use upload_svc::{UploadSettings, run};

fn main() -> ExitCode {
    imaging::serve_if_asked();
    serve()
}

#[tokio::main]
async fn serve() -> ExitCode {
    let settings = match UploadSettings::load(Sources::load()) {
        Ok(settings) => settings,
        Err(complaints) => return report("upload-svc", &complaints, MISCONFIGURED),
    };
    start_log(&settings.log);
    let outcome = match stop_on_signal() {
        Ok(stop) => run(settings, stop).await,
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report("upload-svc", &*error, FAILURE),
    }
}
