//! How long a connection may dawdle, and how many there may be.

use std::time::{Duration, Instant};

use http_kit::{ConnectionLimits, ListenAddress, TrustedProxies};
use tokio::net::TcpSocket;

use crate::rig::{Client, LONG, Rig, SHORT, settings};

const PING: &[u8] = b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n";

fn short_header() -> ConnectionLimits {
    ConnectionLimits {
        header_deadline: SHORT,
        ..ConnectionLimits::default()
    }
}

fn assert_about(took: Duration, limit: Duration) {
    assert!(
        took + Duration::from_millis(20) >= limit,
        "closed too early, after {took:?}"
    );
    assert!(
        took < limit + Duration::from_secs(3),
        "closed too late, after {took:?}"
    );
}

#[tokio::test]
async fn half_a_header_is_closed_at_the_header_deadline() {
    let rig = Rig::start(short_header(), settings()).await;
    let mut client = rig.connect().await;
    client.send(b"GET /ping HTTP/1.1\r\nHost: a").await;
    assert_about(client.until_closed().await.0, SHORT);
}

#[tokio::test]
async fn a_header_that_comes_byte_by_byte_does_not_move_the_deadline() {
    let rig = Rig::start(short_header(), settings()).await;
    let mut client = rig.connect().await;
    let began = Instant::now();
    for byte in b"GET /ping HTTP/1.1\r\nX-Slow: "
        .iter()
        .chain(std::iter::repeat(&b'a'))
    {
        if client.try_send(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(began.elapsed() < LONG);
    }
    assert_about(began.elapsed(), SHORT);
}

#[tokio::test]
async fn a_new_connection_that_says_nothing_is_closed_at_the_header_deadline() {
    let rig = Rig::start(short_header(), settings()).await;
    assert_about(rig.connect().await.until_closed().await.0, SHORT);
}

#[tokio::test]
async fn a_resting_connection_outlives_the_header_deadline_and_ends_at_the_idle_limit() {
    let limits = ConnectionLimits {
        keep_alive_idle_direct: SHORT * 4,
        ..short_header()
    };
    let rig = Rig::start(limits, settings()).await;
    let mut client = rig.connect().await;
    for _ in 0..2 {
        client.send(PING).await;
        assert_eq!(client.answer().await.status, 200);
        tokio::time::sleep(SHORT * 2).await;
    }
    client.send(PING).await;
    assert_eq!(client.answer().await.status, 200);
    assert_about(client.until_closed().await.0, SHORT * 4);
}

#[tokio::test]
async fn a_trusted_proxys_connection_may_rest_longer() {
    let limits = ConnectionLimits {
        keep_alive_idle_direct: SHORT,
        keep_alive_idle: SHORT * 4,
        trusted: "127.0.0.0/8".parse().unwrap(),
        ..ConnectionLimits::default()
    };
    let rig = Rig::start(limits, settings()).await;
    let mut client = rig.connect().await;
    client.send(PING).await;
    assert_eq!(client.answer().await.status, 200);
    assert_about(client.until_closed().await.0, SHORT * 4);
}

#[tokio::test]
async fn half_a_header_after_a_reply_is_closed_at_the_header_deadline() {
    let rig = Rig::start(short_header(), settings()).await;
    let mut client = rig.connect().await;
    client.send(PING).await;
    assert_eq!(client.answer().await.status, 200);
    client.send(b"GET /ping HT").await;
    assert_about(client.until_closed().await.0, SHORT);
}

#[tokio::test]
async fn half_a_header_sent_while_the_reply_is_awaited_is_closed_at_the_header_deadline() {
    let rig = Rig::start(short_header(), settings()).await;
    let mut client = rig.connect().await;
    client.send(b"GET /gate HTTP/1.1\r\nHost: a\r\n\r\n").await;
    tokio::time::sleep(SHORT).await;
    client.send(b"GET /ping HT").await;
    tokio::time::sleep(SHORT).await;
    rig.gate.add_permits(1);
    assert_eq!(client.answer().await.status, 200);
    assert_about(client.until_closed().await.0, SHORT);
}

#[tokio::test]
async fn a_handler_may_take_longer_than_every_wait_of_the_client() {
    let limits = ConnectionLimits {
        keep_alive_idle_direct: SHORT,
        write_stall: SHORT,
        ..short_header()
    };
    let rig = Rig::start(limits, settings()).await;
    let mut client = rig.connect().await;
    client.send(b"GET /gate HTTP/1.1\r\nHost: a\r\n\r\n").await;
    tokio::time::sleep(SHORT * 4).await;
    rig.gate.add_permits(1);
    assert_eq!(client.answer().await.body, "opened");
}

/// Waits until the server has given up the reply: a request under way holds this gauge.
async fn reply_given_up(rig: &Rig) -> Duration {
    let began = Instant::now();
    while !rig.metrics.text().contains("http_requests_in_flight 0") {
        assert!(
            began.elapsed() < LONG,
            "the client that does not read was never cut"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

async fn narrow_client(rig: &Rig) -> Client {
    let ListenAddress::Tcp(address) = &rig.address else {
        panic!("TCP")
    };
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    Client::over(socket.connect(address.parse().unwrap()).await.unwrap())
}

#[tokio::test]
async fn a_client_that_never_reads_its_reply_is_cut() {
    let rig = Rig::start(
        ConnectionLimits {
            write_stall: SHORT,
            ..ConnectionLimits::default()
        },
        settings(),
    )
    .await;
    let mut client = narrow_client(&rig).await;
    client.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.read_more().await;
    let took = reply_given_up(&rig).await;
    assert!(took < SHORT + Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn a_client_that_reads_a_byte_now_and_then_is_cut() {
    let rig = Rig::start(
        ConnectionLimits {
            write_stall: SHORT,
            ..ConnectionLimits::default()
        },
        settings(),
    )
    .await;
    let ListenAddress::Tcp(address) = &rig.address else {
        panic!("TCP")
    };
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let reading = tokio::spawn(async move {
        loop {
            let mut byte = [0];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut byte).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    tokio::time::sleep(SHORT / 2).await;
    let took = reply_given_up(&rig).await;
    reading.abort();
    assert!(took < SHORT + Duration::from_secs(3), "{took:?}");
}

/// The server's send buffer holds megabytes: for longer than the limit it takes no byte from us, though the
/// client reads all the time. Only the kernel's timer tells the two apart.
#[tokio::test]
async fn a_slow_client_that_reads_on_gets_its_whole_reply() {
    let limits = ConnectionLimits {
        write_stall: SHORT,
        ..ConnectionLimits::default()
    };
    let rig = Rig::start(limits, settings()).await;
    let mut client = rig.connect().await;
    client
        .send(b"GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    let mut read = 0;
    for _ in 0..40 {
        read += client.skip(64 << 10).await;
        tokio::time::sleep(SHORT / 6).await;
    }
    let (_, rest) = client.until_closed().await;
    assert!(read + rest.len() > 64 << 20, "{read} + {} bytes", rest.len());
}

#[tokio::test]
async fn a_unix_client_that_never_reads_its_reply_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let address = ListenAddress::Unix(folder.path().join("test.sock"));
    let limits = ConnectionLimits {
        write_stall: SHORT,
        ..ConnectionLimits::default()
    };
    let rig = Rig::start_at(&address, limits, settings()).await;
    let mut client = rig.connect().await;
    client.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.read_more().await;
    assert_about(reply_given_up(&rig).await, SHORT / 2);
}

#[tokio::test]
async fn one_client_may_not_take_all_connections_but_a_proxy_may() {
    for (trusted, served) in [
        (TrustedProxies::default(), false),
        ("127.0.0.1".parse().unwrap(), true),
    ] {
        let limits = ConnectionLimits {
            connections_per_client: 2,
            trusted,
            ..ConnectionLimits::default()
        };
        let rig = Rig::start(limits, settings()).await;
        let mut first = [rig.connect().await, rig.connect().await];
        for client in &mut first {
            client.send(PING).await;
            assert_eq!(client.answer().await.status, 200);
        }
        let mut third = rig.connect().await;
        let _ = third.try_send(PING).await;
        if served {
            assert_eq!(third.answer().await.status, 200);
        } else {
            assert_eq!(third.until_closed().await.1, b"");
        }
        drop(first);
    }
}

#[tokio::test]
async fn a_connection_too_many_waits_until_one_is_closed() {
    let rig = Rig::start(
        ConnectionLimits {
            connections: 1,
            ..ConnectionLimits::default()
        },
        settings(),
    )
    .await;
    let mut first = rig.connect().await;
    first.send(PING).await;
    assert_eq!(first.answer().await.status, 200);
    let mut second = rig.connect().await;
    second.send(PING).await;
    assert!(
        tokio::time::timeout(SHORT, second.read_more()).await.is_err(),
        "not served yet"
    );
    drop(first);
    assert_eq!(second.answer().await.status, 200);
}
