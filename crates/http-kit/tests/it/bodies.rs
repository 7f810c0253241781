//! Bodies that come slowly, that are too large, and that nobody reads.

use std::time::{Duration, Instant};

use http_kit::{BodyLimits, ConnectionLimits, ListenAddress, StackSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{Client, Rig, SHORT, settings};

async fn rig(body: BodyLimits) -> Rig {
    Rig::start(ConnectionLimits::default(), StackSettings { body, ..settings() }).await
}

fn upload(length: usize) -> Vec<u8> {
    format!("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n").into_bytes()
}

/// Sends a byte every 20 ms until the server answers or closes.
async fn trickle(client: &mut Client) {
    let began = Instant::now();
    while began.elapsed() < SHORT * 4 && client.try_send(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_body_that_stops_coming_is_a_408_and_the_connection_is_closed() {
    let rig = rig(BodyLimits {
        idle: SHORT,
        ..BodyLimits::default()
    })
    .await;
    let mut client = rig.connect().await;
    client.send(&upload(1000)).await;
    client.send(b"hello").await;
    let began = Instant::now();
    let answer = client.answer().await;
    assert_eq!(answer.status, 408);
    assert!(answer.body.contains("\"detail\":\"Idle\""), "{}", answer.body);
    assert!(began.elapsed() + Duration::from_millis(20) >= SHORT);
    assert!(
        client.until_closed().await.0 < Duration::from_secs(2),
        "not lingered for"
    );
}

#[tokio::test]
async fn a_body_that_trickles_is_a_408() {
    let limits = BodyLimits {
        bytes_per_second: 1024,
        rate_window: SHORT,
        ..BodyLimits::default()
    };
    let rig = rig(limits).await;
    let mut client = rig.connect().await;
    client.send(&upload(100_000)).await;
    trickle(&mut client).await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 408);
    assert!(answer.body.contains("\"detail\":\"TooSlow\""), "{}", answer.body);
}

#[tokio::test]
async fn a_body_that_trickles_fast_enough_is_taken() {
    let limits = BodyLimits {
        bytes_per_second: 10,
        rate_window: SHORT,
        ..BodyLimits::default()
    };
    let rig = rig(limits).await;
    let mut client = rig.connect().await;
    client.send(&upload(40)).await;
    for _ in 0..40 {
        client.send(b"x").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.answer().await.body, "40 bytes");
}

#[tokio::test]
async fn a_body_past_its_deadline_is_a_408() {
    let limits = BodyLimits {
        total_time: SHORT,
        bytes_per_second: 0,
        ..BodyLimits::default()
    };
    let rig = rig(limits).await;
    let mut client = rig.connect().await;
    client.send(&upload(100_000)).await;
    trickle(&mut client).await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 408);
    assert!(answer.body.contains("\"detail\":\"Deadline\""), "{}", answer.body);
}

#[tokio::test]
async fn a_body_that_declares_too_much_is_refused_before_it_is_read() {
    let rig = rig(BodyLimits {
        total_bytes: 1000,
        ..BodyLimits::default()
    })
    .await;
    let mut client = rig.connect().await;
    client.send(&upload(1001)).await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("\"limit\":1000"), "{}", answer.body);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_taken() {
    let rig = rig(BodyLimits {
        total_bytes: 1000,
        ..BodyLimits::default()
    })
    .await;
    let mut client = rig.connect().await;
    client.send(&upload(1000)).await;
    client.send(&[b'x'; 1000]).await;
    assert_eq!(client.answer().await.body, "1000 bytes");
}

#[tokio::test]
async fn a_chunked_body_is_cut_at_the_limit() {
    let rig = rig(BodyLimits {
        total_bytes: 1000,
        ..BodyLimits::default()
    })
    .await;
    let mut client = rig.connect().await;
    client
        .send(b"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    for _ in 0..20 {
        client
            .send(format!("64\r\n{}\r\n", "x".repeat(100)).as_bytes())
            .await;
    }
    let answer = client.answer().await;
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("\"detail\":\"TooLarge\""), "{}", answer.body);
}

#[tokio::test]
async fn a_small_body_is_read_into_memory_up_to_its_limit() {
    let rig = rig(BodyLimits::default()).await;
    for (length, status) in [(0, 200), (10, 200), (11, 413)] {
        let body = "x".repeat(length);
        let request = format!("POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}");
        assert_eq!(rig.ask(&request).await.status, status, "{length} bytes");
    }
}

#[tokio::test]
async fn a_client_that_half_closes_in_mid_body_has_gone_away() {
    let rig = rig(BodyLimits::default()).await;
    let ListenAddress::Tcp(address) = &rig.address else {
        panic!("TCP")
    };
    let mut socket = tokio::net::TcpStream::connect(address.as_str()).await.unwrap();
    socket.write_all(&upload(1000)).await.unwrap();
    socket.write_all(b"hello").await.unwrap();
    socket.shutdown().await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.is_empty() || answer.contains("Disconnected"), "{answer}");
}

/// Writes everything before it reads anything, as most HTTP libraries do.
async fn write_blindly_then_read(rig: &Rig, head: &str, chunked: bool) -> String {
    const BODY: usize = 4 << 20;
    let ListenAddress::Tcp(address) = &rig.address else {
        panic!("TCP")
    };
    let mut socket = tokio::net::TcpStream::connect(address.as_str()).await.unwrap();
    let framing = if chunked {
        "Transfer-Encoding: chunked".to_owned()
    } else {
        format!("Content-Length: {BODY}")
    };
    socket
        .write_all(format!("{head}\r\nHost: a\r\n{framing}\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let piece = vec![b'x'; 64 << 10];
    for _ in 0..BODY / piece.len() {
        if chunked {
            socket.write_all(b"10000\r\n").await.unwrap();
        }
        socket
            .write_all(&piece)
            .await
            .expect("the server takes the whole body");
        if chunked {
            socket.write_all(b"\r\n").await.unwrap();
        }
        tokio::task::yield_now().await;
    }
    if chunked {
        socket.write_all(b"0\r\n\r\n").await.unwrap();
    }
    let mut answer = vec![0; 64 << 10];
    let read = socket.read(&mut answer).await.expect("the answer, not a reset");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_writes_4_mib_blindly_reads_its_401() {
    let rig = rig(BodyLimits::default()).await;
    for chunked in [false, true] {
        for _ in 0..10 {
            let answer = write_blindly_then_read(&rig, "POST /refuse HTTP/1.1", chunked).await;
            assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
            assert!(answer.contains("who-are-you"), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_writes_4_mib_blindly_reads_its_413() {
    let rig = rig(BodyLimits {
        total_bytes: 1 << 20,
        ..BodyLimits::default()
    })
    .await;
    for chunked in [false, true] {
        for _ in 0..10 {
            let answer = write_blindly_then_read(&rig, "POST /upload HTTP/1.1", chunked).await;
            assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_connection_whose_refused_body_was_drained_serves_the_next_request() {
    let rig = rig(BodyLimits::default()).await;
    let mut client = rig.connect().await;
    client
        .send(b"POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        .await;
    client.send(&vec![b'x'; 100_000]).await;
    assert_eq!(client.answer().await.status, 401);
    client.send(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.answer().await.body, "pong");
}

#[tokio::test]
async fn a_client_that_sends_for_ever_is_not_drained_for_ever() {
    let rig = rig(BodyLimits::default()).await;
    let mut client = rig.connect().await;
    client
        .send(b"POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000000\r\n\r\n")
        .await;
    let piece = vec![b'x'; 1 << 20];
    let mut sent = 0;
    while client.try_send(&piece).await.is_ok() {
        sent += 1;
        assert!(sent < 200, "still draining after {sent} MiB");
    }
}

#[tokio::test]
async fn a_client_that_asks_first_is_answered_without_sending() {
    let rig = rig(BodyLimits::default()).await;
    let mut client = rig.connect().await;
    let expect = "Host: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    client
        .send(format!("POST /refuse HTTP/1.1\r\n{expect}").as_bytes())
        .await;
    assert_eq!(client.answer().await.status, 401);
    assert_eq!(client.until_closed().await.1, b"");

    let mut client = rig.connect().await;
    client
        .send(format!("POST /upload HTTP/1.1\r\n{expect}").as_bytes())
        .await;
    assert_eq!(client.answer().await.status, 100);
    client.send(b"hello").await;
    assert_eq!(client.answer().await.body, "5 bytes");
}
