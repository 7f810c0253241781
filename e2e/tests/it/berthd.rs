//! `berthd`: all of it in one process.

use std::{
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;
use test_kit::pictures;

use crate::{
    curl::{Answer, curl},
    stack::{Running, free_port, open_folder, program, wait_for},
};

pub(crate) struct Berthd {
    pub(crate) running: Running,
    first: Value,
}

pub(crate) fn start(data: &Path, port: u16, extra: &[(&str, &str)]) -> Berthd {
    let running = run(data, port, extra);
    let first = wait_for("first-run.json", Duration::from_secs(30), || {
        std::fs::read_to_string(data.join("first-run.json")).ok()
    });
    Berthd {
        running,
        first: serde_json::from_str(&first).unwrap(),
    }
}

/// Returns when it answers.
pub(crate) fn run(data: &Path, port: u16, extra: &[(&str, &str)]) -> Running {
    let log = data.parent().unwrap().join("berthd.log");
    let mut command = Command::new(program("berthd"));
    command
        .current_dir(data.parent().unwrap())
        .arg("--data")
        .arg(data)
        .args(["--listen", &format!("127.0.0.1:{port}")]);
    command.envs(extra.iter().copied());
    let mut running = Running::start(&mut command, &log);
    let told = || std::fs::read_to_string(&log).unwrap_or_default();
    let end = Instant::now() + Duration::from_mins(1);
    while TcpStream::connect(("127.0.0.1", port)).is_err()
        || curl(&[&format!("http://127.0.0.1:{port}/")]).status == 0
    {
        assert!(
            running.child.try_wait().unwrap().is_none() && Instant::now() < end,
            "berthd did not start:\n{}",
            told()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    running
}

impl Berthd {
    pub(crate) fn text(&self, key: &str) -> &str {
        self.first[key].as_str().unwrap()
    }

    pub(crate) fn upload(&self, file: &Path) -> Answer {
        let (bearer, file) = (
            format!("Authorization: Bearer {}", self.text("token")),
            format!("file=@{}", file.display()),
        );
        curl(&[
            "-H",
            &bearer,
            "-F",
            &file,
            &format!("{}/v1/images", self.text("url")),
        ])
    }
}

/// Processes of a Postgres in this folder.
fn postgres_in(data: &Path) -> bool {
    let output = Command::new("pgrep")
        .arg("-f")
        .arg(data.join("postgres").as_os_str())
        .output()
        .unwrap();
    !output.stdout.is_empty()
}

#[test]
fn it_starts_alone_keeps_its_data_and_stops_all_of_it() {
    let folder = open_folder();
    let (data, port) = (folder.path().join("data"), free_port());
    let file = folder.path().join("a.png");
    let png = pictures::png(32, 32, 1);
    std::fs::write(&file, &png).unwrap();

    let mut first = start(&data, port, &[("BERTH_HOTLINK_ALLOW", "blog.example")]);
    assert_eq!(first.text("url"), format!("http://127.0.0.1:{port}"));
    assert_eq!(first.text("username"), "admin");
    assert!(first.text("password").len() >= 12 && first.text("token").starts_with("berth_"));
    let mode = std::fs::metadata(data.join("first-run.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let told = std::fs::read_to_string(folder.path().join("berthd.log")).unwrap();
    for part in [
        first.text("url"),
        first.text("password"),
        first.text("token"),
        "curl",
    ] {
        assert!(told.contains(part), "{part} is printed:\n{told}");
    }
    let line = told.lines().find(|line| line.contains("curl -H")).unwrap().trim();
    let pasted = Command::new("sh").args(["-c", line]).output().unwrap();
    let answer: Value = serde_json::from_slice(&pasted.stdout)
        .unwrap_or_else(|_| panic!("the line works when pasted: {line} {pasted:?}"));
    assert_eq!(answer["images"][0]["status"], "uploaded", "{answer}");

    let image = first.upload(&file).json()["images"][0].clone();
    let url = image["url"].as_str().unwrap();
    let view = curl(&["-H", "Referer: https://blog.example/", url]);
    assert_eq!((view.status, &view.body), (200, &png), "streamed without nginx");
    assert_eq!(curl(&["-H", "Referer: https://evil.example/", url]).status, 403);
    assert_eq!(curl(&["-H", "Range: bytes=1-3", url]).body, png[1..4]);
    crate::at_once::check(first.text("url"), first.text("token"));

    let asked = Instant::now();
    assert_eq!(first.running.terminate(Duration::from_secs(10)), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(10));
    assert!(!postgres_in(&data), "Postgres is stopped too");

    // A second start, on another port, finds its data and counts again.
    let port = free_port();
    let mut second = start(&data, port, &[]);
    assert_eq!(second.text("token"), first.text("token"));
    assert_eq!(
        second.text("url"),
        format!("http://127.0.0.1:{port}"),
        "the file tells today's URL"
    );
    let again = second.upload(&file);
    assert_eq!(
        (again.status, again.json()["images"][0]["status"].as_str()),
        (200, Some("existing"))
    );
    assert_eq!(
        again.json()["images"][0]["views"],
        1,
        "the view from before the stop was folded"
    );
    second.running.terminate(Duration::from_secs(10));
}

#[test]
fn after_kill_9_nothing_is_left_running_and_the_next_start_is_whole() {
    let folder = open_folder();
    let data = folder.path().join("data");
    let file = folder.path().join("a.png");
    std::fs::write(&file, pictures::png(32, 32, 2)).unwrap();
    let mut first = start(&data, free_port(), &[]);
    assert_eq!(first.upload(&file).status, 201);
    first.running.child.kill().unwrap();
    first.running.child.wait().unwrap();
    wait_for("the end of Postgres", Duration::from_secs(10), || {
        (!postgres_in(&data)).then_some(())
    });
    let second = start(&data, free_port(), &[]);
    assert_eq!(second.upload(&file).status, 200, "what was acknowledged is there");
}

#[test]
fn bad_settings_are_told_all_at_once_with_exit_code_2_and_nothing_is_started() {
    let folder = open_folder();
    let output = Command::new(program("berthd"))
        .current_dir(folder.path())
        .args(["--listen", "nowhere"])
        .envs([
            ("BERTH_EXPIRE_DAYS", "soon"),
            ("BERTH_SECRET", "change-me"),
            ("BERTH_HOTLINK_ALLOW", "https://x/"),
            ("BERTH_MAX_UPLOADS", "1"),
        ])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    for part in [
        "BERTH_MAX_UPLOADS",
        "BERTH_EXPIRE_DAYS",
        "BERTH_SECRET",
        "BERTH_HOTLINK_ALLOW",
        "BERTH_LISTEN",
        "openssl rand -hex 32",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!folder.path().join("berth-data").exists());
}
