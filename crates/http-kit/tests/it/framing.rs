//! What an attacker writes so that two servers disagree about where a request ends.

use crate::rig::{Rig, find};

const SMUGGLED: &str = "GET /who HTTP/1.1\r\nHost: a\r\n\r\n";

/// Each ends in a 400 and a closed connection; whatever follows is never served.
const REFUSED: &[(&str, &str)] = &[
    (
        "length and encoding",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "encoding and length",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    ),
    (
        "two different lengths",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ),
    (
        "two equal lengths",
        "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    ),
    ("a list of lengths", "Content-Length: 5, 5\r\n\r\nhello"),
    ("a signed length", "Content-Length: +5\r\n\r\nhello"),
    ("a negative length", "Content-Length: -5\r\n\r\nhello"),
    ("a hexadecimal length", "Content-Length: 0x5\r\n\r\nhello"),
    ("an empty length", "Content-Length: \r\n\r\nhello"),
    (
        "a length beyond 64 bits",
        "Content-Length: 99999999999999999999999\r\n\r\nhello",
    ),
    (
        "an unknown encoding",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked that is not last",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ),
    ("a space before the colon", "Content-Length : 5\r\n\r\nhello"),
    (
        "a folded line",
        "Content-Length: 5\r\nX-Fold: a\r\n b\r\n\r\nhello",
    ),
    (
        "a bare carriage return",
        "X-Bare: a\rContent-Length: 5\r\n\r\nhello",
    ),
    ("a NUL", "X-Nul: a\0b\r\n\r\n"),
    ("two hosts", "Host: b\r\n\r\n"),
];

#[tokio::test]
async fn a_head_that_is_ambiguous_is_refused_and_the_connection_closed() {
    let rig = Rig::defaults().await;
    for (name, rest) in REFUSED {
        let mut client = rig.connect().await;
        let request = format!("POST /upload HTTP/1.1\r\nHost: a\r\n{rest}{SMUGGLED}");
        client.send(request.as_bytes()).await;
        let (_, answer) = client.until_closed().await;
        assert_one_refusal(name, &answer);
    }
}

#[tokio::test]
async fn a_request_line_out_of_order_is_refused() {
    let rig = Rig::defaults().await;
    let cases = [
        ("no host", "GET /ping HTTP/1.1\r\n\r\n"),
        (
            "encoding in HTTP/1.0",
            "POST /upload HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("an unknown version", "GET /ping HTTP/3.7\r\nHost: a\r\n\r\n"),
        ("no version", "GET /ping\r\n\r\n"),
        ("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("a space in the URL", "GET /pi ng HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("no method", " /ping HTTP/1.1\r\nHost: a\r\n\r\n"),
    ];
    for (name, request) in cases {
        let mut client = rig.connect().await;
        client.send(format!("{request}{SMUGGLED}").as_bytes()).await;
        let (_, answer) = client.until_closed().await;
        let refused =
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 400") || answer.starts_with(b"HTTP/1.1 505");
        assert!(refused, "{name}: {}", String::from_utf8_lossy(&answer));
        assert_eq!(
            answer.windows(9).filter(|window| *window == b"127.0.0.1").count(),
            0,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_broken_chunk_is_refused_and_the_connection_closed() {
    let rig = Rig::defaults().await;
    let cases = [
        ("a size that is no number", "zz\r\nhello\r\n0\r\n\r\n"),
        ("a negative size", "-5\r\nhello\r\n0\r\n\r\n"),
        ("a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("a size beyond 64 bits", "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"),
        ("a size too small", "3\r\nhello\r\n0\r\n\r\n"),
        ("an empty size", "\r\nhello\r\n0\r\n\r\n"),
        ("a bare line feed after the size", "5\nhello\r\n0\r\n\r\n"),
    ];
    for (name, chunks) in cases {
        let mut client = rig.connect().await;
        let head = "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.send(format!("{head}{chunks}{SMUGGLED}").as_bytes()).await;
        let (_, answer) = client.until_closed().await;
        assert_one_refusal(name, &answer);
    }
}

fn assert_one_refusal(name: &str, answer: &[u8]) {
    let text = String::from_utf8_lossy(answer);
    assert!(answer.starts_with(b"HTTP/1.1 400"), "{name}: {text}");
    assert!(
        find(&answer[1..], b"HTTP/1.1 ").is_none(),
        "{name}: a second answer: {text}"
    );
}

#[tokio::test]
async fn a_head_cut_into_pieces_is_refused_as_well() {
    let rig = Rig::defaults().await;
    let mut client = rig.connect().await;
    client
        .send(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Le")
        .await;
    tokio::task::yield_now().await;
    client.send(b"ngth: 5\r\nTransfer-Enco").await;
    tokio::task::yield_now().await;
    client.send(b"ding: chunked\r\n\r\n0\r\n\r\n").await;
    assert_one_refusal("in pieces", &client.until_closed().await.1);
}

#[tokio::test]
async fn honest_pipelined_requests_are_all_served() {
    let rig = Rig::defaults().await;
    let mut client = rig.connect().await;
    let upload = "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    let chunked =
        "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    client
        .send(format!("{upload}{chunked}{upload}{SMUGGLED}").as_bytes())
        .await;
    for body in ["5 bytes", "3 bytes", "5 bytes", "127.0.0.1"] {
        assert_eq!(client.answer().await.body, body);
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let rig = Rig::defaults().await;
    let many = "X-A: b\r\n".repeat(70);
    let large = format!("X-Large: {}\r\n", "a".repeat(40 << 10));
    let endless = format!("X-Endless: {}", "a".repeat(200 << 10));
    for headers in [many, large, endless] {
        let mut client = rig.connect().await;
        let _ = client
            .try_send(format!("GET /ping HTTP/1.1\r\nHost: a\r\n{headers}\r\n").as_bytes())
            .await;
        let (_, answer) = client.until_closed().await;
        // The reset that follows unread bytes may overtake the reply.
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
}
