//! However a test process ends, no process and no folder of it stays behind.

use std::{
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use test_kit::TestDatabase;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// Longer than Postgres may take to stop; reached only when something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// The child of the tests below: starts both kinds of Postgres, says where they are, and ends as it is told to.
#[tokio::test]
#[ignore = "run by the tests below, in a process of its own"]
async fn victim() {
    let Some(end) = std::env::var_os("VICTIM_END") else {
        return;
    };
    let shared = TestDatabase::create().await;
    let apart = TestDatabase::create_apart().await;
    for database in [&shared, &apart] {
        let client = database.connect().await;
        let row = client.query_one("SHOW data_directory", &[]).await.unwrap();
        println!("\ndata {}", row.get::<_, &str>(0));
    }
    match end.to_str() {
        Some("return") => {}
        Some("panic") => panic!("as it was told to"),
        Some("exit") => std::process::exit(0),
        _ => std::future::pending().await,
    }
}

struct Victim {
    child: Child,
    /// Where it goes on writing to; closed, it would be a reason of its own to end.
    _output: Lines<BufReader<ChildStdout>>,
    /// The data folders of its two Postgres, and their process ids.
    postgres: Vec<(PathBuf, String)>,
}

async fn victim_that(end: &str) -> Victim {
    // Whoever runs the tests in the background, or under nohup, ignores signals, and children inherit that; env(1) undoes it.
    let mut child = Command::new("env")
        .arg("--default-signal")
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "ends::victim"])
        .env("VICTIM_END", end)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut postgres = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(data) = line.strip_prefix("data ") {
            let pid_file = std::fs::read_to_string(Path::new(data).join("postmaster.pid"));
            // A victim that ends at once may have taken it away already.
            let pid = pid_file
                .unwrap_or_default()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            postgres.push((data.into(), pid));
        }
        if postgres.len() == 2 {
            break;
        }
    }
    assert_eq!(postgres.len(), 2, "the victim says where its two Postgres are");
    Victim {
        child,
        _output: lines,
        postgres,
    }
}

async fn nothing_is_left(victim: &Victim) {
    let is_left = || {
        victim.postgres.iter().any(|(data, pid)| {
            let scratch = data.parent().and_then(Path::parent).unwrap();
            scratch.exists() || (!pid.is_empty() && is_alive(pid))
        })
    };
    let gone = async {
        while is_left() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, gone).await;
    assert!(in_time.is_ok(), "still there: {:?}", victim.postgres);
}

fn is_alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = status
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .trim()
        .chars()
        .next();
    !matches!(state, None | Some('Z' | 'X'))
}

#[tokio::test]
async fn a_process_that_ends_in_order_leaves_nothing() {
    for end in ["return", "exit"] {
        let mut victim = victim_that(end).await;
        assert!(victim.child.wait().await.unwrap().success(), "{end}");
        nothing_is_left(&victim).await;
    }
}

#[tokio::test]
async fn a_test_that_panics_leaves_nothing() {
    let mut victim = victim_that("panic").await;
    assert!(!victim.child.wait().await.unwrap().success());
    nothing_is_left(&victim).await;
}

#[tokio::test]
async fn a_process_that_is_killed_or_interrupted_leaves_nothing() {
    for (signal, number) in [("-KILL", 9), ("-INT", 2), ("-TERM", 15)] {
        let mut victim = victim_that("wait").await;
        assert!(victim.postgres.iter().all(|(_, pid)| is_alive(pid)));
        let pid = victim.child.id().unwrap().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .await
                .unwrap()
                .success()
        );
        assert_eq!(victim.child.wait().await.unwrap().signal(), Some(number));
        nothing_is_left(&victim).await;
    }
}
