//! `/v1/events`.

use catalog::{Role, ServiceRole};
use jiff::SignedDuration;
use serde_json::{Value, json};
use test_kit::pictures;

use crate::{
    people::{PASSWORD, code, sign_in, sign_up, try_to_sign_in},
    server::{Part, Server},
};

async fn list(server: &Server, shown: &str, query: &str) -> Value {
    let answer = server
        .send("GET", &format!("/v1/events?{query}"), &[shown], b"")
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn kinds(page: &Value) -> Vec<&str> {
    let events = page["events"].as_array().unwrap().iter();
    events.map(|event| event["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_happened_is_listed_newest_first_and_filtered() {
    let server = Server::start(&[]).await;
    let id = sign_up(&server, "root", Role::Admin).await;
    let root = sign_in(&server, "root").await;
    try_to_sign_in(&server, "root", "wrong horse battery").await;
    server.clock.advance(SignedDuration::from_secs(60));
    let png = pictures::png(3, 3, 1);
    server.upload(&[Part::File("file", "a.png", &png)]).await;
    let token = server
        .send_json(
            "POST",
            "/v1/tokens",
            &[&root],
            &json!({ "scopes": ["read"], "name": "x" }),
        )
        .await;
    let all = list(&server, &root, "").await;
    assert_eq!(
        kinds(&all),
        ["token_created", "upload", "sign_in_failed", "sign_in"]
    );
    let newest = &all["events"][0];
    assert_eq!(
        (&newest["account"], &newest["username"]),
        (&json!(id), &json!("root"))
    );
    assert_eq!(
        (&newest["client_address"], &newest["at"]),
        (&json!("127.0.0.1"), &json!("2026-11-21T00:01:00Z"))
    );
    assert!(!all.to_string().contains(token.json()["token"].as_str().unwrap()));
    for (query, expected) in [
        ("kind=upload".to_owned(), vec!["upload"]),
        (
            format!("account={id}"),
            vec!["token_created", "sign_in_failed", "sign_in"],
        ),
        (format!("account={id}&kind=sign_in"), vec!["sign_in"]),
        ("address=127.0.0.1&limit=1".to_owned(), vec!["token_created"]),
        ("address=192.0.2.1".to_owned(), vec![]),
        (
            "since=2026-11-21T00:01:00Z".to_owned(),
            vec!["token_created", "upload"],
        ),
        (
            "until=2026-11-21T00:01:00Z".to_owned(),
            vec!["sign_in_failed", "sign_in"],
        ),
        ("kind=nothing".to_owned(), vec![]),
    ] {
        assert_eq!(kinds(&list(&server, &root, &query).await), expected, "{query}");
    }
    let first = list(&server, &root, "limit=3").await;
    let rest = list(
        &server,
        &root,
        &format!("limit=3&after={}", first["next"].as_str().unwrap()),
    )
    .await;
    assert_eq!((kinds(&rest), &rest["next"]), (vec!["sign_in"], &Value::Null));
}

#[tokio::test]
async fn only_administrators_read_the_record() {
    let server = Server::start(&[]).await;
    sign_up(&server, "bob", Role::Member).await;
    let member = sign_in(&server, "bob").await;
    let refused = server.send("GET", "/v1/events", &[&member], b"").await;
    assert_eq!((refused.status, code(&refused).as_str()), (403, "scope_missing"));
    assert_eq!(server.send("GET", "/v1/events", &[], b"").await.status, 401);
}

#[tokio::test]
async fn no_password_and_no_token_is_in_the_record() {
    let server = Server::start(&[]).await;
    sign_up(&server, "root", Role::Admin).await;
    let root = sign_in(&server, "root").await;
    try_to_sign_in(&server, PASSWORD, "root").await;
    let change = json!({ "old_password": PASSWORD, "new_password": "a better password" });
    let changed = server
        .send_json("PUT", "/v1/account/password", &[&root], &change)
        .await;
    assert_eq!(changed.status, 204, "{changed:?}");
    let all = list(&server, &root, "").await.to_string();
    let session = root.rsplit(' ').next().unwrap();
    for secret in [PASSWORD, "a better password", "argon2", session] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}

#[tokio::test]
async fn old_events_are_forgotten_in_batches_by_the_janitor_alone() {
    let server = Server::start(&[]).await;
    sign_up(&server, "root", Role::Admin).await;
    for _ in 0..5 {
        sign_in(&server, "root").await;
    }
    let before = server.clock.advance(SignedDuration::from_hours(24));
    let root = sign_in(&server, "root").await;
    let janitor = server.database.catalog_as(ServiceRole::Janitor);
    for expected in [3, 2, 0] {
        assert_eq!(
            catalog::forget_events(&janitor, before, 3).await.unwrap(),
            expected
        );
    }
    assert_eq!(kinds(&list(&server, &root, "").await), ["sign_in"]);
    let uploader = server.database.catalog_as(ServiceRole::Upload);
    assert!(
        catalog::forget_events(&uploader, before, 3).await.is_err(),
        "who writes the record can't erase it"
    );
    assert_eq!(
        catalog::forget_sessions(&janitor, 100, before).await.unwrap(),
        0,
        "forgotten at the next sign-in"
    );
    assert_eq!(catalog::withdraw_of_deleted(&janitor, before).await.unwrap(), 0);
}

/// How often each address was refused, event by event.
async fn refused(server: &Server, events: usize) -> Vec<(String, u64)> {
    let client = server.database.connect().await;
    let sql = "SELECT host(client_address), detail FROM event WHERE kind = 'rate_limited' AND detail ->> 'limit' = 'address' ORDER BY id";
    // They are written behind the answer.
    for _ in 0..500 {
        let rows = client.query(sql, &[]).await.unwrap();
        if rows.len() >= events {
            let read = rows.iter().map(|row| (row.get(0), row.get::<_, Value>(1)));
            return read
                .map(|(address, detail)| (address, detail["count"].as_u64().unwrap()))
                .collect();
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("fewer than {events} events");
}

#[tokio::test]
async fn what_the_limit_of_addresses_refuses_is_one_event_a_minute_of_each() {
    let server = Server::start(&[("BERTH_RATE_LIMIT", "1"), ("BERTH_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let ask = async |address: &str| {
        let from = format!("X-Forwarded-For: {address}");
        server
            .send("GET", "/v1/session", &[&from, &server.bearer()], b"")
            .await
    };
    assert_eq!(ask("192.0.2.1").await.status, 200);
    for _ in 0..40 {
        let answer = ask("192.0.2.1").await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (429, "too_many_requests")
        );
        assert!(
            answer
                .header("ratelimit")
                .unwrap()
                .starts_with("\"client\";r=0;t=")
        );
    }
    let first = ("192.0.2.1".to_owned(), 1);
    assert_eq!(refused(&server, 1).await, std::slice::from_ref(&first));
    for address in ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2::3"] {
        ask(address).await;
    }
    server.clock.advance(SignedDuration::from_secs(60));
    ask("192.0.2.1").await;
    let network = ("2001:db8:1:2::".to_owned(), 1);
    assert_eq!(
        refused(&server, 3).await,
        [first, network, ("192.0.2.1".to_owned(), 40)]
    );
}
