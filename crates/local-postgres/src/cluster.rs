//! The cluster itself: made once by `initdb`, checked before every start.

use std::fs::{self, File};
use std::path::Path;

use crate::account::Account;
use crate::directory::{Directory, make_folder};
use crate::error::Error;
use crate::options::{Durability, Options};
use crate::server::SUPERUSER;

/// From this major version on checksums are on unless one says otherwise.
const FIRST_WITH_CHECKSUMS_BY_DEFAULT: u32 = 18;

/// The major version that made the cluster in `data`, if one is there.
pub(crate) fn major_of(data: &Path) -> Option<u32> {
    fs::read_to_string(data.join("PG_VERSION"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Makes the cluster if there is none, or checks that these programs can open the one that is there.
pub(crate) async fn ensure(directory: &Directory, account: &Account, options: &Options) -> Result<(), Error> {
    if !directory.data.exists() {
        return make(directory, account, options).await;
    }
    match major_of(&directory.data) {
        None => Err(Error::NotACluster {
            directory: directory.data.clone(),
        }),
        Some(cluster) if cluster != options.binaries.major() => Err(Error::OtherVersion {
            directory: directory.data.clone(),
            cluster,
            bin: options.binaries.folder().to_owned(),
            programs: options.binaries.major(),
        }),
        Some(_) => Ok(()),
    }
}

async fn make(directory: &Directory, account: &Account, options: &Options) -> Result<(), Error> {
    tracing::info!(
        directory = %directory.data.display(),
        version = options.binaries.major(),
        "making a new database cluster"
    );
    let unfinished = directory.root.join("data.new");
    if unfinished.exists() {
        // An earlier start was killed in the middle of this.
        fs::remove_dir_all(&unfinished).map_err(Error::files("remove", &unfinished))?;
    }
    make_folder(&unfinished, 0o700)?;
    account.give(&unfinished)?;
    let program = options.binaries.initdb();
    let made = account
        .command(&program)
        .arg("--pgdata")
        .arg(&unfinished)
        .args(["--username", SUPERUSER, "--encoding=UTF8", "--locale=C"])
        // The socket's folder lets nobody in but its owner; there is no TCP port, and if somebody opens one by
        // hand it still refuses everyone.
        .args(["--auth-local=trust", "--auth-host=reject", "--no-instructions"])
        .args(durability_arguments(options))
        .output()
        .await
        .map_err(Error::program(&program))?;
    if !made.status.success() {
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&made.stdout),
            String::from_utf8_lossy(&made.stderr)
        );
        return Err(Error::Initdb {
            directory: directory.root.clone(),
            said: said.trim_end().to_owned(),
        });
    }
    fs::rename(&unfinished, &directory.data).map_err(Error::files("put in place", &unfinished))?;
    let synced = File::open(&directory.root).and_then(|it| it.sync_all());
    synced.map_err(Error::files("flush", &directory.root))
}

fn durability_arguments(options: &Options) -> Vec<&'static str> {
    let mut arguments = Vec::new();
    if options.checksums {
        arguments.push("--data-checksums");
    } else if options.binaries.major() >= FIRST_WITH_CHECKSUMS_BY_DEFAULT {
        arguments.push("--no-data-checksums");
    }
    if options.durability == Durability::None {
        // One MiB a segment instead of sixteen: most of what a new cluster writes.
        arguments.extend(["--no-sync", "--wal-segsize=1"]);
    }
    arguments
}
