//! Postgres away while everybody looks: known pictures are shown and counted, uploads are told at once, and all is whole again without a restart.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use test_kit::pictures;

use crate::{
    kills::{Dice, ask, connect},
    stack::{Stack, wait_for},
};

const VIEWERS: u64 = 4;
const IMAGES: u64 = 24;
/// Requests of a viewer before it opens its next connection.
const ON_ONE_CONNECTION: usize = 5_000;
/// How long it is away in `make test`; `make drills NAME=outage` asks for more.
const AWAY: u64 = 3;
/// An upload is refused within this, and taken again within twice as much.
const AT_ONCE: Duration = Duration::from_secs(1);
const WHOLE: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
struct Views {
    shown: AtomicU64,
    not_shown: AtomicU64,
    /// What they were answered with; 0 where nobody answered.
    instead: Mutex<BTreeMap<u16, u64>>,
    ended: AtomicBool,
}

impl Views {
    fn note(&self, status: u16) {
        self.not_shown.fetch_add(1, Ordering::AcqRel);
        *self.instead.lock().unwrap().entry(status).or_default() += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn known_pictures_are_shown_and_counted_while_postgres_is_away_and_uploads_are_refused_at_once() {
    let seconds =
        std::env::var_os("OUTAGE_SECONDS").map_or(AWAY, |text| text.to_str().unwrap().parse().unwrap());
    let mut stack = Stack::start(&[
        ("BERTH_LOG", "error"),
        ("BERTH_VARIANT_JOBS", "0"),
        ("BERTH_RATE_LIMIT", "0"),
        ("BERTH_ACCOUNT_RATE_LIMIT", "0"),
    ])
    .await;
    let mut seed = 0;
    let mut paths = Vec::new();
    while seed < IMAGES {
        let answer = upload(&stack, &mut seed);
        assert_eq!(answer.0, 201);
        paths.push(answer.1);
    }
    for hangs in [false, true] {
        let views = Views::default();
        let authority = stack.url.strip_prefix("http://").unwrap().to_owned();
        let before = counted(&stack).await;
        let (refused, slowest, whole) = std::thread::scope(|scope| {
            for _ in 0..VIEWERS {
                scope.spawn(|| look(&authority, &paths, &views));
            }
            let outcome = tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current()
                    .block_on(be_away(&mut stack, hangs, seconds, &mut seed, &views))
            });
            views.ended.store(true, Ordering::Release);
            outcome
        });
        let (shown, not_shown) = (
            views.shown.load(Ordering::Acquire),
            views.not_shown.load(Ordering::Acquire),
        );
        let mut counts = 0;
        wait_for_counts(&stack, before + shown, &mut counts).await;
        #[allow(clippy::cast_precision_loss, reason = "for a person")]
        let share = shown as f64 * 100.0 / (shown + not_shown).max(1) as f64;
        println!(
            "outage: Postgres {} for {seconds} s: {shown} of {} views shown ({share:.4} %, else {:?}), {} counted; {refused} uploads refused, the slowest after {} ms; whole {} ms after its return",
            if hangs { "hung" } else { "was killed" },
            shown + not_shown,
            views.instead.lock().unwrap(),
            counts - before,
            slowest.as_millis(),
            whole.as_millis()
        );
        assert!(
            not_shown * 10_000 <= shown,
            "{not_shown} of {shown} were not shown"
        );
        assert_eq!(
            counts - before,
            shown,
            "every view that was shown is counted, once"
        );
        assert!(
            refused > 0 && slowest <= AT_ONCE,
            "{refused} refused, the slowest after {slowest:?}"
        );
        assert!(whole <= WHOLE, "whole again after {whole:?}");
    }
}

async fn be_away(
    stack: &mut Stack,
    hangs: bool,
    seconds: u64,
    seed: &mut u64,
    views: &Views,
) -> (u64, Duration, Duration) {
    // They look while all is well, too.
    wait_for("the first views", Duration::from_secs(10), || {
        (views.shown.load(Ordering::Acquire) > 200).then_some(())
    });
    let frozen = if hangs {
        Some(stack.freeze_database().await)
    } else {
        stack.kill_database().await;
        None
    };
    let (began, mut refused, mut slowest) = (Instant::now(), 0, Duration::ZERO);
    while began.elapsed() < Duration::from_secs(seconds) {
        let (status, says_when, took) = declare(stack, 1 << 20);
        assert_eq!(
            (status, says_when),
            (503, true),
            "an upload is refused, and told when to come again"
        );
        slowest = slowest.max(took);
        refused += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    match frozen {
        Some(frozen) => drop(frozen),
        None => stack.start_database().await,
    }
    let back = Instant::now();
    wait_for("an upload that is taken", Duration::from_secs(30), || {
        (upload(stack, seed).0 == 201).then_some(())
    });
    (refused, slowest, back.elapsed())
}

/// Says how many bytes it would send, sends none of them, and waits for what it is told: the status, whether it says when to come again, and how long
/// that took.
pub(crate) fn declare(stack: &Stack, bytes: u64) -> (u16, bool, Duration) {
    let authority = stack.url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(authority).unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let head = format!(
        "POST /v1/images HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {bytes}\r\n\r\n",
        stack.token
    );
    let asked = Instant::now();
    connection.write_all(head.as_bytes()).unwrap();
    let (mut answer, mut piece) = (Vec::new(), [0; 2_048]);
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = connection.read(&mut piece).unwrap();
        assert!(count > 0, "the answer broke off");
        answer.extend_from_slice(&piece[..count]);
    }
    let took = asked.elapsed();
    let head = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    (
        head[9..12].parse().unwrap(),
        head.contains("\r\nretry-after:"),
        took,
    )
}

/// The status and the picture's path.
fn upload(stack: &Stack, seed: &mut u64) -> (u16, String) {
    *seed += 1;
    let file = stack.folder.path().join("sent.png");
    std::fs::write(&file, pictures::png(32, 32, *seed)).unwrap();
    let answer = stack.post(&file, &[]);
    if answer.status == 201 {
        let url = answer.json()["images"][0]["url"].as_str().unwrap().to_owned();
        return (201, url.strip_prefix(&stack.url).unwrap().to_owned());
    }
    (answer.status, String::new())
}

fn look(authority: &str, paths: &[String], views: &Views) {
    let mut dice = Dice::new();
    let mut connection = None;
    // Each once, so that all of them are known.
    let mut next = 0;
    while !views.ended.load(Ordering::Acquire) {
        let which = if next < paths.len() {
            next
        } else {
            usize::try_from(dice.below(paths.len() as u64)).unwrap()
        };
        next += 1;
        // nginx closes a connection after 10,000 requests, and a request may be on its way by then.
        let kept = connection.take().filter(|_| next % ON_ONE_CONNECTION != 0);
        let open = kept.or_else(|| connect(authority)).unwrap();
        match ask(open, authority, &paths[which], "") {
            Some((200, open)) => {
                views.shown.fetch_add(1, Ordering::AcqRel);
                connection = Some(open);
            }
            Some((status, open)) => {
                views.note(status);
                connection = Some(open);
            }
            None => views.note(0),
        }
        // Enough of them to tell one in ten thousand, and a machine that does something else, too.
        std::thread::sleep(Duration::from_micros(500));
    }
}

async fn counted(stack: &Stack) -> u64 {
    let owner = stack.connect_database().await;
    let row = owner
        .query_one("SELECT coalesce(sum(views), 0)::bigint FROM view_count", &[])
        .await;
    u64::try_from(row.unwrap().get::<_, i64>(0)).unwrap()
}

async fn wait_for_counts(stack: &Stack, expected: u64, counts: &mut u64) {
    for _ in 0..300 {
        *counts = counted(stack).await;
        if *counts >= expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
