//! `/v1/tokens`.

use catalog::Role;
use domain::Scope;
use jiff::SignedDuration;
use serde_json::{Value, json};
use test_kit::pictures;

use crate::{
    people::{code, event_kinds, sign_in, sign_up},
    server::{Answer, Part, Server},
};

async fn make(server: &Server, shown: &str, body: &Value) -> Answer {
    server.send_json("POST", "/v1/tokens", &[shown], body).await
}

/// The header that shows the token of this answer.
fn bearer(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{answer:?}");
    format!(
        "Authorization: Bearer {}",
        answer.json()["token"].as_str().unwrap()
    )
}

#[tokio::test]
async fn a_token_is_shown_once_and_listed_by_how_it_begins() {
    let server = Server::start(&[]).await;
    sign_up(&server, "bob", Role::Member).await;
    let session = sign_in(&server, "bob").await;
    let body = json!({ "name": "PicGo", "scopes": ["upload"], "expires_in": "7d", "rate_per_minute": 60 });
    let answer = make(&server, &session, &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let made = answer.json();
    let text = made["token"].as_str().unwrap();
    assert!(text.starts_with("berth_") && text.starts_with(made["hint"].as_str().unwrap()));
    assert_eq!(made["expires_at"], "2026-11-28T00:00:00Z");
    assert_eq!(made["rate_per_minute"], 60);
    let png = pictures::png(3, 3, 1);
    let shown = bearer(&answer);
    let upload = server
        .post("/v1/images", &[&shown], &[Part::File("file", "a.png", &png)])
        .await;
    assert_eq!(upload.status, 201, "{upload:?}");
    let list = server.send("GET", "/v1/tokens", &[&session], b"").await;
    assert!(!list.body.contains(text), "{list:?}");
    let listed = &list.json()["tokens"][0];
    assert_eq!((&listed["id"], &listed["name"]), (&made["id"], &json!("PicGo")));
    assert_eq!(listed["last_used_at"], "2026-11-21T00:00:00Z");
    assert!(listed.get("token").is_none());
    assert_eq!(list.json()["next"], Value::Null);
    server.clock.advance(SignedDuration::from_hours(24 * 7));
    let late = server.send("GET", "/v1/session", &[&shown], b"").await;
    assert_eq!((late.status, code(&late).as_str()), (401, "invalid_credential"));
}

#[tokio::test]
async fn a_revoked_token_stops_at_once_with_all_that_it_made() {
    let server = Server::start(&[]).await;
    sign_up(&server, "bob", Role::Member).await;
    let session = sign_in(&server, "bob").await;
    let parent = make(&server, &session, &json!({ "scopes": ["upload", "manage"] })).await;
    let child = make(&server, &bearer(&parent), &json!({ "scopes": ["manage"] })).await;
    let grandchild = make(&server, &bearer(&child), &json!({ "scopes": ["manage"] })).await;
    let other = make(&server, &session, &json!({ "scopes": ["upload"] })).await;
    let path = format!("/v1/tokens/{}", parent.json()["id"]);
    let revoked = server.send("DELETE", &path, &[&session], b"").await;
    assert_eq!(revoked.status, 204, "{revoked:?}");
    for (answer, status) in [(&parent, 401), (&child, 401), (&grandchild, 401), (&other, 200)] {
        let me = server.send("GET", "/v1/session", &[&bearer(answer)], b"").await;
        assert_eq!(me.status, status, "{me:?}");
    }
    let again = server.send("DELETE", &path, &[&session], b"").await;
    assert_eq!((again.status, code(&again).as_str()), (404, "token_not_found"));
    let kinds = event_kinds(&server).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "token_created").count(), 4);
    assert_eq!(kinds.last().unwrap(), "token_revoked");
}

#[tokio::test]
async fn nobody_sees_or_revokes_anothers_tokens() {
    let server = Server::start(&[]).await;
    sign_up(&server, "bob", Role::Member).await;
    let session = sign_in(&server, "bob").await;
    let list = server.send("GET", "/v1/tokens", &[&session], b"").await;
    assert_eq!(list.json()["tokens"], json!([]), "ann's token is not bob's");
    let anns = server.get("/v1/tokens").await.json()["tokens"][0]["id"].to_string();
    for id in [anns.as_str(), "0", "x", "99999999999999999999"] {
        let answer = server
            .send("DELETE", &format!("/v1/tokens/{id}"), &[&session], b"")
            .await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (404, "token_not_found"),
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_token_is_never_wider_than_who_makes_it() {
    let server = Server::start(&[]).await;
    let bob = sign_up(&server, "bob", Role::Member).await;
    sign_up(&server, "root", Role::Admin).await;
    let (member, admin) = (sign_in(&server, "bob").await, sign_in(&server, "root").await);
    let client = server.database.connect().await;
    let row = client
        .query_one("SELECT id FROM album WHERE account_id = $1", &[&bob])
        .await
        .unwrap();
    let album: i64 = row.get(0);
    let bound =
        json!({ "scopes": ["upload", "manage"], "album": album, "expires_in": 3600, "rate_per_minute": 100 });
    let bound = bearer(&make(&server, &member, &bound).await);
    let read_only = test_kit::token(&server.database, bob, &[Scope::Read]).await;
    let read_only = format!("Authorization: Bearer {}", read_only.expose());
    for (shown, body, status, expected) in [
        (&member, json!({ "scopes": ["admin"] }), 403, "grant_too_wide"),
        (&admin, json!({ "scopes": ["admin"] }), 201, ""),
        (&bound, json!({ "scopes": ["read"] }), 403, "grant_too_wide"),
        (
            &bound,
            json!({ "scopes": ["upload"], "expires_in": "2h" }),
            403,
            "grant_too_wide",
        ),
        (
            &bound,
            json!({ "scopes": ["upload"], "rate_per_minute": 101 }),
            403,
            "grant_too_wide",
        ),
        (
            &bound,
            json!({ "scopes": ["upload"], "album": album + 1 }),
            403,
            "grant_too_wide",
        ),
        (&bound, json!({ "scopes": ["upload"] }), 201, ""),
        (&read_only, json!({ "scopes": ["read"] }), 403, "scope_missing"),
        (&member, json!({ "scopes": [] }), 400, "invalid_field"),
        (&member, json!({ "scopes": ["fly"] }), 400, "invalid_field"),
        (
            &member,
            json!({ "scopes": ["read"], "album": 0 }),
            400,
            "invalid_field",
        ),
        (
            &member,
            json!({ "scopes": ["read"], "expires_in": "soon" }),
            400,
            "invalid_field",
        ),
        (
            &member,
            json!({ "scopes": ["read"], "rate_per_minute": 0 }),
            400,
            "invalid_field",
        ),
        (
            &member,
            json!({ "scopes": ["read"], "name": "a\u{0}b" }),
            400,
            "invalid_field",
        ),
        (&member, json!({}), 400, "malformed_body"),
    ] {
        let answer = make(&server, shown, &body).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        if status == 201 {
            let made = answer.json();
            if shown == &bound {
                assert_eq!(
                    (&made["album"], &made["rate_per_minute"]),
                    (&json!(album), &json!(100))
                );
                assert_eq!(
                    made["expires_at"], "2026-11-21T01:00:00Z",
                    "its maker's bounds are its own"
                );
            }
        } else {
            assert_eq!(code(&answer), expected, "{body}");
        }
    }
}

#[tokio::test]
async fn a_token_of_an_administrator_loses_admin_with_the_role() {
    let server = Server::start(&[]).await;
    let root = sign_up(&server, "root", Role::Admin).await;
    let session = sign_in(&server, "root").await;
    let token = bearer(&make(&server, &session, &json!({ "scopes": ["admin", "read"] })).await);
    let client = server.database.connect().await;
    client
        .execute("UPDATE account SET role = 'member' WHERE id = $1", &[&root])
        .await
        .unwrap();
    let me = server.send("GET", "/v1/session", &[&token], b"").await;
    assert_eq!(me.json()["scopes"], json!(["read"]));
}

#[tokio::test]
async fn a_token_is_held_to_its_rate() {
    let server = Server::start(&[]).await;
    sign_up(&server, "bob", Role::Member).await;
    let session = sign_in(&server, "bob").await;
    let token = bearer(
        &make(
            &server,
            &session,
            &json!({ "scopes": ["read"], "rate_per_minute": 2 }),
        )
        .await,
    );
    for status in [200, 200, 429] {
        let answer = server.send("GET", "/v1/session", &[&token], b"").await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status == 429 {
            assert_eq!(code(&answer), "token_rate_exceeded");
            assert_eq!(answer.header("retry-after"), Some("30"), "{answer:?}");
        }
    }
    server.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(
        server.send("GET", "/v1/session", &[&token], b"").await.status,
        200
    );
    assert_eq!(
        server.send("GET", "/v1/session", &[&session], b"").await.status,
        200
    );
}

#[tokio::test]
async fn a_long_list_of_tokens_is_read_page_by_page() {
    let server = Server::start(&[]).await;
    for _ in 0..4 {
        test_kit::token(&server.database, server.account, &[Scope::Read]).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/tokens?limit=2".to_owned());
    loop {
        let page = server.get(&path).await.json();
        let ids = page["tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(|token| token["id"].as_i64().unwrap());
        seen.extend(ids);
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/tokens?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
}

#[tokio::test]
async fn a_token_that_is_bound_to_an_album_uploads_to_no_other() {
    let server = Server::start(&[]).await;
    let bob = sign_up(&server, "bob", Role::Member).await;
    let session = sign_in(&server, "bob").await;
    let client = server.database.connect().await;
    let make_album = "INSERT INTO album (account_id, name, created_at, updated_at) VALUES ($1, 'blog', now(), now()) RETURNING id";
    let album: i64 = client.query_one(make_album, &[&bob]).await.unwrap().get(0);
    let token = json!({ "scopes": ["upload"], "album": album });
    let shown = bearer(&make(&server, &session, &token).await);
    for (seed, (asked, status)) in [
        ("", 201),
        (album.to_string().as_str(), 201),
        ((album - 1).to_string().as_str(), 403),
    ]
    .into_iter()
    .enumerate()
    {
        let png = pictures::png(3, 3, seed as u64);
        let parts = [Part::File("file", "a.png", &png), Part::Text("album", asked)];
        let answer = server.post("/v1/images", &[&shown], &parts).await;
        assert_eq!(answer.status, status, "{asked:?}: {answer:?}");
        if status == 201 {
            assert_eq!(answer.json()["images"][0]["album"], album);
        } else {
            assert_eq!(code(&answer), "album_not_allowed");
        }
    }
}

#[tokio::test]
async fn an_account_is_held_to_its_rate_over_all_that_it_shows() {
    let server = Server::start(&[("BERTH_ACCOUNT_RATE_LIMIT", "4")]).await;
    let bob = sign_up(&server, "bob", Role::Member).await;
    sign_up(&server, "eve", Role::Member).await;
    let (session, other) = (sign_in(&server, "bob").await, sign_in(&server, "eve").await);
    let token = bearer(
        &make(
            &server,
            &session,
            &json!({ "scopes": ["read"], "rate_per_minute": 9 }),
        )
        .await,
    );
    let child = test_kit::token(&server.database, bob, &[Scope::Read]).await;
    let child = format!("Authorization: Bearer {}", child.expose());
    for (shown, status, state) in [
        (&token, 200, "\"token\";r=8;t=7, \"account\";r=2;t=30"),
        (&child, 200, "\"account\";r=1;t=45"),
        (&session, 200, "\"account\";r=0;t=60"),
        (&child, 429, "\"account\";r=0;t=15"),
        (&token, 429, "\"token\";r=7;t=14, \"account\";r=0;t=15"),
        (&other, 200, "\"account\";r=3;t=15"),
    ] {
        let answer = server.send("GET", "/v1/session", &[shown], b"").await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("ratelimit"), Some(state), "{answer:?}");
        if status == 429 {
            assert_eq!(code(&answer), "account_rate_exceeded");
            assert_eq!(
                (answer.header("retry-after"), &answer.json()["per_minute"]),
                (Some("15"), &json!(4))
            );
        }
    }
    let policy = server.send("GET", "/v1/session", &[&token], b"").await;
    assert_eq!(
        policy.header("ratelimit-policy"),
        Some("\"token\";q=9;w=60, \"account\";q=4;w=60")
    );
    server.clock.advance(SignedDuration::from_secs(15));
    assert_eq!(
        server.send("GET", "/v1/session", &[&child], b"").await.status,
        200
    );
    let client = server.database.connect().await;
    let written =
        "SELECT account_id FROM event WHERE kind = 'rate_limited' AND detail ->> 'limit' = 'account'";
    let written = client.query(written, &[]).await.unwrap();
    assert_eq!(
        written.iter().map(|row| row.get::<_, i64>(0)).collect::<Vec<_>>(),
        [bob]
    );
}
