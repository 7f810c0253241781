//! `berth` as a client, as people and editors run it: against a berthd of its own.

mod albums;
mod cut;
mod docs;
mod export;
mod login;
mod nginx;
mod people;
mod shared;
mod upload;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};
use test_kit::pictures;

use crate::{
    berthd::{Berthd, start},
    curl::curl,
    stack::{free_port, open_folder, program, without_our_settings},
};

/// A person with an account and a home of their own, at a berth.
pub(crate) struct Desk {
    // Dropped first: it must write no more when its folder goes.
    _own: Option<Berthd>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) token: String,
    url: String,
    /// The berth's store.
    pub(crate) blobs: PathBuf,
}

impl Desk {
    /// At a berth of their own, as its administrator.
    pub(crate) fn at_own_berth(settings: &[(&str, &str)]) -> Self {
        let folder = open_folder();
        let data = folder.path().join("data");
        let berthd = start(&data, free_port(), settings);
        let text = |key| berthd.text(key).to_owned();
        Self {
            username: text("username"),
            password: text("password"),
            token: text("token"),
            url: text("url"),
            blobs: data.join("blobs"),
            folder,
            _own: Some(berthd),
        }
    }

    /// At the berth of all tests of this process, as a member whom nobody else knows.
    pub(crate) fn new() -> Self {
        static MEMBERS: AtomicU32 = AtomicU32::new(1);
        let shared = shared::berth();
        let mut desk = Self {
            folder: open_folder(),
            username: format!("member{}", MEMBERS.fetch_add(1, Ordering::Relaxed)),
            password: String::new(),
            token: shared.token.clone(),
            url: shared.url.clone(),
            blobs: shared.blobs.clone(),
            _own: None,
        };
        desk.password = String::from(desk.berth(&["user", "create", &desk.username]).trim());
        let login = json!({ "username": desk.username, "password": desk.password }).to_string();
        let session = post(&desk.url, "session", &[], &login);
        let bearer = format!("Authorization: Bearer {}", session["token"].as_str().unwrap());
        let token = post(
            &desk.url,
            "tokens",
            &["-H", &bearer],
            r#"{"scopes":["upload","read","manage"]}"#,
        );
        desk.token = String::from(token["token"].as_str().unwrap());
        desk
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// `berth` with their token.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_of_nobody(arguments);
        command.env("BERTH_URL", self.url());
        command.env("BERTH_TOKEN", &self.token);
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

fn post(url: &str, what: &str, more: &[&str], json: &str) -> Value {
    let url = format!("{url}/v1/{what}");
    let own = ["-H", "Content-Type: application/json", "-d", json, &url];
    curl(&[more, &own].concat()).json()
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
