//! `/v1/policy`, policies of albums and images, and signed links.

use catalog::Role;
use domain::Scope;
use serde_json::{Value, json};

use crate::{
    people::sign_up,
    pictures::{assert_problem, send, upload, upload_id},
    server::{Answer, Part, Server},
};

/// A server, and the credential of an administrator of it.
async fn start() -> (Server, String) {
    let server = Server::start(&[
        ("BERTH_HOTLINK_ALLOW", "blog.example"),
        ("BERTH_EXPIRE_DAYS", "30"),
    ])
    .await;
    let root = sign_up(&server, "root", Role::Admin).await;
    let admin = test_kit::token(&server.database, root, &[Scope::Admin, Scope::Read]).await;
    let admin = format!("Authorization: Bearer {}", admin.expose());
    (server, admin)
}

async fn put(server: &Server, headers: &[&str], policy: Value) -> Answer {
    server
        .send_json("PUT", "/v1/policy", headers, &json!({ "policy": policy }))
        .await
}

#[tokio::test]
async fn the_sites_policy_is_read_set_and_written_down() {
    let (server, admin) = start().await;
    let first = server.send("GET", "/v1/policy", &[&admin], b"").await;
    assert_eq!((first.status, &first.json()["policy"]), (200, &json!({})));
    let effective = &first.json()["effective"];
    assert_eq!(
        effective["hotlink"]["allow"],
        json!({ "value": ["blog.example"], "level": "settings" })
    );
    assert_eq!(effective["expiry"]["default_seconds"], 30 * 86_400);
    let tag = format!("If-Match: {}", first.header("etag").unwrap());

    let policy = json!({
        "hotlink": { "allow": ["中文.example", "*.friends.example"], "refusal": "bare" },
        "expiry": { "longest": "90d" },
        "visibility": "unlisted",
    });
    let set = put(&server, &[&admin, &tag], policy.clone()).await;
    assert_eq!(set.status, 200, "{set:?}");
    let told = set.json();
    assert_eq!(told["policy"]["hotlink"]["allow"][0], "xn--fiq228c.example");
    assert_eq!(
        told["effective"]["hotlink"]["refusal"],
        json!({ "value": "bare", "level": "site" })
    );
    assert_ne!(set.header("etag"), first.header("etag"));
    assert_problem(
        &put(&server, &[&admin, &tag], json!({})).await,
        412,
        "precondition_failed",
    );

    let events = server
        .send("GET", "/v1/events?kind=policy", &[&admin], b"")
        .await
        .json();
    assert_eq!(events["events"][0]["subject"], "site");
    assert_eq!(events["events"][0]["detail"]["to"]["visibility"], "unlisted");
    let image = upload(&server, 1, &[]).await;
    assert_eq!(
        (&image["visibility"], &image["expires_at"]),
        (&json!("unlisted"), &json!("2026-12-21T00:00:00Z"))
    );
}

#[tokio::test]
async fn only_administrators_set_it_and_nothing_that_is_wrong() {
    let (server, admin) = start().await;
    for (headers, code) in [
        (vec![server.bearer()], "scope_missing"),
        (vec![], "unauthenticated"),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        assert_eq!(put(&server, &headers, json!({})).await.json()["code"], code);
        let read = server.send("GET", "/v1/policy", &headers, b"").await;
        assert_eq!(read.json()["code"], code);
    }
    for (policy, said) in [
        (json!(null), "is an object"),
        (json!([]), "are objects"),
        (json!({ "hotlinks": {} }), "unknown field `hotlinks`"),
        (
            json!({ "hotlink": { "allow": ["https://blog.example/"] } }),
            "write the host alone",
        ),
        (
            json!({ "hotlink": { "refusal": { "redirect": "javascript:1" } } }),
            "http(s) URL",
        ),
        (
            json!({ "expiry": { "default": "9d", "longest": "7d" } }),
            "longer than",
        ),
        (json!({ "hotlink": { "allow": ["x".repeat(20_000)] } }), "16 KiB"),
    ] {
        let answer = put(&server, &[&admin], policy).await;
        assert_problem(&answer, 400, "invalid_field");
        assert!(
            answer.json()["detail"].as_str().unwrap().contains(said),
            "{answer:?}"
        );
    }
    let id = upload_id(&server, 1, &[]).await;
    let path = format!("/v1/images/{id}");
    for (policy, status) in [
        (json!({ "hotlink": { "allow": ["a.example"] } }), 200),
        (json!({ "hotlink": { "allow": "a.example" } }), 400),
        (json!({ "visibility": "public" }), 400),
        (json!(null), 200),
    ] {
        let answer = send(&server, "PATCH", &path, &json!({ "policy": policy })).await;
        assert_eq!(answer.status, status, "{policy} {answer:?}");
    }
}

#[tokio::test]
async fn an_album_says_how_long_its_images_live_and_who_sees_them() {
    let (server, admin) = start().await;
    assert_eq!(
        put(&server, &[&admin], json!({ "expiry": { "longest": "90d" } }))
            .await
            .status,
        200
    );
    let policy = json!({ "expiry": { "default": "7d", "longest": "10d" }, "visibility": "private" });
    let album = send(
        &server,
        "POST",
        "/v1/albums",
        &json!({ "name": "drafts", "policy": policy }),
    )
    .await;
    assert_eq!(album.status, 201, "{album:?}");
    let album = album.json()["id"].to_string();
    let image = upload(&server, 1, &[("album", &album)]).await;
    assert_eq!(
        (&image["visibility"], &image["expires_at"]),
        (&json!("private"), &json!("2026-11-28T00:00:00Z"))
    );
    let open = upload(
        &server,
        2,
        &[("album", &album), ("visibility", "public"), ("expires_in", "10d")],
    )
    .await;
    assert_eq!(
        (&open["visibility"], &open["expires_at"]),
        (&json!("public"), &json!("2026-12-01T00:00:00Z"))
    );
    let png = test_kit::pictures::png(3, 3, 3);
    for lifetime in ["11d", "0"] {
        let parts = [
            Part::File("file", "3.png", &png),
            Part::Text("album", &album),
            Part::Text("expires_in", lifetime),
        ];
        assert_problem(&server.upload(&parts).await, 400, "invalid_field");
    }
    let path = format!("/v1/images/{}", image["id"].as_str().unwrap());
    for (until, status) in [
        (json!("2026-12-01T00:00:00Z"), 200),
        (json!("2026-12-02T00:00:00Z"), 400),
        (json!(null), 400),
    ] {
        let answer = send(&server, "PATCH", &path, &json!({ "expires_at": until })).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    send(
        &server,
        "PATCH",
        &format!("/v1/albums/{album}"),
        &json!({ "policy": null }),
    )
    .await;
    let events = server
        .send("GET", "/v1/events?kind=policy", &[&admin], b"")
        .await
        .json();
    assert_eq!(events["events"][0]["subject"], format!("album {album}"));
}

async fn explain(server: &Server, url: &str, rest: &str) -> Value {
    let url: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
    let answer = server.get(&format!("/v1/policy/explain?url={url}&{rest}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn explaining_says_what_decides_and_why() {
    let (server, admin) = start().await;
    let image = upload(&server, 1, &[]).await;
    let (url, id) = (image["url"].as_str().unwrap(), image["id"].as_str().unwrap());
    let policy = json!({ "hotlink": { "deny": ["evil.friends.example"], "hidden_embeds": "deny" } });
    assert_eq!(put(&server, &[&admin], policy).await.status, 200);
    let own = json!({ "policy": { "hotlink": { "allow": ["*.friends.example"], "refusal": { "redirect": "https://blog.example/" } } } });
    assert_eq!(
        send(&server, "PATCH", &format!("/v1/images/{id}"), &own)
            .await
            .status,
        200
    );
    for (rest, decision, reason, level, rule) in [
        (
            "referer=https://a.friends.example/x",
            "allowed",
            "listed",
            json!("image"),
            json!("*.friends.example"),
        ),
        (
            "referer=https://evil.friends.example/",
            "refused",
            "denied",
            json!("site"),
            json!("evil.friends.example"),
        ),
        (
            "referer=https://blog.example/",
            "refused",
            "not_listed",
            json!("image"),
            json!(null),
        ),
        (
            "referer=https://img.example/",
            "allowed",
            "own_host",
            json!(null),
            json!(null),
        ),
        ("referer=", "allowed", "empty", json!("settings"), json!(null)),
        (
            "sec_fetch_site=cross-site&sec_fetch_dest=image",
            "refused",
            "hidden_embed",
            json!("site"),
            json!(null),
        ),
        (
            "origin=https://a.friends.example",
            "allowed",
            "listed",
            json!("image"),
            json!("*.friends.example"),
        ),
        (
            "referer=nonsense",
            "refused",
            "malformed",
            json!(null),
            json!(null),
        ),
    ] {
        let told = explain(&server, url, rest).await;
        assert_eq!(
            (&told["decision"], &told["reason"]),
            (&json!(decision), &json!(reason)),
            "{rest} {told}"
        );
        assert_eq!((&told["level"], &told["rule"]), (&level, &rule), "{rest} {told}");
        assert!(!told["why"].as_str().unwrap().is_empty());
        let answer = if decision == "allowed" {
            json!("image")
        } else {
            json!({ "redirect": "https://blog.example/" })
        };
        assert_eq!(told["answer"], answer);
    }
    let md5 = image["md5"].as_str().unwrap();
    let by_path = explain(
        &server,
        &format!("/?path=/{}/{}.png", &md5[..2], &md5[2..]),
        "referer=",
    )
    .await;
    assert_eq!(by_path["image"], id);

    let stranger = test_kit::account(&server.database, "bob").await;
    let stranger = test_kit::token(&server.database, stranger, &[Scope::Read]).await;
    let bearer = format!("Authorization: Bearer {}", stranger.expose());
    for url in [url, "/i/111111111111.png"] {
        let answer = server
            .send("GET", &format!("/v1/policy/explain?url={url}"), &[&bearer], b"")
            .await;
        assert_problem(&answer, 404, "not_found");
    }
    let site = server
        .get("/v1/policy/explain?referer=https://evil.friends.example/")
        .await
        .json();
    assert_eq!(
        (&site["reason"], &site["image"]),
        (&json!("denied"), &json!(null))
    );
    for query in ["?url=/v1/images", "?url=https://["] {
        let answer = server.get(&format!("/v1/policy/explain{query}")).await;
        assert_problem(&answer, 400, "invalid_field");
    }
}

#[tokio::test]
async fn a_signed_link_is_made_looked_through_and_taken_back() {
    let (server, _) = start().await;
    let image = upload(&server, 1, &[("visibility", "private"), ("expires_in", "2h")]).await;
    let (url, id) = (image["url"].as_str().unwrap(), image["id"].as_str().unwrap());
    let path = format!("/v1/images/{id}/signed-links");
    let made = send(
        &server,
        "POST",
        &path,
        &json!({ "expires_in": "1h", "width": 480 }),
    )
    .await;
    assert_eq!(made.status, 201, "{made:?}");
    let link = made.json();
    assert_eq!(link["expires_at"], "2026-11-21T01:00:00Z");
    let link = link["url"].as_str().unwrap();
    assert!(
        link.starts_with(&format!("{url}?w=480&e=1795222800&s=")),
        "{link}"
    );
    let whole = send(&server, "POST", &path, &json!({})).await.json();
    assert_eq!(
        whole["expires_at"], "2026-11-21T02:00:00Z",
        "no link outlives its image"
    );
    let whole = whole["url"].as_str().unwrap();
    let look = image["signed_url"].as_str().unwrap();
    let thumbnail = image["thumbnail_url"].as_str().unwrap();
    let thumbnail_alone = thumbnail.replace("w=300", "w=1920");

    let wider = link.replace("w=480", "w=960");
    for (url, reason) in [
        (url, "private"),
        (link, "signed"),
        (whole, "signed"),
        (look, "signed"),
        (thumbnail, "signed"),
        (&thumbnail_alone, "private"),
        (&wider, "private"),
    ] {
        assert_eq!(explain(&server, url, "").await["reason"], reason, "{url}");
    }
    let gone = server.send("DELETE", &path, &[&server.bearer()], b"").await;
    assert_eq!(gone.status, 204);
    for url in [link, whole, look, thumbnail] {
        assert_eq!(explain(&server, url, "").await["reason"], "private", "{url}");
    }
    let delete_link = image["delete_url"]
        .as_str()
        .unwrap()
        .strip_prefix("https://img.example")
        .unwrap();
    assert_eq!(
        server.send("GET", delete_link, &[], b"").await.status,
        404,
        "the delete link, too"
    );
    let fresh = server.get(&format!("/v1/images/{id}")).await.json();
    assert_eq!(
        explain(&server, fresh["signed_url"].as_str().unwrap(), "").await["reason"],
        "signed"
    );
    for (body, code) in [
        (json!({ "expires_in": "0" }), "invalid_field"),
        (json!({ "until": 1 }), "malformed_body"),
    ] {
        assert_problem(&send(&server, "POST", &path, &body).await, 400, code);
    }
    let public = upload(&server, 2, &[]).await;
    assert_eq!(public["signed_url"], json!(null));
}

#[tokio::test]
async fn a_session_is_told_what_becomes_of_an_upload_that_does_not_say() {
    let (server, admin) = start().await;
    let uploads = async || {
        let told = server.send("GET", "/v1/session", &[&admin], b"").await.json();
        (told["uploads"].clone(), told["limits"]["expire_days"].clone())
    };
    let told = |days: u64, longest: u64, sliding: u64, visibility: &str| json!({ "lifetime_seconds": days * 86_400, "longest_seconds": longest * 86_400, "sliding_seconds": sliding * 86_400, "visibility": visibility, "scrub": "location" });
    assert_eq!(uploads().await, (told(30, 0, 0, "public"), json!(30)));
    let policy = json!({ "expiry": { "default": "7d", "longest": "90d", "sliding": "14d" }, "visibility": "unlisted" });
    put(&server, &[&admin], policy).await;
    assert_eq!(uploads().await, (told(7, 90, 14, "unlisted"), json!(7)));
}
