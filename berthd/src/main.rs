//! berthd: the whole of berth in one process, for one machine without Docker. Postgres runs as its child, upload-svc's and
//! serve-svc's routes answer on one port, the janitor works beside them.

mod args;
mod banner;
mod database;
mod first_run;
mod house;
mod page;
mod settings;

use std::process::ExitCode;

use clap::Parser as _;
use process::{
    FAILURE, MISCONFIGURED, report, settings::Complaints, settings::Sources, start_log, stop_on_signal,
};

fn main() -> ExitCode {
    upload_svc::serve_decoder_if_asked();
    serve()
}

#[tokio::main]
async fn serve() -> ExitCode {
    let sources = args::Args::parse().over(Sources::load());
    let settings = match settings::Settings::load(sources) {
        Ok(settings) => settings,
        Err(error) if error.is::<Complaints>() => return report("berthd", &*error, MISCONFIGURED),
        Err(error) => return report("berthd", &*error, FAILURE),
    };
    start_log(&settings.upload.log);
    let outcome = match stop_on_signal() {
        Ok(stop) => house::run(settings, stop).await,
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report("berthd", &*error, FAILURE),
    }
}
