//! A server that is asked to stop.

use http_kit::{ConnectionLimits, ServeOutcome};

use crate::rig::{Client, LONG, Rig, SHORT, settings};

const GATE: &[u8] = b"GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";

async fn refuses(rig: &Rig) -> bool {
    let http_kit::ListenAddress::Tcp(address) = &rig.address else {
        panic!("TCP")
    };
    tokio::net::TcpStream::connect(address.as_str()).await.is_err()
}

async fn gate_reached(rig: &Rig) {
    while !rig.metrics.text().contains("http_requests_in_flight 1") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stopping_server_finishes_its_reply_closes_idle_connections_and_refuses_new_ones() {
    let rig = Rig::defaults().await;
    let (mut busy, mut idle) = (rig.connect().await, rig.connect().await);
    idle.send(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(idle.answer().await.status, 200);
    busy.send(GATE).await;
    gate_reached(&rig).await;
    rig.stop.cancel();
    assert!(idle.until_closed().await.0 < LONG);
    assert!(refuses(&rig).await, "no new connection");
    assert!(!rig.server.is_finished(), "the reply is still awaited");
    rig.gate.add_permits(1);
    let answer = busy.answer().await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "opened"));
    assert_eq!(rig.server.await.unwrap(), ServeOutcome::Drained);
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut() {
    let rig = Rig::start(
        ConnectionLimits {
            drain: SHORT,
            ..ConnectionLimits::default()
        },
        settings(),
    )
    .await;
    let mut busy = rig.connect().await;
    busy.send(GATE).await;
    gate_reached(&rig).await;
    rig.stop.cancel();
    assert_eq!(rig.server.await.unwrap(), ServeOutcome::Cut(1));
    assert_eq!(busy.until_closed().await.1, b"");
}

#[tokio::test]
async fn a_connection_that_never_spoke_does_not_hold_a_stopping_server() {
    let rig = Rig::defaults().await;
    let mut silent: Vec<Client> = Vec::new();
    for _ in 0..3 {
        silent.push(rig.connect().await);
    }
    rig.ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n").await;
    rig.stop.cancel();
    let outcome = tokio::time::timeout(LONG, rig.server)
        .await
        .expect("it stops")
        .unwrap();
    assert_eq!(outcome, ServeOutcome::Drained);
}
