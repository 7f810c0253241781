//! `Idempotency-Key`.

use std::sync::Arc;

use catalog::Role;
use domain::Scope;
use jiff::SignedDuration;
use serde_json::{Value, json};
use test_kit::pictures;
use tokio::io::AsyncWriteExt as _;

use crate::people::{PASSWORD, code, sign_up};
use crate::server::{Answer, BOUNDARY, Part, Server, form, read_answer};

const KEY: &str = "Idempotency-Key: 8e03978e-40d5-43dd-bc93-6894a57f9324";

async fn upload(server: &Server, headers: &[&str], parts: &[Part<'_>]) -> Answer {
    let bearer = server.bearer();
    let mut all = vec![bearer.as_str()];
    all.extend_from_slice(headers);
    server.post("/v1/images", &all, parts).await
}

async fn number(server: &Server, sql: &str) -> i64 {
    let owner = server.database.connect().await;
    owner.query_one(sql, &[]).await.unwrap().get(0)
}

/// Sends until the answer is not that another try is under way.
async fn insist(server: &Server, parts: &[Part<'_>]) -> Answer {
    loop {
        let answer = upload(server, &[KEY], parts).await;
        if answer.status != 409 {
            return answer;
        }
        assert_eq!(answer.json()["code"], "idempotency_key_in_use");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_answer_and_is_not_done_again() {
    let server = Server::start(&[]).await;
    let png = pictures::png(9, 9, 1);
    let parts = || {
        [
            Part::File("file", "a.png", &png),
            Part::Text("description", "pier"),
        ]
    };
    let first = upload(&server, &[KEY], &parts()).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(first.header("idempotency-replayed"), None);
    server.clock.advance(SignedDuration::from_hours(23));
    let again = upload(&server, &[KEY], &parts()).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("content-type"), first.header("content-type"));
    assert_eq!(again.header("access-control-allow-origin"), Some("*"));
    assert!(
        again
            .header("access-control-expose-headers")
            .unwrap()
            .contains("idempotency-replayed")
    );
    assert_eq!(
        number(&server, "SELECT count(*) FROM event WHERE kind = 'upload'").await,
        1
    );
    server.clock.advance(SignedDuration::from_hours(2));
    let later = upload(&server, &[KEY], &parts()).await;
    assert_eq!(
        (later.status, later.header("idempotency-replayed")),
        (200, None),
        "kept 24 h"
    );
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn another_boundary_is_the_same_request_and_other_bytes_or_another_url_are_not() {
    let server = Server::start(&[]).await;
    let (png, other) = (pictures::png(9, 9, 1), pictures::png(9, 9, 2));
    let first = upload(&server, &[KEY], &[Part::File("file", "a.png", &png)]).await;
    let body =
        String::from_utf8_lossy(&form(&[Part::File("file", "a.png", b"@")])).replace(BOUNDARY, "another");
    let (head, tail) = body.split_once('@').unwrap();
    let body = [head.as_bytes(), &png, tail.as_bytes()].concat();
    let bearer = server.bearer();
    let content_type = "Content-Type: multipart/form-data; boundary=another";
    let again = server
        .send("POST", "/v1/images", &[&bearer, KEY, content_type], &body)
        .await;
    assert_eq!((again.status, again.body), (201, first.body));
    for answer in [
        upload(&server, &[KEY], &[Part::File("file", "a.png", &other)]).await,
        upload(&server, &[KEY], &[Part::File("file", "b.png", &png)]).await,
        server
            .send_json("POST", "/v1/albums", &[&bearer, KEY], &json!({ "name": "x" }))
            .await,
        server
            .send("POST", "/v1/images", &[&bearer, KEY, content_type], b"broken")
            .await,
    ] {
        assert_eq!(answer.status, 422, "{answer:?}");
        assert_eq!(answer.json()["code"], "idempotency_key_reused");
    }
    assert_eq!(number(&server, "SELECT count(*) FROM image").await, 1);
    assert_eq!(number(&server, "SELECT count(*) FROM album").await, 1);
}

#[tokio::test]
async fn twenty_at_once_make_one_image_and_all_get_its_answer() {
    let server = Arc::new(Server::start(&[]).await);
    let png = Arc::new(pictures::png(40, 40, 1));
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (server, png) = (Arc::clone(&server), Arc::clone(&png));
        tries.spawn(async move { insist(&server, &[Part::File("file", "a.png", &png)]).await });
    }
    let answers = tries.join_all().await;
    assert!(
        answers
            .iter()
            .all(|answer| (answer.status, &answer.body) == (201, &answers[0].body))
    );
    let done: Vec<_> = answers
        .iter()
        .filter(|answer| answer.header("idempotency-replayed").is_none())
        .collect();
    assert_eq!(done.len(), 1);
    assert_eq!(
        number(&server, "SELECT count(*) FROM event WHERE kind = 'upload'").await,
        1
    );
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn while_one_is_under_way_another_is_told_to_wait_and_a_claim_whose_holder_died_ends() {
    let server = Server::start(&[]).await;
    let png = pictures::png(9, 9, 1);
    let body = form(&[Part::File("file", "a.png", &png)]);
    let mut slow = server.connect().await;
    let head = format!(
        "POST /v1/images HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n{KEY}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {}\r\n\r\n",
        server.bearer(),
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    while number(&server, "SELECT count(*) FROM idempotency").await == 0 {
        tokio::task::yield_now().await;
    }
    let second = upload(&server, &[KEY], &[Part::File("file", "a.png", &png)]).await;
    assert_eq!(
        (second.status, second.header("retry-after")),
        (409, Some("1")),
        "{second:?}"
    );
    let owner = server.database.connect().await;
    // Nobody renews a claim whose process is gone; this one would be renewed only after 15 s.
    server.clock.advance(SignedDuration::from_secs(61));
    let after = upload(&server, &[KEY], &[Part::File("file", "a.png", &png)]).await;
    assert_eq!(after.status, 201, "{after:?}");
    // The one that was believed dead comes to its end, and changes nothing of what is kept.
    slow.write_all(&body).await.unwrap();
    assert_eq!(read_answer(&mut slow).await.status, 200);
    let again = upload(&server, &[KEY], &[Part::File("file", "a.png", &png)]).await;
    assert_eq!((again.status, again.body), (201, after.body));
    let kept = owner
        .query_one("SELECT count(*) FROM idempotency WHERE answer IS NOT NULL", &[])
        .await
        .unwrap();
    assert_eq!(kept.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn secrets_that_are_shown_once_are_replayed_and_stand_nowhere_in_the_database() {
    let server = Server::start(&[]).await;
    let bearer = server.bearer();
    let wanted = json!({ "name": "PicGo", "scopes": ["upload"] });
    let first = server
        .send_json("POST", "/v1/tokens", &[&bearer, KEY], &wanted)
        .await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = server
        .send_json("POST", "/v1/tokens", &[&bearer, KEY], &wanted)
        .await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    let token = first.json()["token"].as_str().unwrap().to_owned();
    let owner = server.database.connect().await;
    let row = owner
        .query_one("SELECT answer, key_hash FROM idempotency", &[])
        .await
        .unwrap();
    for column in 0..2 {
        let bytes: Vec<u8> = row.get(column);
        for secret in [
            token.as_bytes(),
            &token.as_bytes()[..12],
            KEY.split(' ').nth(1).unwrap().as_bytes(),
        ] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }
    assert_eq!(number(&server, "SELECT count(*) FROM token").await, 2);
}

#[tokio::test]
async fn a_sign_in_is_done_once_for_each_key_and_its_password_is_looked_at_each_time() {
    let server = Server::start(&[]).await;
    sign_up(&server, "dora", Role::Member).await;
    sign_up(&server, "emil", Role::Member).await;
    let login = |name: &str, password: &str, remember: bool| json!({ "username": name, "password": password, "remember": remember });
    let sign_in =
        async |headers: &[&str], login: &Value| server.send_json("POST", "/v1/session", headers, login).await;
    let right = login("dora", PASSWORD, true);
    let first = sign_in(&[KEY], &right).await;
    assert_eq!(
        (first.status, first.header("idempotency-replayed")),
        (200, None),
        "{first:?}"
    );
    let again = sign_in(&[KEY], &right).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert!(first.header("set-cookie").is_some());
    assert_eq!(again.header("set-cookie"), first.header("set-cookie"));
    // A page of another site is given no cookie, by the answer that was kept no more than by the first.
    let foreign = sign_in(&[KEY, "Origin: https://evil.example"], &right).await;
    assert_eq!((foreign.status, foreign.header("set-cookie")), (200, None));
    for (login, status, problem) in [
        (login("dora", PASSWORD, false), 422, "idempotency_key_reused"),
        (login("dora", "not her password", true), 401, "invalid_login"),
    ] {
        let answer = sign_in(&[KEY], &login).await;
        assert_eq!((answer.status, code(&answer).as_str()), (status, problem));
    }
    let bad = sign_in(&["Idempotency-Key: 键"], &right).await;
    assert_eq!(
        (bad.status, code(&bad).as_str()),
        (400, "invalid_idempotency_key")
    );
    assert_eq!(number(&server, "SELECT count(*) FROM session").await, 1);
    let other = sign_in(&[KEY], &login("emil", PASSWORD, true)).await;
    assert_eq!(
        (other.status, other.header("idempotency-replayed")),
        (200, None),
        "a key of his own"
    );
    // The same request under another key leaves no mark that is the same: it is none of the body alone, which holds a password.
    sign_in(&["Idempotency-Key: another"], &right).await;
    assert_eq!(
        number(&server, "SELECT count(DISTINCT fingerprint) FROM idempotency").await,
        3
    );
}

#[tokio::test]
async fn a_key_belongs_to_its_account_and_must_be_printable() {
    let server = Server::start(&[]).await;
    let bearer = server.bearer();
    let other = test_kit::account(&server.database, "bob").await;
    let other = test_kit::token(&server.database, other, &[Scope::Manage]).await;
    let other = format!("Authorization: Bearer {}", other.expose());
    let album = json!({ "name": "Crete" });
    for bearer in [&bearer, &other] {
        let made = server
            .send_json("POST", "/v1/albums", &[bearer, KEY], &album)
            .await;
        assert_eq!(
            (made.status, made.header("idempotency-replayed")),
            (201, None),
            "{made:?}"
        );
    }
    let replayed = server
        .send_json("POST", "/v1/albums", &[&other, KEY], &album)
        .await;
    assert_eq!(
        (replayed.status, replayed.header("idempotency-replayed")),
        (201, Some("true"))
    );
    let taken = server
        .send_json("POST", "/v1/albums", &[&other, "Idempotency-Key: b"], &album)
        .await;
    assert_eq!(
        (taken.status, &taken.json()["code"]),
        (409, &json!("album_name_taken"))
    );
    let taken = server
        .send_json("POST", "/v1/albums", &[&other, "Idempotency-Key: b"], &album)
        .await;
    assert_eq!(
        (taken.status, taken.header("idempotency-replayed")),
        (409, Some("true")),
        "a refusal is an answer"
    );
    for key in [String::new(), "x".repeat(256), "键".to_owned()] {
        let answer = server
            .send_json(
                "POST",
                "/v1/albums",
                &[&bearer, &format!("Idempotency-Key: {key}")],
                &album,
            )
            .await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (400, &json!("invalid_idempotency_key")),
            "{key}"
        );
    }
    let nobody = server.send_json("POST", "/v1/albums", &[KEY], &album).await;
    assert_eq!(nobody.status, 401);
}

#[tokio::test]
async fn what_was_refused_before_its_body_was_read_is_judged_anew() {
    let server = Server::start(&[]).await;
    let png = pictures::png(9, 9, 1);
    let owner = server.database.connect().await;
    owner
        .batch_execute("UPDATE account SET quota_files = 0")
        .await
        .unwrap();
    let full = upload(&server, &[KEY], &[Part::File("file", "a.png", &png)]).await;
    assert_eq!(full.status, 507, "{full:?}");
    owner
        .batch_execute("UPDATE account SET quota_files = NULL")
        .await
        .unwrap();
    let room = upload(&server, &[KEY], &[Part::File("file", "a.png", &png)]).await;
    assert_eq!(room.status, 201, "{room:?}");
    let id = room.json()["images"][0]["id"].as_str().unwrap().to_owned();
    let bearer = server.bearer();
    let bulk = json!({ "ids": [id], "action": "withdraw" });
    let restore = format!("/v1/images/{id}/restore");
    for (path, key, replayed) in [
        ("/v1/images/bulk", "Idempotency-Key: bulk", None),
        (&*restore, "Idempotency-Key: restore", None),
        ("/v1/images/bulk", "Idempotency-Key: bulk", Some("true")),
        (&*restore, "Idempotency-Key: restore", Some("true")),
    ] {
        let answer = if path == restore {
            server.send("POST", path, &[&bearer, key], b"").await
        } else {
            server.send_json("POST", path, &[&bearer, key], &bulk).await
        };
        assert_eq!(
            (answer.status, answer.header("idempotency-replayed")),
            (200, replayed),
            "{path} {answer:?}"
        );
    }
    let image = server.get(&format!("/v1/images/{id}")).await;
    assert_eq!(image.status, 200, "the bulk was not done a second time");
}
