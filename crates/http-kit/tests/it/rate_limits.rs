use http_kit::{ConnectionLimits, RateLimit, StackSettings};

use crate::rig::{Rig, settings};

fn limited(per_minute: u32) -> StackSettings {
    let rate_limit = RateLimit::per_minute(per_minute, |request| request.uri.path() != "/who");
    StackSettings {
        rate_limit,
        trusted: "127.0.0.1".parse().unwrap(),
        ..settings()
    }
}

fn request(path: &str, client: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {client}\r\n\r\n")
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_when_to_come_back() {
    let rig = Rig::start(ConnectionLimits::default(), limited(3)).await;
    for remaining in [2, 1, 0] {
        let answer = rig.ask(&request("/ping", "1.2.3.4")).await;
        assert_eq!(
            (answer.status, answer.header("ratelimit-policy")),
            (200, Some("\"client\";q=3;w=60"))
        );
        assert!(
            answer
                .header("ratelimit")
                .unwrap()
                .starts_with(&format!("\"client\";r={remaining};t="))
        );
    }
    let answer = rig.ask(&request("/ping", "1.2.3.4")).await;
    assert_eq!(answer.status, 429);
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(
        answer.header("ratelimit"),
        Some(format!("\"client\";r=0;t={wait}").as_str())
    );
    // Others, and what the limit does not apply to, are served.
    assert_eq!(rig.ask(&request("/ping", "1.2.3.5")).await.status, 200);
    let answer = rig.ask(&request("/who", "1.2.3.4")).await;
    assert_eq!((answer.status, answer.header("ratelimit")), (200, None));
}

#[tokio::test]
async fn the_addresses_of_one_ipv6_network_are_one_client() {
    let rig = Rig::start(ConnectionLimits::default(), limited(1)).await;
    assert_eq!(rig.ask(&request("/ping", "2001:db8:1:2::1")).await.status, 200);
    assert_eq!(
        rig.ask(&request("/ping", "2001:db8:1:2:ffff::9")).await.status,
        429
    );
    assert_eq!(rig.ask(&request("/ping", "2001:db8:1:3::1")).await.status, 200);
}

#[tokio::test]
async fn zero_is_no_limit() {
    assert!(RateLimit::per_minute(0, |_| true).is_none());
}
