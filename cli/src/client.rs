//! The command line as a client: what it does at a running berth, over HTTP, with a token.
//!
//! This room owns the terminal (words, tables, bars), the token that is kept on this machine, and how patiently a berth is asked. What
//! an image is and what is allowed is the berth's to say. Nothing here touches a database or a store.

/// Prints a line on standard output.
macro_rules! say {
    ($($words:tt)*) => { $crate::client::words::print(format_args!("{}\n", format_args!($($words)*))) };
}
/// Prints text that has its ends of lines.
macro_rules! say_as_is {
    ($($words:tt)*) => { $crate::client::words::print(format_args!($($words)*)) };
}

mod albums;
pub(crate) mod api;
pub(crate) mod args;
mod copy;
mod export;
pub(crate) mod image;
pub(crate) mod images;
mod import;
mod logins;
mod problem;
pub(crate) mod session;
mod stats;
mod table;
pub(crate) mod tokens;
mod upload;
mod users;
mod withdrawing;
pub(crate) mod words;

use process::Person;

use crate::Failure;
use args::ClientCommand;
use words::Words;

/// Does what was asked for.
pub(crate) async fn run(command: ClientCommand) -> Result<(), Failure> {
    let person = Person::load();
    let words = Words::of(&person);
    match command {
        ClientCommand::Login(args) => session::login(&person, words, args).await,
        ClientCommand::Logout { url } => session::logout(&person, words, url).await,
        ClientCommand::Upload(args) => upload::upload(&person, words, args).await,
        ClientCommand::List(args) => images::list(&person, words, args).await,
        ClientCommand::Show { image, json } => images::show(&person, words, &image, json).await,
        ClientCommand::Rm(args) => withdrawing::rm(&person, words, args).await,
        ClientCommand::Undo { images } => withdrawing::undo(&person, words, &images).await,
        ClientCommand::Export(args) => export::export(&person, words, args).await,
        ClientCommand::Import(args) => import::import(&person, words, args).await,
        ClientCommand::Album(command) => albums::run(&person, words, command).await,
        ClientCommand::Stats(args) => stats::run(&person, words, args).await,
        ClientCommand::User(command) => users::run(&person, words, command).await,
        ClientCommand::Links { image, signed, copy } => {
            images::links(&person, words, &image, signed.as_deref(), copy).await
        }
    }
}
