//! The janitor: see the crate's own page.

mod args;

use std::process::ExitCode;

use args::{Args, Command};
use clap::Parser as _;
use janitor::{JanitorSettings, reconcile_and_report, run, run_once_and_report, scrub_and_report};
use process::{FAILURE, MISCONFIGURED, report, settings::Sources, start_log, stop_on_signal};

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let mut settings = match JanitorSettings::load(Sources::load()) {
        Ok(settings) => settings,
        Err(complaints) => return report("janitor", &complaints, MISCONFIGURED),
    };
    settings.pretend = args.dry_run;
    start_log(&settings.log);
    let outcome = match (stop_on_signal(), args.command()) {
        (Ok(stop), Command::Run) => run(&settings, stop).await,
        (Ok(stop), Command::RunOnce) => run_once_and_report(&settings, stop).await,
        (Ok(stop), Command::Reconcile { remove }) => reconcile_and_report(&settings, remove, stop).await,
        (Ok(stop), Command::Scrub { all }) => scrub_and_report(&settings, all, stop).await,
        (Err(error), _) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report("janitor", &*error, FAILURE),
    }
}
