//! From start to end, and what each kind of end leaves.

use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use local_postgres::{LocalPostgres, SUPERUSER};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::{connect, eventually, folder, is_alive, options, text};

#[tokio::test]
async fn second_start_finds_its_data() {
    let folder = folder();
    let directory = folder.path().join("postgres");

    let first = LocalPostgres::start(options(&directory)).await.unwrap();
    let client = connect(&first).await;
    client
        .batch_execute("create table kept (word text); insert into kept values ('图床')")
        .await
        .unwrap();
    let began = Instant::now();
    let pid = first.process_id();
    first.stop().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(8));
    assert!(!is_alive(pid));
    assert!(!directory.join("data/postmaster.pid").exists());

    let second = LocalPostgres::start(options(&directory)).await.unwrap();
    let client = connect(&second).await;
    assert_eq!(text(&client, "select word from kept").await, "图床");
    second.stop().await.unwrap();
}

#[tokio::test]
async fn new_cluster_is_utf8_sorted_by_bytes_and_off_the_network() {
    let folder = folder();
    let mut wanted = options(&folder.path().join("postgres"));
    wanted.checksums = true;
    wanted.settings.push(("work_mem".into(), "7MB".into()));
    let postgres = LocalPostgres::start(wanted).await.unwrap();
    let client = connect(&postgres).await;
    for (setting, value) in [
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("listen_addresses", ""),
        ("data_checksums", "on"),
        ("timezone", "UTC"),
        ("work_mem", "7MB"),
    ] {
        let query = match setting {
            "lc_collate" => {
                "select datcollate::text from pg_database where datname = current_database()".into()
            }
            _ => format!("select current_setting('{setting}')"),
        };
        assert_eq!(text(&client, &query).await, value, "{setting}");
    }
    let refused =
        "select count(*)::text from pg_hba_file_rules where type = 'host' and auth_method <> 'reject'";
    assert_eq!(text(&client, refused).await, "0");
    assert_eq!(
        std::fs::metadata(postgres.socket_folder()).unwrap().mode() & 0o777,
        0o700
    );
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn committed_rows_survive_a_kill_and_the_next_start_recovers() {
    let folder = folder();
    let directory = folder.path().join("postgres");
    for round in 1..=3 {
        let postgres = LocalPostgres::start(options(&directory)).await.unwrap();
        let client = connect(&postgres).await;
        client
            .batch_execute("create table if not exists kept (round int)")
            .await
            .unwrap();
        assert_eq!(
            text(&client, "select count(*)::text from kept").await,
            (round - 1).to_string()
        );
        client
            .execute("insert into kept values ($1)", &[&round])
            .await
            .unwrap();
        let pid = postgres.process_id();
        postgres.kill_hard().await.unwrap();
        assert!(!is_alive(pid));
        assert!(
            directory.join("data/postmaster.pid").exists(),
            "a kill leaves the pid file"
        );
    }
}

#[tokio::test]
async fn pid_file_that_names_another_program_does_not_stop_a_start() {
    let folder = folder();
    let directory = folder.path().join("postgres");
    let postgres = LocalPostgres::start(options(&directory)).await.unwrap();
    postgres.kill_hard().await.unwrap();

    let pid_file = directory.join("data/postmaster.pid");
    let text = std::fs::read_to_string(&pid_file).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    std::fs::write(&pid_file, format!("{}\n{rest}", std::process::id())).unwrap();

    let again = LocalPostgres::start(options(&directory)).await.unwrap();
    again.stop().await.unwrap();
}

#[tokio::test]
async fn dropping_leaves_no_process_and_a_throw_away_leaves_no_file() {
    let folder = folder();
    let directory = folder.path().join("postgres");
    let mut wanted = options(&directory);
    wanted.remove_when_done = true;
    let postgres = LocalPostgres::start(wanted.clone()).await.unwrap();
    let pid = postgres.process_id();
    drop(postgres);
    assert!(!is_alive(pid));
    assert!(!directory.exists());

    let postgres = LocalPostgres::start(wanted).await.unwrap();
    postgres.stop().await.unwrap();
    eventually("the folder is empty", || !directory.join("data").exists()).await;
}

#[tokio::test]
async fn exit_of_postgres_is_noticed_and_waiting_for_it_may_be_cancelled() {
    let folder = folder();
    let mut postgres = LocalPostgres::start(options(&folder.path().join("postgres")))
        .await
        .unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(300), postgres.exited()).await;
    assert!(waited.is_err(), "it runs on while somebody waits, and after");
    assert_eq!(text(&connect(&postgres).await, "select 'here'").await, "here");

    let pid = postgres.process_id().to_string();
    assert!(
        Command::new("kill")
            .args(["-QUIT", &pid])
            .status()
            .await
            .unwrap()
            .success()
    );
    postgres.exited().await.unwrap();
    drop(postgres);
}

#[tokio::test]
async fn signals_of_a_service_manager_do_not_end_the_supervisor() {
    let folder = folder();
    let postgres = LocalPostgres::start(options(&folder.path().join("postgres")))
        .await
        .unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", postgres.process_id())).unwrap();
    let parent = status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))
        .unwrap()
        .trim()
        .to_owned();
    for signal in ["-TERM", "-INT", "-HUP"] {
        assert!(
            Command::new("kill")
                .args([signal, &parent])
                .status()
                .await
                .unwrap()
                .success()
        );
    }
    assert_eq!(text(&connect(&postgres).await, "select 'here'").await, "here");
    let pid = postgres.process_id();
    postgres.stop().await.unwrap();
    assert!(!is_alive(pid));
    assert!(!is_alive(parent.parse().unwrap()));
}

#[tokio::test]
async fn stop_ends_postgres_even_when_the_supervisor_was_killed() {
    let folder = folder();
    let postgres = LocalPostgres::start(options(&folder.path().join("postgres")))
        .await
        .unwrap();
    let pid = postgres.process_id();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let parent = status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))
        .unwrap()
        .trim()
        .to_owned();
    assert!(
        Command::new("kill")
            .args(["-KILL", &parent])
            .status()
            .await
            .unwrap()
            .success()
    );
    postgres.stop().await.unwrap();
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn socket_moves_to_a_short_path_when_its_own_is_too_long() {
    let folder = folder();
    let directory = folder.path().join("d".repeat(80)).join("postgres");
    for _ in 0..2 {
        let postgres = LocalPostgres::start(options(&directory)).await.unwrap();
        let socket = postgres.socket_folder().to_owned();
        assert!(
            socket.as_os_str().len() < 93 && !socket.starts_with(folder.path()),
            "{}",
            socket.display()
        );
        assert_eq!(text(&connect(&postgres).await, "select 'here'").await, "here");
        postgres.stop().await.unwrap();
        assert!(!socket.exists());
    }
}

/// The child of the next test: starts a Postgres where it is told to, says so, and waits to be killed.
#[tokio::test]
#[ignore = "run by the test below, in a process of its own"]
async fn victim() {
    let Some(directory) = std::env::var_os("VICTIM_DIRECTORY") else {
        return;
    };
    let postgres = LocalPostgres::start(options(directory.as_ref())).await.unwrap();
    let client = connect(&postgres).await;
    client
        .batch_execute("create table if not exists kept (word text); insert into kept values ('x')")
        .await
        .unwrap();
    println!("\npostgres {}", postgres.process_id());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn postgres_ends_when_its_owner_is_killed_and_a_new_owner_starts_at_once() {
    let folder = folder();
    let directory = folder.path().join("postgres");
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "lives::victim"])
        .env("VICTIM_DIRECTORY", &directory)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let pid = loop {
        let line = lines
            .next_line()
            .await
            .unwrap()
            .expect("the victim says its Postgres's process id");
        if let Some(pid) = line.strip_prefix("postgres ") {
            break pid.parse().unwrap();
        }
    };
    assert!(is_alive(pid));
    owner.start_kill().unwrap();
    owner.wait().await.unwrap();

    let began = Instant::now();
    let next = LocalPostgres::start(options(&directory)).await.unwrap();
    assert!(!is_alive(pid), "there are never two on one cluster");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(
        text(&connect(&next).await, "select count(*)::text from kept").await,
        "1"
    );
    let user = text(&connect(&next).await, "select current_user::text").await;
    assert_eq!(user, SUPERUSER);
    next.stop().await.unwrap();
}

#[tokio::test]
async fn as_root_postgres_runs_as_somebody_else() {
    let folder = folder();
    let directory = folder.path().join("postgres");
    let postgres = LocalPostgres::start(options(&directory)).await.unwrap();
    let runs_as = std::fs::metadata(format!("/proc/{}", postgres.process_id()))
        .unwrap()
        .uid();
    assert_ne!(runs_as, 0);
    assert_eq!(std::fs::metadata(directory.join("data")).unwrap().uid(), runs_as);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn one_that_another_process_runs_is_found_by_its_folder() {
    let folder = folder();
    // The second one's name is too long for a Unix socket in it.
    for name in ["short".to_owned(), "long".repeat(30)] {
        let directory = folder.path().join(name);
        let find = || LocalPostgres::running_url(&directory, SUPERUSER, "postgres").unwrap();
        assert_eq!(find(), None, "nothing is there");
        let postgres = LocalPostgres::start(options(&directory)).await.unwrap();
        assert_eq!(find(), Some(postgres.connection_url(SUPERUSER, "postgres")));
        connect(&postgres).await;
        postgres.stop().await.unwrap();
        assert_eq!(find(), None, "it was stopped");
    }
}
