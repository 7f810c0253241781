//! The port of health and metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_kit::{Health, Listener, Metrics, serve_operations};
use tokio_util::sync::CancellationToken;

use crate::rig::{Answer, Client};

async fn ask(path: &str, health: Health) -> Answer {
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let server = tokio::spawn(serve_operations(listener, health, Metrics::new(), stop.clone()));
    let mut client = Client::connect(&address).await;
    client
        .send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
        .await;
    let answer = client.answer().await;
    stop.cancel();
    server.await.unwrap();
    answer
}

#[tokio::test]
async fn readiness_names_every_check_and_fails_with_one_of_them() {
    let disk_is_full = Arc::new(AtomicBool::new(false));
    let full = disk_is_full.clone();
    let health = Health::new()
        .check("postgres", Duration::from_secs(1), || async { Ok(()) })
        .check("disk", Duration::from_secs(1), move || {
            let full = full.load(Ordering::Relaxed);
            async move {
                if full {
                    Err("no space is left".to_owned())
                } else {
                    Ok(())
                }
            }
        });
    let answer = ask("/health/ready", health.clone()).await;
    let report: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &report["status"]), (200, &"ready".into()));
    assert_eq!(report["checks"]["postgres"]["ok"], true);
    disk_is_full.store(true, Ordering::Relaxed);
    let answer = ask("/health/ready", health).await;
    let report: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &report["status"]), (503, &"not ready".into()));
    assert_eq!(report["checks"]["postgres"]["ok"], true);
    assert_eq!(report["checks"]["disk"]["error"], "no space is left");
}

#[tokio::test]
async fn a_check_that_does_not_answer_fails_at_its_deadline() {
    let health = Health::new().check("stuck", Duration::from_millis(50), std::future::pending);
    let answer = ask("/health/ready", health).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("no answer within 50 ms"), "{}", answer.body);
}

#[tokio::test]
async fn a_process_that_is_not_ready_is_still_alive() {
    let health = Health::new().check("down", Duration::from_secs(1), || async {
        Err("down".to_owned())
    });
    assert_eq!(ask("/health/live", health).await.status, 200);
}

#[tokio::test]
async fn metrics_are_prometheus_text_with_the_process_beside() {
    let answer = ask("/metrics", Health::new()).await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert!(
        answer.body.contains("process_resident_memory_bytes"),
        "{}",
        answer.body
    );
    assert!(
        answer.body.contains("http_requests_in_flight 0"),
        "{}",
        answer.body
    );
}
