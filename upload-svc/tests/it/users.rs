//! `/v1/users`.

use catalog::Role;
use serde_json::{Value, json};
use test_kit::pictures;

use crate::{
    people::{PASSWORD, code, event_kinds, sign_in, sign_up, try_to_sign_in},
    server::{Part, Server},
};

/// A server with the administrator `root`, and the header that shows their session.
async fn with_root() -> (Server, String, i64) {
    let server = Server::start(&[]).await;
    let root = sign_up(&server, "root", Role::Admin).await;
    let session = sign_in(&server, "root").await;
    (server, session, root)
}

#[tokio::test]
async fn an_administrator_makes_lists_and_describes_accounts() {
    let (server, root, _) = with_root().await;
    let body = json!({ "username": "安娜", "password": PASSWORD, "quota_bytes": 1000, "quota_files": 3 });
    let answer = server.send_json("POST", "/v1/users", &[&root], &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let made = answer.json();
    assert_eq!(
        (&made["username"], &made["role"]),
        (&json!("安娜"), &json!("member"))
    );
    assert_eq!(
        (&made["quota_bytes"], &made["quota_files"]),
        (&json!(1000), &json!(3))
    );
    assert!(made.get("password").is_none(), "{made}");
    let described = server
        .send("GET", &format!("/v1/users/{}", made["id"]), &[&root], b"")
        .await;
    assert_eq!(described.json(), made);
    assert_eq!(try_to_sign_in(&server, "安娜", PASSWORD).await.status, 200);

    let drawn = server
        .send_json("POST", "/v1/users", &[&root], &json!({ "username": "carl" }))
        .await;
    let password = drawn.json()["password"].as_str().unwrap().to_owned();
    assert_eq!(try_to_sign_in(&server, "carl", &password).await.status, 200);

    let page = server
        .send("GET", "/v1/users?limit=3", &[&root], b"")
        .await
        .json();
    let names = |page: &Value| {
        let users = page["users"].as_array().unwrap().iter();
        users
            .map(|user| user["username"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&page), ["ann", "root", "安娜"]);
    let path = format!("/v1/users?limit=3&after={}", page["next"].as_str().unwrap());
    let rest = server.send("GET", &path, &[&root], b"").await.json();
    assert_eq!(
        (names(&rest), &rest["next"]),
        (vec!["carl".to_owned()], &Value::Null)
    );
}

#[tokio::test]
async fn a_bad_account_is_told_what_is_wrong_with_it() {
    let (server, root, _) = with_root().await;
    for (body, status, expected) in [
        (
            json!({ "username": "ANN", "password": PASSWORD }),
            409,
            "username_taken",
        ),
        (
            json!({ "username": "a b", "password": PASSWORD }),
            400,
            "invalid_field",
        ),
        (
            json!({ "username": "#1", "password": PASSWORD }),
            400,
            "invalid_field",
        ),
        (
            json!({ "username": "bob", "password": "short" }),
            400,
            "invalid_field",
        ),
        (json!({ "username": "bob", "role": "king" }), 400, "invalid_field"),
        (
            json!({ "username": "bob", "quota_bytes": -1 }),
            400,
            "invalid_field",
        ),
        (json!({ "password": PASSWORD }), 400, "malformed_body"),
    ] {
        let answer = server.send_json("POST", "/v1/users", &[&root], &body).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (status, expected),
            "{body}"
        );
    }
}

#[tokio::test]
async fn members_and_tokens_without_admin_administer_nothing() {
    let (server, root, id) = with_root().await;
    sign_up(&server, "bob", Role::Member).await;
    let member = sign_in(&server, "bob").await;
    let token = json!({ "scopes": ["upload", "read", "manage"] });
    let token = server
        .send_json("POST", "/v1/tokens", &[&root], &token)
        .await
        .json();
    let narrow = format!("Authorization: Bearer {}", token["token"].as_str().unwrap());
    let path = format!("/v1/users/{id}");
    for (method, path) in [
        ("GET", "/v1/users"),
        ("POST", "/v1/users"),
        ("GET", path.as_str()),
        ("PATCH", &path),
        ("DELETE", &path),
    ] {
        for shown in [&member, &narrow] {
            let answer = server.send(method, path, &[shown], b"").await;
            assert_eq!(
                (answer.status, code(&answer).as_str()),
                (403, "scope_missing"),
                "{method} {path}"
            );
        }
        let answer = server.send(method, path, &[], b"").await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (401, "unauthenticated"),
            "{method} {path}"
        );
    }
    for path in ["/v1/users/0", "/v1/users/x"] {
        let answer = server.send("GET", path, &[&root], b"").await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (404, "user_not_found"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_disabled_account_stops_at_once_and_its_images_stay() {
    let (server, root, _) = with_root().await;
    let png = pictures::png(3, 3, 1);
    let image = server.upload(&[Part::File("file", "a.png", &png)]).await.json();
    sign_up(&server, "bob", Role::Member).await;
    let path = format!("/v1/users/{}", server.account);
    let off = server
        .send_json("PATCH", &path, &[&root], &json!({ "disabled": true }))
        .await;
    assert_eq!((off.status, &off.json()["disabled"]), (200, &json!(true)));
    let refused = server.get("/v1/session").await;
    assert_eq!(
        (refused.status, code(&refused).as_str()),
        (401, "invalid_credential")
    );
    let client = server.database.connect().await;
    let live = client
        .query_one(
            "SELECT count(*) FROM image WHERE public_id = $1 AND ended_at IS NULL",
            &[&image["images"][0]["id"].as_str()],
        )
        .await
        .unwrap();
    assert_eq!(live.get::<_, i64>(0), 1);
    let on = server
        .send_json("PATCH", &path, &[&root], &json!({ "disabled": false }))
        .await;
    assert_eq!((on.status, &on.json()["disabled_at"]), (200, &Value::Null));
    assert_eq!(
        server.get("/v1/session").await.status,
        200,
        "its tokens are good again"
    );
}

#[tokio::test]
async fn role_quota_and_password_are_changed_and_what_is_not_named_stays() {
    let (server, root, _) = with_root().await;
    let bob = sign_up(&server, "bob", Role::Member).await;
    let session = sign_in(&server, "bob").await;
    let path = format!("/v1/users/{bob}");
    for (body, field, expected) in [
        (
            json!({ "quota_bytes": 5, "quota_files": 6 }),
            "quota_bytes",
            json!(5),
        ),
        (json!({ "quota_bytes": null }), "quota_bytes", Value::Null),
        (json!({ "role": "admin" }), "quota_files", json!(6)),
        (json!({}), "role", json!("admin")),
    ] {
        let answer = server.send_json("PATCH", &path, &[&root], &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()[field], expected, "{body}");
    }
    assert_eq!(
        server.send("GET", "/v1/users", &[&session], b"").await.status,
        200,
        "at once"
    );
    let reset = json!({ "password": "a better password" });
    assert_eq!(
        server.send_json("PATCH", &path, &[&root], &reset).await.status,
        200
    );
    assert_eq!(
        server.send("GET", "/v1/session", &[&session], b"").await.status,
        401
    );
    assert_eq!(
        try_to_sign_in(&server, "bob", "a better password").await.status,
        200
    );
    let client = server.database.connect().await;
    let leaked = client
        .query_one(
            "SELECT count(*) FROM event WHERE detail::text LIKE '%better%' OR detail::text LIKE '%argon2%'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(leaked.get::<_, i64>(0), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_administrator_stays_even_when_two_demote_each_other() {
    let (server, root, id) = with_root().await;
    let path = format!("/v1/users/{id}");
    for (method, body) in [
        ("PATCH", json!({ "role": "member" })),
        ("PATCH", json!({ "disabled": true })),
        ("DELETE", json!({})),
    ] {
        let answer = server.send_json(method, &path, &[&root], &body).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (409, "last_admin"),
            "{method} {body}"
        );
    }
    let other = sign_up(&server, "other", Role::Admin).await;
    let theirs = sign_in(&server, "other").await;
    let other = format!("/v1/users/{other}");
    let (demote, disable) = (json!({ "role": "member" }), json!({ "disabled": true }));
    let (by_root, by_other) = ([root.as_str()], [theirs.as_str()]);
    let (first, second) = tokio::join!(
        server.send_json("PATCH", &other, &by_root, &demote),
        server.send_json("PATCH", &path, &by_other, &disable),
    );
    assert!(
        (first.status == 200) != (second.status == 200),
        "{first:?} {second:?}"
    );
    let client = server.database.connect().await;
    let admins = "SELECT count(*) FROM account WHERE role = 'admin' AND disabled_at IS NULL";
    assert_eq!(client.query_one(admins, &[]).await.unwrap().get::<_, i64>(0), 1);
}

#[tokio::test]
async fn deleting_an_account_withdraws_its_images_and_leaves_others_alone() {
    let (server, root, _) = with_root().await;
    let (shared, own) = (pictures::png(3, 3, 1), pictures::png(3, 3, 2));
    for png in [&shared, &own] {
        server.upload(&[Part::File("file", "a.png", png)]).await;
    }
    let theirs = server
        .post("/v1/images", &[&root], &[Part::File("file", "a.png", &shared)])
        .await;
    assert_eq!(theirs.status, 201, "{theirs:?}");
    let path = format!("/v1/users/{}", server.account);
    let gone = server.send("DELETE", &path, &[&root], b"").await;
    assert_eq!(gone.status, 204, "{gone:?}");

    let client = server.database.connect().await;
    let live = client
        .query("SELECT account_id FROM image WHERE ended_at IS NULL", &[])
        .await
        .unwrap();
    assert_eq!(live.len(), 1, "the other's image over the same bytes stays");
    assert_ne!(live[0].get::<_, i64>(0), server.account);
    let blobs = client
        .query("SELECT links, doomed_at IS NULL FROM blob ORDER BY links", &[])
        .await
        .unwrap();
    let blobs: Vec<(i64, bool)> = blobs.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(blobs, [(0, false), (1, true)]);
    let left = client
        .query_one(
            "SELECT username, used_files, used_bytes FROM account WHERE id = $1",
            &[&server.account],
        )
        .await
        .unwrap();
    assert_eq!(left.get::<_, String>(0), format!("#{}", server.account));
    assert_eq!((left.get::<_, i64>(1), left.get::<_, i64>(2)), (0, 0));

    assert_eq!(server.get("/v1/session").await.status, 401, "its token");
    for method in ["GET", "DELETE"] {
        let again = server.send(method, &path, &[&root], b"").await;
        assert_eq!(
            (again.status, code(&again).as_str()),
            (404, "user_not_found"),
            "{method}"
        );
    }
    let anew = json!({ "username": "ann", "password": PASSWORD });
    assert_eq!(
        server
            .send_json("POST", "/v1/users", &[&root], &anew)
            .await
            .status,
        201,
        "the name is free"
    );
    assert!(event_kinds(&server).await.contains(&"account_deleted".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_upload_slips_into_an_account_that_is_being_deleted() {
    let (server, root, _) = with_root().await;
    let path = format!("/v1/users/{}", server.account);
    let bearer = server.bearer();
    let uploads = (0..12).map(|seed| {
        let (server, bearer) = (&server, &bearer);
        async move {
            let png = pictures::png(3, 3, seed);
            server
                .post("/v1/images", &[bearer], &[Part::File("file", "a.png", &png)])
                .await
                .status
        }
    });
    let by_root = [root.as_str()];
    let delete = server.send("DELETE", &path, &by_root, b"");
    let (statuses, gone) = tokio::join!(futures_util::future::join_all(uploads), delete);
    assert_eq!(gone.status, 204, "{gone:?}");
    assert!(
        statuses.iter().all(|status| [201, 401, 503].contains(status)),
        "{statuses:?}"
    );
    let client = server.database.connect().await;
    let row = client
        .query_one(
            "SELECT (SELECT count(*) FROM image WHERE account_id = $1 AND ended_at IS NULL), used_files, used_bytes FROM account WHERE id = $1",
            &[&server.account],
        )
        .await
        .unwrap();
    let left: (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    assert_eq!(left, (0, 0, 0), "{statuses:?}");
}

#[tokio::test]
async fn an_account_that_somebody_changed_meanwhile_is_neither_changed_nor_deleted() {
    let (server, root, _) = with_root().await;
    let made = server
        .send_json("POST", "/v1/users", &[&root], &json!({ "username": "carl" }))
        .await;
    let path = format!("/v1/users/{}", made.json()["id"]);
    let before = made.header("etag").unwrap().to_owned();
    let shown = server.send("GET", &path, &[&root], b"").await;
    assert_eq!(shown.header("etag"), Some(before.as_str()));
    let change = async |tag: &str, files: u64| {
        let headers = [root.as_str(), &format!("If-Match: {tag}")];
        server
            .send_json("PATCH", &path, &headers, &json!({ "quota_files": files }))
            .await
    };
    let delete = async |tag: &str| {
        let headers = [root.as_str(), &format!("If-Match: {tag}")];
        server.send("DELETE", &path, &headers, b"").await
    };
    let changed = change(&before, 7).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    for refused in [change(&before, 8).await, delete(&before).await] {
        assert_eq!(
            (refused.status, code(&refused).as_str()),
            (412, "precondition_failed")
        );
    }
    assert_eq!(changed.json()["quota_files"], 7);
    assert_eq!(delete(changed.header("etag").unwrap()).await.status, 204);
}
