//! The program itself: its exit codes and what it prints.

use std::{
    path::Path,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use crate::rig::{Rig, seconds};

/// The program with nothing in its environment but this database and this folder, run where no settings file is.
fn program(data: &Path, database_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_janitor"));
    command
        .env_clear()
        .env("BERTH_DATA", data)
        .env("BERTH_DATABASE_URL", database_url)
        .env("BERTH_METRICS_LISTEN", "127.0.0.1:0")
        .env("BERTH_SWEEP_GRACE", "0")
        .current_dir(data)
        .kill_on_drop(true);
    command
}

fn of(rig: &Rig) -> Command {
    program(&rig.data(), &rig.database.url_as(catalog::ServiceRole::Janitor))
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn run_once_cleans_says_what_it_did_and_exits() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    // The program goes by the machine's clock, which is past any instant of 2026's first half.
    rig.clock.set("2020-01-01T00:00:00Z".parse().unwrap());
    let image = rig.upload(owner, 1, Some(60)).await;
    for (arguments, title, stays) in [
        (&["run-once", "--dry-run"][..], "would be done · 预计清理", true),
        (&["--dry-run", "run-once"], "would be done · 预计清理", true),
        (&["run-once"], "done · 已清理", false),
    ] {
        let (code, table, log) = said(&of(&rig).args(arguments).output().await.unwrap());
        assert_eq!(code, Some(0), "{arguments:?}: {log}");
        assert!(table.starts_with(title), "{table}");
        let expired = table
            .lines()
            .find(|line| line.starts_with("images expired · 到期图片"))
            .unwrap();
        assert!(expired.ends_with(" 1"), "{table}");
        assert_eq!(rig.has_bytes(&image), stays, "{arguments:?}");
    }
}

#[tokio::test]
async fn a_scrub_by_hand_names_what_is_damaged_and_fails() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let (whole, cut) = (rig.upload(owner, 1, None).await, rig.upload(owner, 2, None).await);
    let (code, table, log) = said(&of(&rig).args(["scrub", "--all"]).output().await.unwrap());
    assert_eq!(code, Some(0), "{log}");
    assert!(table.starts_with("scrubbed · 已校验"), "{table}");
    std::fs::write(rig.data().join("blobs").join(&cut.key), b"half").unwrap();
    for arguments in [&["scrub", "--all"][..], &["scrub"]] {
        let (code, table, log) = said(&of(&rig).args(arguments).output().await.unwrap());
        assert_eq!(code, Some(1), "{arguments:?}: {log}");
        assert!(
            table.contains(&format!("damaged · 损坏: {} (length)", cut.key)),
            "{table}"
        );
        assert!(!table.contains(&whole.key));
        assert!(log.contains("send the same files again"), "{log}");
    }
}

#[tokio::test]
async fn bad_settings_are_all_told_and_nothing_is_done() {
    let rig = Rig::new().await;
    let mut command = program(&rig.data(), "");
    command
        .env("BERTH_SWEEP_GRACE", "soon")
        .env("BERTH_JANITOR_INTERVALL", "3s");
    let (code, table, log) = said(&command.arg("run-once").output().await.unwrap());
    assert_eq!((code, table.as_str()), (Some(2), ""));
    for name in [
        "BERTH_DATABASE_URL",
        "BERTH_SWEEP_GRACE",
        "BERTH_JANITOR_INTERVAL?",
    ] {
        assert!(log.contains(name), "{log}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_fails_a_run_once_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path(), "host=/nowhere user=berth_janitor dbname=berth");
    let (code, table, log) = said(&command.arg("run-once").output().await.unwrap());
    assert_eq!(code, Some(1));
    assert!(table.contains("failed · 失败"), "{table}");
    assert!(
        log.contains("the database is away") && log.contains("because:"),
        "{log}"
    );
}

#[tokio::test]
async fn the_service_runs_until_it_is_asked_to_stop() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    rig.clock.set("2020-01-01T00:00:00Z".parse().unwrap());
    let image = rig.upload(owner, 1, Some(60)).await;
    rig.clock.advance(seconds(60));
    let mut child = of(&rig).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    while let Some(line) = log.next_line().await.unwrap() {
        if line.contains("cleaned") {
            break;
        }
    }
    assert!(!rig.has_bytes(&image));
    let began = Instant::now();
    let pid = child
        .id()
        .and_then(|id| Pid::from_raw(i32::try_from(id).unwrap()))
        .unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert!(child.wait().await.unwrap().success());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn reconcile_says_what_it_found_and_fails_when_bytes_are_lost() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let image = rig.upload(owner, 1, None).await;
    let (code, table, log) = said(&of(&rig).arg("reconcile").output().await.unwrap());
    assert_eq!(code, Some(0), "{log}");
    assert!(
        table.starts_with("looked at, nothing removed · 仅核对"),
        "{table}"
    );
    assert!(log.contains("256/256 folders"), "{log}");
    std::fs::remove_file(rig.data().join("blobs").join(&image.key)).unwrap();
    let (code, table, log) = said(&of(&rig).args(["reconcile", "--remove"]).output().await.unwrap());
    assert_eq!(code, Some(1), "{log}");
    assert!(
        table.ends_with(&format!("lost · 丢失: {}\n", image.key)),
        "{table}"
    );
}
