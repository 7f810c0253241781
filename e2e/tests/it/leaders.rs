//! Three janitors whose clocks are a day apart, and whoever leads is killed again and again: each picture ends once, at its time.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use test_kit::pictures;

use crate::{
    curl::curl,
    stack::{Running, Stack, free_port},
};

/// Kills in `make test`; `make drills NAME=leaders` asks for more.
const KILLS: u64 = 4;
/// How much later than its time a picture may be written off. (It stops answering at its time, whatever the janitor does.)
const LATEST: f64 = 60.0;
const CLOCKS: [&str; 3] = ["+24h", "-24h", "+0"];
/// Somebody leads within this after a kill, or something is wrong.
const TAKES_OVER: Duration = Duration::from_secs(30);

const EARLY: &str =
    "SELECT count(*) FROM image WHERE ended_by = 'expired' AND expires_at > clock_timestamp()";
const LATE: &str = "
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(expires_at)), 0)::double precision
    FROM image WHERE ended_at IS NULL AND expires_at <= clock_timestamp()";
/// What was written off twice would be missing from a counter.
const MISCOUNTED: &str = "
    SELECT (SELECT count(*) FROM blob WHERE links <> (SELECT count(*) FROM image WHERE blob_id = blob.id AND ended_at IS NULL))
        + (SELECT count(*) FROM account WHERE used_files <> (SELECT count(*) FROM image WHERE account_id = account.id AND ended_at IS NULL))";

struct Janitors {
    commands: Vec<(Command, String)>,
    running: Vec<Running>,
}

impl Janitors {
    fn start(stack: &Stack, liar: &str) -> Self {
        let mut commands = Vec::new();
        for clock in CLOCKS {
            let metrics = format!("127.0.0.1:{}", free_port());
            let mut command = stack.command_like("janitor");
            command.env("BERTH_METRICS_LISTEN", &metrics);
            // What measures time, and what says which time it is, are two things.
            command.envs([
                ("LD_PRELOAD", liar),
                ("FAKETIME", clock),
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
                ("DONT_FAKE_MONOTONIC", "1"),
            ]);
            commands.push((command, format!("http://{metrics}/metrics")));
        }
        let log = stack.folder.path().join("janitors.log");
        let running = commands
            .iter_mut()
            .map(|(command, _)| Running::start(command, &log))
            .collect();
        Self { commands, running }
    }

    fn leader(&self) -> Option<usize> {
        let leads = |url: &str| {
            curl(&[url])
                .text()
                .lines()
                .any(|line| line == "berth_janitor_leader 1")
        };
        self.commands.iter().position(|(_, url)| leads(url))
    }

    /// Whoever leads, other than this one.
    fn wait_for_leader(&self, but: Option<usize>, stack: &Stack) -> usize {
        let end = Instant::now() + TAKES_OVER;
        loop {
            if let Some(leader) = self.leader().filter(|leader| Some(*leader) != but) {
                return leader;
            }
            assert!(
                Instant::now() < end,
                "nobody leads: {}",
                stack.log("janitors.log")
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills whoever leads, and starts it again once another has taken over.
    fn kill_leader(&mut self, stack: &Stack) -> usize {
        let leader = self.wait_for_leader(None, stack);
        self.running[leader].child.kill().unwrap();
        self.running[leader].child.wait().unwrap();
        self.wait_for_leader(Some(leader), stack);
        let log = stack.folder.path().join("janitors.log");
        self.running[leader] = Running::start(&mut self.commands[leader].0, &log);
        leader
    }
}

/// What lies about the time; none where it is not installed. (`faketime` itself stays above its child, and would be killed in its place.)
fn liar() -> Option<String> {
    let output = Command::new("faketime").args(["-f", "+0", "env"]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .find_map(|line| line.strip_prefix("LD_PRELOAD="))
        .map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn three_janitors_with_clocks_a_day_apart_end_each_picture_once_and_at_its_time() {
    let Some(liar) = liar() else {
        println!("leaders: skipped, there is no faketime");
        return;
    };
    let kills =
        std::env::var_os("LEADER_KILLS").map_or(KILLS, |kills| kills.to_str().unwrap().parse().unwrap());
    let mut stack = Stack::start(&[
        ("BERTH_LOG", "warn"),
        ("BERTH_VARIANT_JOBS", "0"),
        ("BERTH_JANITOR_INTERVAL", "1s"),
        ("BERTH_RATE_LIMIT", "0"),
        ("BERTH_ACCOUNT_RATE_LIMIT", "0"),
    ])
    .await;
    stack.kill_service("janitor");
    let mut janitors = Janitors::start(&stack, &liar);
    let piece = start_an_upload(&stack);
    let owner = stack.connect_database().await;
    let (mut seed, mut early, mut latest) = (0, 0, 0.0_f64);
    let mut led = [0_u64; CLOCKS.len()];
    // One that ends tomorrow by the clock of the others, and today by that of the first.
    put(&stack, &mut seed, "12h");
    for _ in 0..kills {
        for life in ["1s", "2s", "3s"] {
            put(&stack, &mut seed, life);
        }
        led[janitors.kill_leader(&stack)] += 1;
        early += owner.query_one(EARLY, &[]).await.unwrap().get::<_, i64>(0);
        latest = latest.max(owner.query_one(LATE, &[]).await.unwrap().get(0));
    }
    // The last ones end, too.
    let end = Instant::now() + Duration::from_mins(1);
    let left = "SELECT count(*) FROM image WHERE ended_at IS NULL AND expires_at < now() + interval '1 hour'";
    while owner.query_one(left, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(
            Instant::now() < end,
            "some never end: {}",
            stack.log("janitors.log")
        );
        early += owner.query_one(EARLY, &[]).await.unwrap().get::<_, i64>(0);
        latest = latest.max(owner.query_one(LATE, &[]).await.unwrap().get(0));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let miscounted: i64 = owner.query_one(MISCOUNTED, &[]).await.unwrap().get(0);
    println!(
        "leaders: {kills} kills of the leader (by clock {CLOCKS:?}: {led:?}), {seed} pictures: {early} ended early, the latest {latest:.1} s late, {miscounted} counters wrong"
    );
    assert_eq!((early, miscounted), (0, 0));
    assert!(latest <= LATEST, "{latest} s late");
    finish_the_upload(&stack, &piece);
}

fn put(stack: &Stack, seed: &mut u64, life: &str) {
    *seed += 1;
    let file = stack.folder.path().join("sent.png");
    std::fs::write(&file, pictures::png(24, 24, *seed)).unwrap();
    stack.upload(&file, &[&format!("expires_in={life}")]);
}

const TUS: [&str; 2] = ["-H", "Tus-Resumable: 1.0.0"];

/// Half of a picture in pieces, which nobody may take for abandoned: the rest, and where it goes.
fn start_an_upload(stack: &Stack) -> (String, Vec<u8>) {
    let picture = pictures::png(60, 60, 9_999);
    let (first, second) = picture.split_at(picture.len() / 2);
    let bearer = format!("Authorization: Bearer {}", stack.token);
    let length = format!("Upload-Length: {}", picture.len());
    let url = format!("{}/v1/uploads", stack.url);
    let made = curl(&[&TUS[..], &["-X", "POST", "-H", &bearer, "-H", &length, &url]].concat());
    assert_eq!(made.status, 201, "{made:?}");
    let location = made.header("location").unwrap();
    let location = if location.starts_with('/') {
        format!("{}{location}", stack.url)
    } else {
        location.to_owned()
    };
    assert_eq!(send(stack, &location, 0, first), 204);
    (location, second.to_vec())
}

fn finish_the_upload(stack: &Stack, (location, rest): &(String, Vec<u8>)) {
    let sent = pictures::png(60, 60, 9_999).len() - rest.len();
    assert_eq!(
        send(stack, location, sent, rest),
        204,
        "an upload that was under way was removed"
    );
}

fn send(stack: &Stack, location: &str, offset: usize, piece: &[u8]) -> u16 {
    let file = stack.folder.path().join("piece");
    std::fs::write(&file, piece).unwrap();
    let bearer = format!("Authorization: Bearer {}", stack.token);
    let (at, data) = (format!("Upload-Offset: {offset}"), format!("@{}", file.display()));
    let content = "Content-Type: application/offset+octet-stream";
    let own = [
        "-X",
        "PATCH",
        "-H",
        &bearer,
        "-H",
        &at,
        "-H",
        content,
        "--data-binary",
        &data,
        location,
    ];
    curl(&[&TUS[..], &own].concat()).status
}
