//! From the command line's words to what keeps, checks and brings back a berth.

use process::settings::Sources;

use crate::{Failure, args::Command, backup, progress::Voice, restore, verify};

/// Runs `backup`, `verify` or `restore`.
pub(crate) async fn run(command: Command) -> Result<(), Failure> {
    let sources = Sources::load();
    match command {
        Command::Backup {
            dir,
            keep,
            rehash,
            place,
        } => {
            let wanted = backup::Wanted {
                folder: dir,
                keep,
                rehash,
            };
            backup::run(sources, place.data.as_deref(), wanted, Voice::new(place.quiet)).await
        }
        Command::Verify {
            dir: Some(dir),
            snapshot,
            place,
        } => verify::backup(&dir, snapshot.as_deref(), Voice::new(place.quiet)).await,
        Command::Verify { dir: None, place, .. } => {
            verify::live(sources, place.data.as_deref(), Voice::new(place.quiet)).await
        }
        Command::Restore { dir, only, place, .. } if !only.is_empty() => {
            let voice = Voice::new(place.quiet);
            restore::heal::run(sources, place.data.as_deref(), &dir, &only, voice).await
        }
        Command::Restore {
            dir,
            snapshot,
            accept_missing,
            place,
            ..
        } => {
            let wanted = restore::Wanted {
                snapshot,
                accepts_missing: accept_missing,
            };
            let voice = Voice::new(place.quiet);
            restore::run(sources, place.data.as_deref(), &dir, wanted, voice).await
        }
        _ => Ok(()),
    }
}
