//! What the stack does around a handler.

use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Either, Full};
use http_kit::{ConnectionLimits, Metrics, RequestBody, Route, StackSettings, stack_service};
use tower::ServiceExt;
use warp::Filter;

use crate::rig::{Rig, SHORT, settings};

#[tokio::test]
async fn a_trusted_proxys_request_id_is_kept_and_a_strangers_is_not() {
    let request = "GET /ping HTTP/1.1\r\nHost: a\r\nX-Request-Id: from-outside\r\n\r\n";
    let trusting = StackSettings {
        trusted: "127.0.0.1".parse().unwrap(),
        ..settings()
    };
    let rig = Rig::start(ConnectionLimits::default(), trusting).await;
    assert_eq!(
        rig.ask(request).await.header("x-request-id"),
        Some("from-outside")
    );
    let rig = Rig::defaults().await;
    let answer = rig.ask(request).await;
    let made = answer.header("x-request-id").unwrap();
    assert!(made.len() == 32 && made != "from-outside", "{made}");
}

#[tokio::test]
async fn every_request_has_another_id() {
    let rig = Rig::defaults().await;
    let ask = || rig.ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_ne!(
        ask().await.header("x-request-id"),
        ask().await.header("x-request-id")
    );
}

#[tokio::test]
async fn a_request_too_many_is_refused_at_once_and_served_later() {
    let rig = Rig::start(
        ConnectionLimits::default(),
        StackSettings {
            in_flight: 1,
            ..settings()
        },
    )
    .await;
    let mut busy = rig.connect().await;
    busy.send(b"GET /gate HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while !rig.metrics.text().contains("http_requests_in_flight 1") {
        tokio::task::yield_now().await;
    }
    let answer = rig.ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert!(answer.body.contains("\"code\":\"overloaded\""), "{}", answer.body);
    rig.gate.add_permits(1);
    assert_eq!(busy.answer().await.status, 200);
    while rig.ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n").await.status != 200 {}
    assert!(
        rig.metrics
            .text()
            .contains("http_requests_refused_total{reason=\"overload\"}")
    );
}

#[tokio::test]
async fn replies_that_are_still_being_sent_count_as_under_way() {
    let rig = Rig::start(
        ConnectionLimits::default(),
        StackSettings {
            in_flight: 1,
            ..settings()
        },
    )
    .await;
    let mut reading = rig.connect().await;
    reading.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await;
    reading.read_more().await;
    assert_eq!(rig.ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n").await.status, 503);
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_connection_lives_on() {
    let rig = Rig::defaults().await;
    let mut client = rig.connect().await;
    client.send(b"GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 500);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json; charset=utf-8")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(
        !answer.body.contains("on purpose"),
        "a panic's words are not for the public"
    );
    client.send(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_dropped() {
    let settings = StackSettings {
        handler_timeout: |_| Some(SHORT),
        ..settings()
    };
    let rig = Rig::start(ConnectionLimits::default(), settings).await;
    let answer = rig.ask("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(answer.status, 503);
    rig.gate.add_permits(1);
    assert_eq!(
        rig.gate.available_permits(),
        1,
        "nobody waits at the gate any more"
    );
}

#[tokio::test]
async fn a_url_longer_than_4_kib_is_a_414() {
    let rig = Rig::defaults().await;
    let mut client = rig.connect().await;
    for (length, status) in [(4096, 404), (4097, 414)] {
        let path = format!("/{}", "a".repeat(length - 1));
        client
            .send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
            .await;
        assert_eq!(client.answer().await.status, status);
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_and_class() {
    let rig = Rig::defaults().await;
    for path in ["/ping", "/ping", "/nowhere"] {
        rig.ask(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    }
    let text = rig.metrics.text();
    for line in [
        "http_request_duration_seconds_count{class=\"2xx\",route=\"ping\"} 2",
        "http_request_duration_seconds_count{class=\"4xx\",route=\"other\"} 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn one_line_a_request_is_logged_and_its_query_never() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let rig = Rig::defaults().await;
    rig.ask("GET /ping?token=secret HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    while !String::from_utf8_lossy(&lines.0.lock().unwrap()).contains("\"access\"") {
        tokio::task::yield_now().await;
    }
    drop(guard);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let line: serde_json::Value = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .find(|line: &serde_json::Value| line["target"] == "access")
        .unwrap();
    let fields = &line["fields"];
    assert_eq!(fields["method"], "GET");
    assert_eq!(fields["path"], "/ping");
    assert_eq!(fields["route"], "ping");
    assert_eq!(fields["status"], 200);
    assert_eq!(fields["bytes"], 4);
    assert_eq!(fields["client"], "127.0.0.1");
    assert!(fields["us"].is_u64() && fields["request_id"].is_string());
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn a_stream_with_a_declared_length_is_sent_with_it_and_one_without_is_chunked() {
    let rig = Rig::defaults().await;
    let answer = rig.ask("GET /stream/sized HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(
        (answer.header("content-length"), answer.body.as_str()),
        (Some("6"), "piece!")
    );
    let answer = rig.ask("GET /stream/unsized HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(
        (
            answer.header("content-length"),
            answer.header("transfer-encoding")
        ),
        (None, Some("chunked"))
    );
}

/// A service of any body type stands before warp's, inside one stack.
#[tokio::test]
async fn a_thin_service_answers_before_warp_does() {
    let rest = http_kit::warp_service(http_kit::route("rest", warp::path!("rest").map(|| "warp")));
    let service = tower::service_fn(move |request: http::Request<RequestBody>| {
        let rest = rest.clone();
        async move {
            if request.uri().path() == "/thin" {
                let mut response = http::Response::new(Either::Left(Full::from("thin")));
                response.extensions_mut().insert(Route("thin"));
                return Ok::<_, Infallible>(response);
            }
            Ok(rest.oneshot(request).await?.map(Either::Right))
        }
    });
    let metrics = Metrics::new();
    let service = stack_service(service, settings(), &metrics);
    for (path, status, body) in [
        ("/thin", 200, "thin"),
        ("/rest", 200, "warp"),
        ("/none", 404, "{"),
    ] {
        let request = http::Request::get(path)
            .body(RequestBody::from_bytes(""))
            .unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let found = response.into_body().collect().await.unwrap().to_bytes();
        assert!(found.starts_with(body.as_bytes()), "{path}: {found:?}");
    }
    for route in ["thin", "rest", "other"] {
        assert!(
            metrics.text().contains(&format!("route=\"{route}\"}} 1")),
            "{route}"
        );
    }
}

#[tokio::test]
async fn without_a_connection_of_ours_no_forwarding_header_is_believed() {
    let who = warp::path!("who")
        .and(warp::ext::get::<http_kit::ClientAddress>())
        .map(|client: http_kit::ClientAddress| client.to_string());
    let settings = StackSettings {
        trusted: "unix, 127.0.0.0/8".parse().unwrap(),
        ..settings()
    };
    let service = http_kit::stack(http_kit::route("who", who), settings, &Metrics::new());
    let request = http::Request::get("/who")
        .header("x-forwarded-for", "1.2.3.4")
        .header("x-request-id", "from-outside")
        .body(RequestBody::from_bytes(""))
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    assert_ne!(response.headers()["x-request-id"], "from-outside");
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "0.0.0.0"
    );
}
