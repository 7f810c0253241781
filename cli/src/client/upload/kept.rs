use std::{fs, path::PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::send::Options;
use crate::client::logins::write_secret;

/// Where uploads in pieces have begun, so that a program that was killed goes on where it stood.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    folder: Option<PathBuf>,
}

/// Which upload of which file it is.
#[derive(Debug, Serialize)]
pub(super) struct Which<'a> {
    pub(super) url: &'a str,
    pub(super) account: &'a str,
    pub(super) sha256: &'a str,
    pub(super) options: &'a Options,
}

#[derive(Serialize, Deserialize)]
struct Begun {
    /// The upload's path on the berth.
    path: String,
}

impl Kept {
    pub(super) fn new(state: Option<PathBuf>) -> Self {
        let folder = state.map(|state| state.join("uploads"));
        Self { folder }
    }

    fn file(&self, which: &Which<'_>) -> Option<PathBuf> {
        let text = serde_json::to_vec(which).ok()?;
        let name = hex::encode(&Sha256::digest(&text)[..16]);
        Some(self.folder.as_ref()?.join(format!("{name}.json")))
    }

    /// The path of an upload that was begun; none where nothing was.
    pub(super) fn find(&self, which: &Which<'_>) -> Option<String> {
        let bytes = fs::read(self.file(which)?).ok()?;
        let begun: Begun = serde_json::from_slice(&bytes).ok()?;
        Some(begun.path)
    }

    /// Writes down that one has begun. Where that can't be done it is not resumed after a kill, and nothing else is wrong.
    pub(super) fn keep(&self, which: &Which<'_>, path: &str) {
        let begun = Begun {
            path: path.to_owned(),
        };
        if let (Some(file), Ok(bytes)) = (self.file(which), serde_json::to_vec(&begun)) {
            let _ = write_secret(&file, &bytes);
        }
    }

    /// It is over.
    pub(super) fn forget(&self, which: &Which<'_>) {
        if let Some(file) = self.file(which) {
            let _ = fs::remove_file(file);
        }
    }
}
