//! One process after another on the same socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_kit::{
    ConnectionLimits, Health, ListenAddress, Listener, Metrics, ServeOutcome, TrustedProxies, serve_in_turn,
    stack,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use warp::{Filter, Reply};

use crate::rig::{Client, LONG, Rig, settings};

const PING: &[u8] = b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n";

fn limits() -> ConnectionLimits {
    ConnectionLimits {
        trusted: "unix,127.0.0.1".parse::<TrustedProxies>().unwrap(),
        ..ConnectionLimits::default()
    }
}

/// A process that takes its turn on this address and answers with its name.
struct Successor {
    is_ready: Arc<AtomicBool>,
    stop: CancellationToken,
    health: Health,
    server: JoinHandle<std::io::Result<ServeOutcome>>,
}

impl Successor {
    async fn start(address: &ListenAddress, name: &'static str) -> Self {
        let listener = Listener::bind_in_turn(address, true).await.unwrap();
        let health = listener.health();
        let is_ready = Arc::new(AtomicBool::new(false));
        let answer = is_ready.clone();
        let ready = Health::new().check("work", LONG, move || {
            let is_ready = answer.load(Ordering::Relaxed);
            async move {
                if is_ready {
                    Ok(())
                } else {
                    Err("not yet".to_owned())
                }
            }
        });
        let stop = CancellationToken::new();
        let routes = warp::any().map(move || name.into_response()).boxed();
        let service = stack(routes, settings(), &Metrics::new());
        let stopped = stop.clone();
        let server =
            tokio::spawn(async move { serve_in_turn(listener, &ready, service, limits(), stopped).await });
        Self {
            is_ready,
            stop,
            health,
            server,
        }
    }

    async fn is_in_place(&self) -> bool {
        self.health.report().await.0
    }
}

async fn who_answers(address: &ListenAddress) -> String {
    let mut client = Client::connect(address).await;
    client.send(PING).await;
    client.answer().await.body
}

#[tokio::test]
async fn the_next_process_takes_the_socket_when_it_is_ready_and_never_before() {
    let folder = tempfile::tempdir().unwrap();
    let address = ListenAddress::Unix(folder.path().join("a.sock"));
    let old = Rig::start_at(&address, limits(), settings()).await;
    let never = Successor::start(&address, "never").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(who_answers(&address).await, "pong");
    assert!(!never.is_in_place().await);
    never.stop.cancel();
    assert_eq!(never.server.await.unwrap().unwrap(), ServeOutcome::Drained);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let next = Successor::start(&address, "next").await;
    next.is_ready.store(true, Ordering::Relaxed);
    while !next.is_in_place().await {
        assert_ne!(who_answers(&address).await, "");
    }
    assert_eq!(who_answers(&address).await, "next");
    old.stop.cancel();
    assert_eq!(old.server.await.unwrap(), ServeOutcome::Drained);
    assert_eq!(
        who_answers(&address).await,
        "next",
        "its name is not the old one's to remove"
    );
}

#[tokio::test]
async fn what_a_proxy_sends_to_a_stopping_server_is_answered_and_told_to_be_the_last() {
    let folder = tempfile::tempdir().unwrap();
    for address in [
        ListenAddress::Unix(folder.path().join("a.sock")),
        ListenAddress::Tcp("127.0.0.1:0".to_owned()),
    ] {
        let rig = Rig::start_at(&address, limits(), settings()).await;
        let mut idle = rig.connect().await;
        let mut unused = rig.connect().await;
        idle.send(PING).await;
        let answer = idle.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (200, None));
        rig.stop.cancel();
        tokio::time::sleep(Duration::from_millis(200)).await;
        for client in [&mut idle, &mut unused] {
            client.send(PING).await;
            let answer = client.answer().await;
            assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
            client.until_closed().await;
        }
        let outcome = tokio::time::timeout(LONG, rig.server).await.unwrap().unwrap();
        assert_eq!(outcome, ServeOutcome::Drained);
    }
}

#[tokio::test]
async fn who_waits_in_the_backlog_of_a_stopping_server_is_let_in() {
    let folder = tempfile::tempdir().unwrap();
    let address = ListenAddress::Unix(folder.path().join("a.sock"));
    let rig = Rig::start_at(&address, limits(), settings()).await;
    // On a runtime of one thread the server sees neither before all of this has happened.
    rig.stop.cancel();
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = Client::connect(&address).await;
        client.send(PING).await;
        clients.push(client);
    }
    for mut client in clients {
        assert_eq!(client.answer().await.status, 200);
    }
}
