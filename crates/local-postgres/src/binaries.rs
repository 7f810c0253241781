//! Where this machine keeps its Postgres programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;

/// The oldest major version that the migrations are written for.
const OLDEST_MAJOR: u32 = 15;

/// Debian and Ubuntu keep each major version's programs in `{this}/{major}/bin`, off PATH.
const DEBIAN_ROOT: &str = "/usr/lib/postgresql";

/// The folder of one installed Postgres: `postgres` and `initdb` of the same major version, 15 or newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresBinaries {
    bin: PathBuf,
    major: u32,
}

impl PostgresBinaries {
    /// The newest Postgres on `search_path` (the value of `PATH`, if there is one) or where Debian keeps them.
    ///
    /// Blocks for the few milliseconds that `postgres --version` takes for each one found. Fails with
    /// [`Error::NoBinaries`], whose text says what to install.
    pub fn find(search_path: Option<&OsStr>) -> Result<Self, Error> {
        Self::find_under(Path::new(DEBIAN_ROOT), search_path)
    }

    /// The Postgres for a directory of [`crate::LocalPostgres`]: the version that made the cluster there if it is
    /// installed, else the newest. An upgrade of the system may leave both, and only one can open the data.
    pub fn find_for(directory: &Path, search_path: Option<&OsStr>) -> Result<Self, Error> {
        let installed = installed(Path::new(DEBIAN_ROOT), search_path);
        let made_by = crate::cluster::major_of(&directory.join("data"));
        match installed
            .iter()
            .find(|it| Some(it.major) == made_by && it.major >= OLDEST_MAJOR)
        {
            Some(same) => Ok(same.clone()),
            None => newest(installed),
        }
    }

    /// As [`Self::find`], for systems that keep their versions as `{root}/{major}/bin` elsewhere.
    pub fn find_under(root: &Path, search_path: Option<&OsStr>) -> Result<Self, Error> {
        newest(installed(root, search_path))
    }

    /// The major version, such as 17.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The folder that the programs are in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.bin
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.bin.join("postgres")
    }

    pub(crate) fn initdb(&self) -> PathBuf {
        self.bin.join("initdb")
    }
}

fn newest(installed: Vec<PostgresBinaries>) -> Result<PostgresBinaries, Error> {
    let (mut usable, old): (Vec<_>, Vec<_>) = installed.into_iter().partition(|it| it.major >= OLDEST_MAJOR);
    usable.sort_by_key(|it| std::cmp::Reverse(it.major));
    usable.into_iter().next().ok_or_else(|| Error::NoBinaries {
        too_old: old
            .iter()
            .map(|it| format!("{} in {}", it.major, it.bin.display()))
            .collect(),
    })
}

/// All that are installed. PATH comes first, so that of two of one version the operator's choice wins.
fn installed(root: &Path, search_path: Option<&OsStr>) -> Vec<PostgresBinaries> {
    let on_path = search_path
        .map(|it| std::env::split_paths(it).collect::<Vec<_>>())
        .unwrap_or_default();
    let versions = std::fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .map(|it| it.path().join("bin"));
    on_path
        .into_iter()
        .chain(versions)
        .filter_map(|it| look_into(&it))
        .collect()
}

fn look_into(bin: &Path) -> Option<PostgresBinaries> {
    // `postgres` finds its libraries and its time zones beside its real file: a link on PATH has to be followed.
    let bin = bin.join("postgres").canonicalize().ok()?.parent()?.to_owned();
    if !bin.join("initdb").is_file() {
        return None;
    }
    let said = Command::new(bin.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    let major = major_in(std::str::from_utf8(&said.stdout).ok()?)?;
    Some(PostgresBinaries { bin, major })
}

/// The major version in `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`, `… 18beta1` and the like.
fn major_in(version_line: &str) -> Option<u32> {
    let number = version_line
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let digits = number
        .find(|c: char| !c.is_ascii_digit())
        .map_or(number, |end| &number[..end]);
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_is_read_from_what_postgres_says() {
        for (line, major) in [
            ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", Some(15)),
            ("postgres (PostgreSQL) 17.6", Some(17)),
            ("postgres (PostgreSQL) 19devel", Some(19)),
            ("postgres (PostgreSQL) 9.6.24", Some(9)),
            ("something else", None),
            ("", None),
        ] {
            assert_eq!(major_in(line), major, "{line}");
        }
    }
}
