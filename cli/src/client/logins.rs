use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use process::Person;
use serde::{Deserialize, Serialize};

use crate::Failure;

/// What `berth login` has kept: a token for each berth, and which of them is spoken to when nothing says otherwise.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Logins {
    /// The URL of the last login.
    #[serde(default)]
    pub(crate) current: Option<String>,
    /// By URL.
    #[serde(default)]
    pub(crate) logins: BTreeMap<String, Login>,
}

/// A token that was made for this machine, or given to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) token: String,
    /// Its number, if it was made here and may therefore be revoked here.
    pub(crate) token_id: Option<i64>,
    pub(crate) account: String,
}

const FILE: &str = "logins.json";

impl Logins {
    /// Reads what was kept; nothing where nothing was.
    pub(crate) fn load(person: &Person) -> Result<Self, Failure> {
        let Some(path) = person.config.as_ref().map(|folder| folder.join(FILE)) else {
            return Ok(Self::default());
        };
        match fs::read(&path) {
            Ok(bytes) => {
                Ok(serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{}: {error}", path.display()).into()),
        }
    }

    /// Keeps it, for this user's eyes alone. Gives the file's path.
    pub(crate) fn save(&self, person: &Person) -> Result<PathBuf, Failure> {
        let folder = person
            .config
            .as_ref()
            .ok_or("neither HOME nor XDG_CONFIG_HOME says where to keep the token")?;
        let path = folder.join(FILE);
        write_secret(&path, &serde_json::to_vec_pretty(self)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }
}

/// Puts a file in place at once and whole, readable by its owner alone.
///
/// SECURITY: it never stands there with another mode, and a broken write leaves the old one.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let beside = path.with_extension(format!("new{}", std::process::id()));
    let _ = fs::remove_file(&beside);
    let mut file: File = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
