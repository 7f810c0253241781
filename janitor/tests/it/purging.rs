//! Caches are told what to forget, until they have heard it: over real HTTP.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use http_kit::Metrics;
use janitor::{JanitorSettings, PurgeHook, Service};
use test_kit::SlowReader;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    process::Command,
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::rig::{Rig, eventually, metric, seconds};

/// What a cache was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    line: String,
    head: String,
    body: String,
}

/// A cache that answers as it is told to, and remembers what it was asked.
struct Cache {
    address: String,
    calls: Arc<Mutex<Vec<Call>>>,
    /// The rest of the status line, and more headers. Silent where it is empty.
    answer: Arc<Mutex<&'static str>>,
    _listening: AbortOnDropHandle<()>,
}

impl Cache {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(Mutex::new("200 OK"));
        let (own_calls, own_answer) = (Arc::clone(&calls), Arc::clone(&answer));
        let listening: JoinHandle<()> = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&own_calls), Arc::clone(&own_answer)));
            }
        });
        Self {
            address,
            calls,
            answer,
            _listening: AbortOnDropHandle::new(listening),
        }
    }

    fn answers(&self, answer: &'static str) {
        *self.answer.lock().unwrap() = answer;
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    fn lines(&self) -> BTreeSet<String> {
        self.calls().into_iter().map(|call| call.line).collect()
    }
}

async fn serve(stream: TcpStream, calls: Arc<Mutex<Vec<Call>>>, answer: Arc<Mutex<&'static str>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.unwrap_or_default() == 0 {
                return;
            }
        }
        let length = head
            .to_ascii_lowercase()
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await.unwrap();
        let line = head.lines().next().unwrap().to_owned();
        calls.lock().unwrap().push(Call {
            line,
            head,
            body: String::from_utf8(body).unwrap(),
        });
        let answer = *answer.lock().unwrap();
        if answer.is_empty() {
            std::future::pending::<()>().await;
        }
        let response = format!("HTTP/1.1 {answer}\r\nContent-Length: 2\r\n\r\nok");
        stream.get_mut().write_all(response.as_bytes()).await.unwrap();
    }
}

fn settings(rig: &Rig, hook: Option<PurgeHook>) -> JanitorSettings {
    let mut settings = rig.settings();
    settings.purge_hook = hook;
    "https://img.example".clone_into(&mut settings.addresses.base_url);
    settings.addresses.dialects = ["django".parse().unwrap()].into_iter().collect();
    settings
}

/// A janitor that runs, and its metrics.
async fn run(rig: &Rig, hook: Option<PurgeHook>) -> (Metrics, AbortOnDropHandle<()>) {
    let metrics = Metrics::new();
    let service = Service::new(&settings(rig, hook), rig.clock.clock(), &metrics).unwrap();
    let running = AbortOnDropHandle::new(tokio::spawn(service.run(CancellationToken::new())));
    while rig.number("SELECT count(*) FROM purge_hook WHERE is_on").await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (metrics, running)
}

fn hook(cache: &Cache, header: Option<&str>, body: Option<&str>) -> PurgeHook {
    let path = if body.is_some() { "/api" } else { "{path}" };
    PurgeHook::read(&format!("http://{}{path}", cache.address), None, header, body).unwrap()
}

#[tokio::test]
async fn every_url_of_a_withdrawn_image_is_told_once_and_then_nothing_is_left() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let image = rig.upload(owner, 1, None).await;
    let cache = Cache::start().await;
    let (metrics, _running) = run(&rig, Some(hook(&cache, Some("X-Key: of mine"), None))).await;
    rig.withdraw(&image).await;
    let (id, key) = (image.public_id, &image.key);
    let expected: BTreeSet<String> = [
        format!("/i/{id}.png"),
        format!("/i/{id}"),
        format!("/?path=/{key}"),
        format!("/images/{}", key.replace('/', "")),
    ]
    .map(|path| format!("PURGE {path} HTTP/1.1"))
    .into();
    eventually("all are told", || cache.lines() == expected).await;
    while rig.number("SELECT count(*) FROM purge").await > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(cache.calls().len(), expected.len(), "each once");
    assert!(
        cache
            .calls()
            .iter()
            .all(|call| call.head.contains("x-key: of mine\r\n"))
    );
    let told = || metric(&metrics, "berth_janitor_purges_total{outcome=\"ok\"}") > 3.5;
    eventually("they are counted", told).await;
}

#[tokio::test]
async fn a_cache_is_told_when_every_reader_has_heard_and_no_sooner() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let image = rig.upload(owner, 1, None).await;
    let cache = Cache::start().await;
    let mut reader = SlowReader::of(&rig.database).await;
    let (_metrics, _running) = run(&rig, Some(hook(&cache, None, None))).await;
    rig.withdraw(&image).await;
    let ask = reader.asked().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(cache.calls().is_empty(), "it would be given the picture again");
    reader.answer(&ask).await;
    eventually("all are told", || cache.lines().len() == 4).await;
}

#[tokio::test]
async fn what_has_expired_is_told_by_json_too_and_a_failure_is_tried_again_for_what_is_left() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let cache = Cache::start().await;
    cache.answers("302 Found\r\nLocation: /elsewhere");
    let body = r#"{"files":["{url}"]}"#;
    let (metrics, _running) = run(&rig, Some(hook(&cache, None, Some(body)))).await;
    let image = rig.upload(owner, 1, Some(60)).await;
    rig.clock.advance(seconds(60));
    rig.clean().await;
    eventually("four are told", || cache.calls().len() == 4).await;
    let failed = || metric(&metrics, "berth_janitor_purges_total{outcome=\"failed\"}") > 3.5;
    eventually("a redirect is a failure, and not followed", failed).await;
    assert_eq!(cache.lines(), ["POST /api HTTP/1.1".to_owned()].into());
    assert!(cache.calls().iter().any(|call| {
        call.body == format!(r#"{{"files":["https://img.example/i/{}.png"]}}"#, image.public_id)
            && call.head.contains("content-type: application/json")
    }));
    // Nothing more before the pause is over, by the clock.
    while rig
        .number("SELECT count(*) FROM purge WHERE cardinality(urls) = 4 AND due_at > '2026-07-01T12:01:00Z'")
        .await
        == 0
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(cache.calls().len(), 4);
    cache.answers("204 No Content");
    rig.clock.advance(seconds(1));
    eventually("they are told again", || cache.calls().len() == 8).await;
    while rig.number("SELECT count(*) FROM purge").await > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_cache_that_never_hears_is_given_up_and_that_is_told() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let image = rig.upload(owner, 1, None).await;
    let cache = Cache::start().await;
    cache.answers("401 Unauthorized");
    let (metrics, _running) = run(&rig, Some(hook(&cache, None, None))).await;
    rig.withdraw(&image).await;
    rig.owner
        .batch_execute("UPDATE purge SET tries = 11")
        .await
        .unwrap();
    let given_up = || metric(&metrics, "berth_janitor_purges_total{outcome=\"given_up\"}") > 0.5;
    eventually("it is given up", given_up).await;
    while rig.number("SELECT count(*) FROM purge").await > 0 {
        tokio::task::yield_now().await;
    }
    let events = format!(
        "SELECT count(*) FROM event WHERE kind = 'purge_failed' AND subject = '{}' AND jsonb_array_length(detail -> 'urls') = 4
            AND detail ->> 'reason' LIKE '%401%'",
        image.public_id
    );
    assert_eq!(rig.number(&events).await, 1);
}

#[tokio::test]
async fn a_janitor_that_is_killed_while_it_tells_is_followed_by_one_that_tells_it_all_again() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let image = rig.upload(owner, 1, None).await;
    let cache = Cache::start().await;
    cache.answers("");
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_janitor"));
        command
            .env_clear()
            .env("BERTH_DATA", rig.data())
            .env(
                "BERTH_DATABASE_URL",
                rig.database.url_as(catalog::ServiceRole::Janitor),
            )
            .env("BERTH_METRICS_LISTEN", "127.0.0.1:0")
            .env("BERTH_BASE_URL", "https://img.example/")
            .env(
                "BERTH_PURGE_URL",
                format!("http://{}/purge?url={{url}}", cache.address),
            )
            .env("BERTH_PURGE_METHOD", "POST")
            .current_dir(rig.data())
            .kill_on_drop(true);
        command.spawn().unwrap()
    };
    let mut first = start();
    while rig.number("SELECT count(*) FROM purge_hook WHERE is_on").await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    rig.withdraw(&image).await;
    eventually("it tells", || !cache.calls().is_empty()).await;
    first.kill().await.unwrap();
    assert_eq!(
        rig.number("SELECT count(*) FROM purge").await,
        1,
        "nothing is lost"
    );
    // Its claim ends in a minute; nobody waits for that here.
    rig.owner
        .batch_execute("UPDATE purge SET due_at = '-infinity'")
        .await
        .unwrap();
    cache.answers("200 OK");
    let mut second = start();
    while rig.number("SELECT count(*) FROM purge").await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let url = format!(
        "POST /purge?url=https%3A%2F%2Fimg.example%2Fi%2F{}.png HTTP/1.1",
        image.public_id
    );
    assert!(cache.lines().contains(&url), "{:?}", cache.lines());
    second.kill().await.unwrap();
}

#[tokio::test]
async fn a_janitor_without_a_hook_forgets_what_another_was_to_tell() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let image = rig.upload(owner, 1, None).await;
    rig.owner
        .batch_execute("UPDATE purge_hook SET is_on = true")
        .await
        .unwrap();
    rig.withdraw(&image).await;
    assert_eq!(rig.number("SELECT count(*) FROM purge").await, 1);
    let service = Service::new(&settings(&rig, None), rig.clock.clock(), &Metrics::new()).unwrap();
    let _running = AbortOnDropHandle::new(tokio::spawn(service.run(CancellationToken::new())));
    while rig.number("SELECT count(*) FROM purge").await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(rig.number("SELECT count(*) FROM purge_hook WHERE is_on").await, 0);
}
