//! `berth`, the command line: what an operator does beside the running services.

mod args;
mod config;
mod health;
mod setup;
mod token;

use std::{error::Error, process::ExitCode};

use args::{Args, Command, ConfigCommand, TokenCommand};
use clap::Parser as _;
use process::{FAILURE, MISCONFIGURED, report, settings::Complaints, settings::Sources};

/// What a command may fail with; [`Complaints`] mean that nothing was tried.
type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Config(ConfigCommand::Check) => config::check(Sources::load()),
        Command::Config(ConfigCommand::Print) => config::print(Sources::load()),
        Command::Migrate => setup::migrate(Sources::load()).await,
        Command::Setup => setup::setup(Sources::load()).await,
        Command::Token(TokenCommand::Create {
            account,
            name,
            scopes,
        }) => token::create(Sources::load(), &account, &name, &scopes).await,
        Command::Health { url } => health::ask(&url).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = if error.is::<Complaints>() {
                MISCONFIGURED
            } else {
                FAILURE
            };
            report("berth", &*error, code)
        }
    }
}
