//! Upload clients that other people wrote, as they are, through nginx: what they print is a link, and the link gives back the bytes
//! that they were given. `scripts/clients.sh` installs them.

mod commands;
mod picgo;
mod python;
mod tls;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use test_kit::pictures;

use crate::{
    curl::curl,
    stack::{Stack, root},
};

/// A client that waits for the server to close its connection hangs on for a minute and more. One that does not is done long before
/// this, however busy the machine is.
const DONE: Duration = Duration::from_secs(25);

/// Where the clients are installed.
fn installed(path: &str) -> PathBuf {
    let path = root().join("e2e/clients").join(path);
    assert!(
        path.exists(),
        "{} is not there: run scripts/clients.sh first",
        path.display()
    );
    path
}

/// A picture of its own for each client, so that none is answered from another's upload. Its name would hurt a careless shell.
fn picture(folder: &Path, seed: u8) -> (PathBuf, Vec<u8>) {
    let bytes = pictures::png(90 + u32::from(seed), 60, seed.into());
    let path = folder.join(format!("截图 {seed}.png"));
    std::fs::write(&path, &bytes).unwrap();
    (path, bytes)
}

/// Runs a client; it must end by itself, and soon.
fn run(command: &mut Command) -> Output {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > DONE {
            child.kill().unwrap();
            let said = child.wait_with_output().unwrap();
            panic!("{command:?} is still there after {DONE:?}: {}", text(&said));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

/// All that a client said.
fn text(output: &Output) -> String {
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    format!("{out}{err}")
}

/// The link that a client printed must give back what it was given.
fn came_back(stack: &Stack, said: &str, bytes: &[u8]) {
    let url = said
        .split(|letter: char| letter.is_whitespace() || letter == '"')
        .find(|word| word.starts_with(&stack.url))
        .unwrap_or_else(|| panic!("no link of ours: {said}"));
    let seen = curl(&[url]);
    assert_eq!(seen.status, 200, "{url}");
    assert!(seen.body == bytes, "{url} gives other bytes than were sent");
}
