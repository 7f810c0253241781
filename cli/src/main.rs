//! `berth`, the command line: what people do at a running berth ([`client`]), and what an operator does beside it.

mod args;
mod backup;
mod client;
mod config;
mod database;
mod doctor;
mod figures;
mod health;
mod keygen;
mod operator;
mod progress;
mod restore;
mod setup;
mod token;
mod verify;

use std::{error::Error, process::ExitCode};

use args::{Args, Command, ConfigCommand};
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
        command @ (Command::Backup { .. } | Command::Verify { .. } | Command::Restore { .. }) => {
            operator::run(command).await
        }
        Command::Token(command) => token::run(command).await,
        Command::Doctor { health } => doctor::examine(&health).await,
        Command::Keygen => {
            keygen::print();
            Ok(())
        }
        Command::Completions { shell } => {
            Args::complete(shell);
            Ok(())
        }
        Command::Client(command) => client::run(command).await,
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
