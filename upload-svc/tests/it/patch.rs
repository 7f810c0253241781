//! `PATCH /v1/images/{id}`, and `If-Match`.

use domain::Scope;
use serde_json::json;

use crate::{
    pictures::{assert_counts_are_true, assert_problem, names, send, upload_id},
    server::Server,
};

#[tokio::test]
async fn what_stands_in_the_body_changes_and_the_rest_stays() {
    let server = Server::start(&[]).await;
    let id = upload_id(&server, 1, &[("description", "before")]).await;
    let path = format!("/v1/images/{id}");
    let album = send(&server, "POST", "/v1/albums", &json!({ "name": "trips" }))
        .await
        .json()["id"]
        .clone();
    for (body, field, value) in [
        (json!({}), "ends_by_policy", json!(true)),
        (json!({ "name": "/home/ann/日落.png" }), "name", json!("日落.png")),
        (json!({ "description": "after" }), "description", json!("after")),
        (json!({ "album": album }), "album", album.clone()),
        (
            json!({ "expires_at": "2027-01-01T00:00:00Z" }),
            "expires_at",
            json!("2027-01-01T00:00:00Z"),
        ),
        (json!({ "expires_at": null }), "expires_at", json!(null)),
        (json!({}), "ends_by_policy", json!(false)),
        (
            json!({ "visibility": "unlisted" }),
            "visibility",
            json!("unlisted"),
        ),
        (
            json!({ "policy": { "hotlink": { "allow": ["blog.example"] } } }),
            "policy",
            json!({ "hotlink": { "allow": ["blog.example"] } }),
        ),
        (json!({ "policy": null }), "policy", json!(null)),
        (json!({}), "description", json!("after")),
    ] {
        let answer = send(&server, "PATCH", &path, &body).await;
        assert_eq!(
            (answer.status, &answer.json()[field]),
            (200, &value),
            "{body}: {answer:?}"
        );
        let there = server.get(&path).await;
        assert_eq!(there.json()[field], value);
        assert_eq!(there.header("etag"), answer.header("etag"));
    }
    assert_eq!(
        names(&server.get(&format!("/v1/images?album={album}")).await.json()),
        ["日落.png"]
    );
    assert_counts_are_true(&server).await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let server = Server::start(&[]).await;
    let path = format!("/v1/images/{}", upload_id(&server, 1, &[]).await);
    let before = server.get(&path).await.json();
    let bob = test_kit::account(&server.database, "bob").await;
    let client = server.database.connect().await;
    let bobs_album: i64 = client
        .query_one("SELECT id FROM album WHERE account_id = $1", &[&bob])
        .await
        .unwrap()
        .get(0);
    for (body, code) in [
        (json!({ "name": "" }), "invalid_field"),
        (json!({ "name": 7 }), "invalid_field"),
        (json!({ "description": "\0" }), "invalid_field"),
        (json!({ "album": 999_999 }), "invalid_field"),
        (json!({ "album": bobs_album }), "invalid_field"),
        (json!({ "expires_at": "2020-01-01T00:00:00Z" }), "invalid_field"),
        (json!({ "expires_at": "tomorrow" }), "invalid_field"),
        (json!({ "visibility": "secret" }), "invalid_field"),
        (json!({ "policy": [] }), "invalid_field"),
        (json!({ "nmae": "a" }), "malformed_body"),
        (json!([]), "malformed_body"),
    ] {
        assert_problem(&send(&server, "PATCH", &path, &body).await, 400, code);
    }
    assert_eq!(server.get(&path).await.json(), before);
}

#[tokio::test]
async fn a_change_or_a_deletion_that_expected_something_else_is_refused() {
    let server = Server::start(&[]).await;
    let path = format!("/v1/images/{}", upload_id(&server, 1, &[]).await);
    let tag = server.get(&path).await.header("etag").unwrap().to_owned();
    let change = async |if_match: &str, body| {
        server
            .send_json(
                "PATCH",
                &path,
                &[&server.bearer(), &format!("If-Match: {if_match}")],
                &body,
            )
            .await
    };
    let changed = change(&tag, json!({ "description": "one" })).await;
    assert_eq!(changed.status, 200);
    let new_tag = changed.header("etag").unwrap().to_owned();
    assert_ne!(tag, new_tag, "even within one tick of the clock");
    assert_problem(
        &change(&tag, json!({ "description": "two" })).await,
        412,
        "precondition_failed",
    );
    assert_problem(
        &change(&format!("W/{new_tag}"), json!({ "description": "two" })).await,
        412,
        "precondition_failed",
    );
    assert_eq!(
        change(&format!("\"x\", {new_tag}"), json!({ "description": "two" }))
            .await
            .status,
        200
    );
    assert_eq!(change("*", json!({ "description": "three" })).await.status, 200);
    let delete = async |if_match: &str| {
        server
            .send(
                "DELETE",
                &path,
                &[&server.bearer(), &format!("If-Match: {if_match}")],
                b"",
            )
            .await
    };
    assert_problem(&delete(&tag).await, 412, "precondition_failed");
    let tag = server.get(&path).await.header("etag").unwrap().to_owned();
    assert_eq!(delete(&tag).await.status, 204);
}

#[tokio::test]
async fn nobody_changes_what_is_not_theirs() {
    let server = Server::start(&[]).await;
    let id = upload_id(&server, 1, &[]).await;
    let bob = test_kit::account(&server.database, "bob").await;
    let bobs = test_kit::token(&server.database, bob, &[Scope::Read, Scope::Manage]).await;
    let as_bob = format!("Authorization: Bearer {}", bobs.expose());
    let reads = test_kit::token(&server.database, server.account, &[Scope::Read]).await;
    let as_reader = format!("Authorization: Bearer {}", reads.expose());
    for (method, path) in [
        ("PATCH", format!("/v1/images/{id}")),
        ("POST", format!("/v1/images/{id}/restore")),
        ("PUT", format!("/v1/images/{id}/content")),
    ] {
        assert_problem(
            &server.send_json(method, &path, &[&as_bob], &json!({})).await,
            404,
            "not_found",
        );
        assert_problem(
            &server.send_json(method, &path, &[&as_reader], &json!({})).await,
            403,
            "scope_missing",
        );
        assert_problem(
            &server.send_json(method, &path, &[], &json!({})).await,
            401,
            "unauthenticated",
        );
    }
}
