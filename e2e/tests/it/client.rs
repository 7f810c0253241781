//! `berth` as a client, as people and editors run it: against a berthd of its own.

mod albums;
mod cut;
mod docs;
mod export;
mod login;
mod nginx;
mod people;
mod upload;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use test_kit::pictures;

use crate::{
    berthd::{Berthd, start},
    stack::{free_port, open_folder, program, without_our_settings},
};

/// A berth, and a person with a home of their own.
pub(crate) struct Desk {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) berthd: Berthd,
}

impl Desk {
    pub(crate) fn new(settings: &[(&str, &str)]) -> Self {
        let folder = open_folder();
        let berthd = start(&folder.path().join("data"), free_port(), settings);
        Self { folder, berthd }
    }

    pub(crate) fn url(&self) -> &str {
        self.berthd.text("url")
    }

    /// `berth` with the token of the first run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_of_nobody(arguments);
        command.env("BERTH_URL", self.url());
        command.env("BERTH_TOKEN", self.berthd.text("token"));
        command
    }

    /// `berth` with nothing but a home.
    pub(crate) fn command_of_nobody(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("berth"));
        without_our_settings(&mut command);
        command
            .current_dir(self.folder.path())
            .args(arguments)
            .env("HOME", self.folder.path())
            .env("LC_ALL", "C.UTF-8")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_STATE_HOME")
            .stdin(Stdio::null());
        command
    }

    /// What it prints when all goes well.
    pub(crate) fn berth(&self, arguments: &[&str]) -> String {
        printed(&mut self.command(arguments))
    }

    /// What it prints of images as JSON.
    pub(crate) fn list(&self, arguments: &[&str]) -> Vec<Value> {
        let lines = self.berth(&[&["list", "--json", "-n", "0"], arguments].concat());
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// A picture of its own in a file.
    pub(crate) fn picture(&self, name: &str, seed: u64) -> PathBuf {
        self.file(name, &pictures::png(24, 24, seed))
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

pub(crate) fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a command that fails says on standard error; its exit code is 1.
pub(crate) fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
