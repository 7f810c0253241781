//! `/v1/session` and `/v1/account`.

use catalog::Role;
use domain::Scope;
use jiff::SignedDuration;
use serde_json::json;
use test_kit::{TestDatabase, pictures};

use crate::{
    people::{PASSWORD, code, event_kinds, sign_in, sign_up, try_to_sign_in},
    server::{Part, Server},
};

const OLD_SECRET: &str = "0123456789abcdef0123456789abcdef";
const NEW_SECRET: &str = "fedcba9876543210fedcba9876543210";

/// The value of the cookie that an answer sets.
fn cookie(answer: &crate::server::Answer) -> String {
    let set = answer
        .header("set-cookie")
        .unwrap_or_else(|| panic!("{answer:?}"));
    format!("Cookie: {}", set.split(';').next().unwrap())
}

#[tokio::test]
async fn who_signs_in_is_known_by_bearer_and_by_cookie_until_they_sign_out() {
    let server = Server::start(&[]).await;
    let bob = sign_up(&server, "bob", Role::Member).await;
    let answer = try_to_sign_in(&server, "BOB", PASSWORD).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let session = answer.json();
    assert_eq!(
        session["account"],
        json!({ "id": bob, "username": "bob", "role": "member" })
    );
    assert_eq!(
        session["expires_at"], "2026-11-21T12:00:00Z",
        "12 hours by default"
    );
    let set = answer.header("set-cookie").unwrap();
    for attribute in [
        "berth_session=",
        "; HttpOnly",
        "; SameSite=Lax",
        "; Path=/",
        "; Secure",
    ] {
        assert!(set.contains(attribute), "{attribute}: {set}");
    }
    assert!(!set.contains("Max-Age"), "it goes with the browser: {set}");
    let (bearer, cookie) = (
        format!("Authorization: Bearer {}", session["token"].as_str().unwrap()),
        cookie(&answer),
    );
    for shown in [&bearer, &cookie] {
        let me = server.send("GET", "/v1/session", &[shown], b"").await;
        assert_eq!(me.status, 200, "{me:?}");
        assert_eq!(me.json()["account"]["username"], "bob");
        assert_eq!(me.json()["scopes"], json!(["upload", "read", "manage"]));
        let account = server.send("GET", "/v1/account", &[shown], b"").await;
        assert_eq!(account.json()["used_files"], 0, "{account:?}");
    }
    let out = server.send("DELETE", "/v1/session", &[&bearer], b"").await;
    assert_eq!(out.status, 204, "{out:?}");
    assert!(
        out.header("set-cookie").unwrap().contains("berth_session=; "),
        "{out:?}"
    );
    for shown in [&bearer, &cookie] {
        let me = server.send("GET", "/v1/session", &[shown], b"").await;
        assert_eq!(
            (me.status, code(&me).as_str()),
            (401, "invalid_credential"),
            "{shown}"
        );
    }
    // A page that has just been opened asks whether anybody is there, and nobody is no error.
    for shown in [&[][..], &[bearer.as_str()], &[cookie.as_str()]] {
        let me = server.send("GET", "/v1/session?optional=true", shown, b"").await;
        assert_eq!((me.status, me.body.len()), (204, 0), "{shown:?}");
    }
    let me = server.send("GET", "/v1/session?optional=1", &[], b"").await;
    assert_eq!(me.status, 401, "only the very word");
    assert_eq!(event_kinds(&server).await, ["sign_in", "sign_out"]);
}

#[tokio::test]
async fn a_session_uploads_wherever_a_token_does() {
    let server = Server::start(&[]).await;
    sign_up(&server, "bob", Role::Member).await;
    let bearer = sign_in(&server, "bob").await;
    let token = bearer.rsplit(' ').next().unwrap();
    let header = format!("token: {token}");
    for (seed, (path, headers)) in [
        ("/v1/images".to_owned(), vec![bearer.as_str()]),
        (format!("/v1/images?key={token}"), vec![]),
        ("/api/v1/upimg".to_owned(), vec![header.as_str()]),
    ]
    .into_iter()
    .enumerate()
    {
        let png = pictures::png(3, 3, seed as u64);
        let answer = server
            .post(&path, &headers, &[Part::File("file", "a.png", &png)])
            .await;
        assert!(matches!(answer.status, 200 | 201), "{path}: {answer:?}");
        assert!(!answer.body.contains("\"status\":1"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_form_signs_in_too_and_remember_me_lasts_thirty_days() {
    let server = Server::start(&[("BERTH_BASE_URL", "http://img.example")]).await;
    sign_up(&server, "bob", Role::Member).await;
    let form = "username=bob&password=correct+horse+battery&remember=on";
    let headers = ["Content-Type: application/x-www-form-urlencoded"];
    let answer = server
        .send("POST", "/v1/session", &headers, form.as_bytes())
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["expires_at"], "2026-12-21T00:00:00Z");
    let set = answer.header("set-cookie").unwrap();
    assert!(
        set.ends_with("; Max-Age=2592000") && !set.contains("Secure"),
        "{set}"
    );
    server.clock.advance(SignedDuration::from_hours(24 * 30 - 1));
    let cookie = cookie(&answer);
    assert_eq!(
        server.send("GET", "/v1/session", &[&cookie], b"").await.status,
        200
    );
    server.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(
        server.send("GET", "/v1/session", &[&cookie], b"").await.status,
        401
    );
}

#[tokio::test]
async fn a_wrong_password_an_unknown_name_and_a_disabled_account_answer_alike() {
    let server = Server::start(&[]).await;
    sign_up(&server, "bob", Role::Member).await;
    sign_up(&server, "eve", Role::Member).await;
    let client = server.database.connect().await;
    client
        .execute(
            "UPDATE account SET disabled_at = now() WHERE username = 'eve'",
            &[],
        )
        .await
        .unwrap();
    let mut bodies = std::collections::BTreeSet::new();
    for (name, password) in [
        ("bob", "wrong horse battery"),
        ("nobody", PASSWORD),
        ("no name at all", PASSWORD),
        ("", ""),
        ("b\0b", PASSWORD),
        ("eve", PASSWORD),
    ] {
        let answer = try_to_sign_in(&server, name, password).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (401, "invalid_login"),
            "{name}"
        );
        assert!(answer.header("set-cookie").is_none(), "{answer:?}");
        bodies.insert(answer.body);
    }
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let rows = client
        .query(
            "SELECT subject, host(client_address) FROM event WHERE kind = 'sign_in_failed' ORDER BY id",
            &[],
        )
        .await
        .unwrap();
    let subjects: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        subjects,
        ["bob", "", "", "", "", "eve"],
        "what is no name may be a password"
    );
    assert_eq!(rows[0].get::<_, &str>(1), "127.0.0.1");
}

#[tokio::test]
async fn passwords_are_not_hashed_for_who_tries_too_often() {
    let server = Server::start(&[
        ("BERTH_SIGN_IN_PER_ACCOUNT", "2"),
        ("BERTH_SIGN_IN_PER_ADDRESS", "4"),
    ])
    .await;
    sign_up(&server, "bob", Role::Member).await;
    for (name, status) in [
        ("bob", 401),
        ("BOB", 401),
        ("bob", 429),
        ("nobody", 401),
        ("other", 429),
    ] {
        let answer = try_to_sign_in(&server, name, "wrong horse battery").await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        if status == 429 {
            assert_eq!(code(&answer), "sign_in_throttled");
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
        }
    }
    server.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(try_to_sign_in(&server, "bob", PASSWORD).await.status, 200);
    let kinds = event_kinds(&server).await;
    let refusals = kinds.iter().filter(|kind| *kind == "rate_limited").count();
    assert_eq!(refusals, 1, "refusals are added up: {kinds:?}");
}

#[tokio::test]
async fn a_change_with_the_cookie_must_come_from_our_own_page() {
    let server = Server::start(&[]).await;
    sign_up(&server, "bob", Role::Member).await;
    let cookie = cookie(&try_to_sign_in(&server, "bob", PASSWORD).await);
    for (seed, (header, status)) in [
        ("Accept: */*", 403),
        ("Origin: https://evil.example", 403),
        ("Origin: null", 403),
        ("Sec-Fetch-Site: cross-site", 403),
        ("Sec-Fetch-Site: none", 403),
        ("Origin: https://img.example", 201),
        ("Sec-Fetch-Site: same-origin", 201),
    ]
    .into_iter()
    .enumerate()
    {
        let png = pictures::png(3, 3, seed as u64);
        let answer = server
            .post(
                "/v1/images",
                &[&cookie, header],
                &[Part::File("file", "a.png", &png)],
            )
            .await;
        assert_eq!(answer.status, status, "{header}: {answer:?}");
        if status == 403 {
            assert_eq!(code(&answer), "cross_site_request");
        }
    }
    let bearer = server.bearer();
    let png = pictures::png(3, 3, 99);
    let headers = [cookie.as_str(), bearer.as_str(), "Origin: https://blog.example"];
    let answer = server
        .post("/v1/images", &headers, &[Part::File("file", "a.png", &png)])
        .await;
    assert_eq!(
        answer.status, 201,
        "who shows a token needs no origin: {answer:?}"
    );
}

#[tokio::test]
async fn a_page_of_another_site_gets_no_cookie() {
    let server = Server::start(&[]).await;
    sign_up(&server, "bob", Role::Member).await;
    let login = json!({ "username": "bob", "password": PASSWORD });
    let origin = ["Origin: https://editor.example"];
    let answer = server.send_json("POST", "/v1/session", &origin, &login).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.header("set-cookie").is_none(), "{answer:?}");
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_every_other_session() {
    let server = Server::start(&[]).await;
    sign_up(&server, "bob", Role::Member).await;
    let (here, there) = (sign_in(&server, "bob").await, sign_in(&server, "bob").await);
    let path = "/v1/account/password";
    for (old, new, status, expected) in [
        ("wrong horse battery", "a better password", 403, "wrong_password"),
        (PASSWORD, "too short", 400, "invalid_field"),
    ] {
        let body = json!({ "old_password": old, "new_password": new });
        let answer = server.send_json("PUT", path, &[&here], &body).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (status, expected),
            "{answer:?}"
        );
    }
    let body = json!({ "old_password": PASSWORD, "new_password": "a better password" });
    let answer = server.send_json("PUT", path, &[&here], &body).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(server.send("GET", "/v1/session", &[&here], b"").await.status, 200);
    assert_eq!(
        server.send("GET", "/v1/session", &[&there], b"").await.status,
        401
    );
    assert_eq!(try_to_sign_in(&server, "bob", PASSWORD).await.status, 401);
    assert_eq!(
        try_to_sign_in(&server, "bob", "a better password").await.status,
        200
    );
}

#[tokio::test]
async fn disabling_an_account_ends_its_sessions_at_once() {
    let server = Server::start(&[]).await;
    let bob = sign_up(&server, "bob", Role::Member).await;
    let bearer = sign_in(&server, "bob").await;
    let client = server.database.connect().await;
    client
        .execute("UPDATE account SET disabled_at = now() WHERE id = $1", &[&bob])
        .await
        .unwrap();
    assert_eq!(
        server.send("GET", "/v1/session", &[&bearer], b"").await.status,
        401
    );
}

#[tokio::test]
async fn a_token_is_no_session_to_sign_out_of() {
    let server = Server::start(&[]).await;
    let answer = server
        .send("DELETE", "/v1/session", &[&server.bearer()], b"")
        .await;
    assert_eq!((answer.status, code(&answer).as_str()), (400, "not_a_session"));
    let me = server.get("/v1/session").await;
    assert_eq!((me.status, &me.json()["kind"]), (200, &json!("token")));
    let upload_only = test_kit::token(&server.database, server.account, &[Scope::Upload]).await;
    let header = format!("Authorization: Bearer {}", upload_only.expose());
    assert_eq!(
        server.send("GET", "/v1/account", &[&header], b"").await.status,
        403
    );
}

#[tokio::test]
async fn a_changed_secret_signs_nobody_out_while_the_old_one_is_named() {
    let before = Server::start(&[("BERTH_SECRET", OLD_SECRET)]).await;
    sign_up(&before, "bob", Role::Member).await;
    let bearer = sign_in(&before, "bob").await;
    let client = before.database.connect().await;
    let row = client
        .query_one("SELECT encode(jti, 'hex'), account_id FROM session", &[])
        .await
        .unwrap();
    let (jti, account): (String, i64) = (row.get(0), row.get(1));
    for (settings, status) in [
        (
            vec![
                ("BERTH_SECRET", NEW_SECRET),
                ("BERTH_SECRET_PREVIOUS", OLD_SECRET),
            ],
            200,
        ),
        (vec![("BERTH_SECRET", NEW_SECRET)], 401),
    ] {
        let after = Server::start_on(TestDatabase::create().await, &settings).await;
        let bob = sign_up(&after, "bob", Role::Member).await;
        assert!(account > 0 && bob > 0);
        let client = after.database.connect().await;
        let open = "INSERT INTO session (account_id, jti, created_at, expires_at) VALUES ($1, decode($2, 'hex'), '2026-11-21', '2026-11-22')";
        client.execute(open, &[&bob, &jti]).await.unwrap();
        let answer = after.send("GET", "/v1/session", &[&bearer], b"").await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_told_so() {
    let server = Server::start(&[]).await;
    for body in [
        "{",
        "[]",
        "{}",
        r#"{"username":1,"password":"x"}"#,
        r#"{"username":"a","password":"b","remember":7}"#,
    ] {
        let answer = server
            .send(
                "POST",
                "/v1/session",
                &["Content-Type: application/json"],
                body.as_bytes(),
            )
            .await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (400, "malformed_body"),
            "{body}"
        );
    }
    let endless = vec![b' '; 300 << 10];
    let answer = server.send("POST", "/v1/session", &[], &endless).await;
    assert_eq!(answer.status, 413, "{answer:?}");
}
