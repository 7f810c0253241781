//! `/v1/albums`.

use domain::Scope;
use serde_json::json;

use crate::{
    people::event_kinds,
    pictures::{assert_counts_are_true, assert_problem, names, send, upload_id},
    server::Server,
};

#[tokio::test]
async fn albums_are_made_listed_changed_and_counted() {
    let server = Server::start(&[]).await;
    let made = send(
        &server,
        "POST",
        "/v1/albums",
        &json!({ "name": "假日", "description": "2026", "policy": { "visibility": "private" } }),
    )
    .await;
    assert_eq!(made.status, 201, "{made:?}");
    let album = made.json();
    let path = format!("/v1/albums/{}", album["id"]);
    assert_eq!(
        (&album["name"], &album["images"], &album["is_default"]),
        (&"假日".into(), &0.into(), &false.into())
    );
    upload_id(&server, 1, &[("album", &album["id"].to_string())]).await;
    let id = upload_id(&server, 2, &[("album", &album["id"].to_string())]).await;
    assert_eq!(server.get(&path).await.json()["images"], 2);
    server
        .send("DELETE", &format!("/v1/images/{id}"), &[&server.bearer()], b"")
        .await;
    assert_eq!(server.get(&path).await.json()["images"], 1);

    let changed = send(
        &server,
        "PATCH",
        &path,
        &json!({ "name": "trips", "policy": null }),
    )
    .await
    .json();
    assert_eq!(
        (&changed["name"], &changed["description"], &changed["policy"]),
        (&"trips".into(), &"2026".into(), &json!(null))
    );

    let first = server.get("/v1/albums?limit=1").await.json();
    assert_eq!(
        (&first["albums"][0]["name"], &first["albums"][0]["is_default"]),
        (&"default".into(), &true.into())
    );
    let next = first["next"].as_str().unwrap();
    let second = server
        .get(&format!("/v1/albums?limit=1&after={next}"))
        .await
        .json();
    assert_eq!(
        (&second["albums"][0]["name"], &second["next"]),
        (&"trips".into(), &json!(null))
    );
    assert_counts_are_true(&server).await;
}

#[tokio::test]
async fn names_are_unique_to_their_owner_and_default_stays() {
    let server = Server::start(&[]).await;
    let trips = send(&server, "POST", "/v1/albums", &json!({ "name": "trips" }))
        .await
        .json();
    let path = format!("/v1/albums/{}", trips["id"]);
    let default = server.get("/v1/albums").await.json()["albums"][0]["id"].clone();
    let default = format!("/v1/albums/{default}");
    for (method, path, body, status, code) in [
        (
            "POST",
            "/v1/albums",
            json!({ "name": "trips" }),
            409,
            "album_name_taken",
        ),
        (
            "POST",
            "/v1/albums",
            json!({ "name": "default" }),
            409,
            "album_name_taken",
        ),
        (
            "PATCH",
            path.as_str(),
            json!({ "name": "default" }),
            409,
            "album_name_taken",
        ),
        (
            "PATCH",
            default.as_str(),
            json!({ "name": "mine" }),
            409,
            "default_album",
        ),
        ("DELETE", default.as_str(), json!({}), 409, "default_album"),
        ("POST", "/v1/albums", json!({}), 400, "invalid_field"),
        ("POST", "/v1/albums", json!({ "name": " " }), 400, "invalid_field"),
        (
            "PATCH",
            path.as_str(),
            json!({ "title": "x" }),
            400,
            "malformed_body",
        ),
        ("DELETE", "/v1/albums/999999", json!({}), 404, "no_such_album"),
        ("PATCH", "/v1/albums/x", json!({}), 404, "no_such_album"),
    ] {
        assert_problem(&send(&server, method, path, &body).await, status, code);
    }
    assert_eq!(
        send(
            &server,
            "PATCH",
            &default,
            &json!({ "description": "all the rest" })
        )
        .await
        .status,
        200
    );
    let bob = test_kit::account(&server.database, "bob").await;
    let bobs = test_kit::token(&server.database, bob, &[Scope::Read, Scope::Manage]).await;
    let as_bob = format!("Authorization: Bearer {}", bobs.expose());
    assert_eq!(
        server
            .send_json("POST", "/v1/albums", &[&as_bob], &json!({ "name": "trips" }))
            .await
            .status,
        201
    );
    for method in ["GET", "PATCH", "DELETE"] {
        assert_problem(
            &server.send_json(method, &path, &[&as_bob], &json!({})).await,
            404,
            "no_such_album",
        );
    }
}

#[tokio::test]
async fn the_images_of_a_deleted_album_move_to_default_or_are_withdrawn() {
    let server = Server::start(&[]).await;
    for (seed, query, left) in [(1, "", 2), (10, "?images=withdraw", 2)] {
        let album = send(&server, "POST", "/v1/albums", &json!({ "name": "trips" }))
            .await
            .json()["id"]
            .to_string();
        let gone = upload_id(&server, seed + 2, &[("album", &album)]).await;
        server
            .send("DELETE", &format!("/v1/images/{gone}"), &[&server.bearer()], b"")
            .await;
        upload_id(&server, seed, &[("album", &album)]).await;
        upload_id(&server, seed + 1, &[("album", &album)]).await;
        let answer = server
            .send(
                "DELETE",
                &format!("/v1/albums/{album}{query}"),
                &[&server.bearer()],
                b"",
            )
            .await;
        assert_eq!(answer.status, 204, "{answer:?}");
        assert_problem(
            &server.get(&format!("/v1/albums/{album}")).await,
            404,
            "no_such_album",
        );
        let default = server.get("/v1/albums").await.json()["albums"][0].clone();
        assert_eq!(default["images"], left, "{query}");
        assert_eq!(names(&server.get("/v1/images").await.json()).len(), left);
        assert_counts_are_true(&server).await;
    }
    let kinds = event_kinds(&server).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "album_deleted").count(), 2);
    assert_eq!(
        names(&server.get("/v1/images?ended=true").await.json()).len(),
        4,
        "all of them can be restored"
    );
    assert_problem(
        &server
            .send("DELETE", "/v1/albums/1?images=burn", &[&server.bearer()], b"")
            .await,
        400,
        "invalid_field",
    );
}

#[tokio::test]
async fn an_album_that_somebody_changed_meanwhile_is_neither_changed_nor_deleted() {
    let server = Server::start(&[]).await;
    let made = send(&server, "POST", "/v1/albums", &json!({ "name": "Crete" })).await;
    let path = format!("/v1/albums/{}", made.json()["id"]);
    let before = made.header("etag").unwrap().to_owned();
    assert_eq!(server.get(&path).await.header("etag"), Some(before.as_str()));
    // An image that comes in changes nothing of what a client could have changed.
    upload_id(&server, 1, &[("album", &made.json()["id"].to_string())]).await;
    let bearer = server.bearer();
    let expecting = async |method: &str, tag: &str, name: &str| {
        let headers = [bearer.as_str(), &format!("If-Match: {tag}")];
        match method {
            "DELETE" => server.send(method, &path, &headers, b"").await,
            _ => {
                server
                    .send_json(method, &path, &headers, &json!({ "name": name }))
                    .await
            }
        }
    };
    let changed = expecting("PATCH", &before, "Creta").await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let after = changed.header("etag").unwrap().to_owned();
    assert_ne!(after, before);
    for method in ["PATCH", "DELETE"] {
        assert_problem(
            &expecting(method, &before, "Kreta").await,
            412,
            "precondition_failed",
        );
    }
    assert_eq!(server.get(&path).await.json()["name"], "Creta");
    assert_eq!(expecting("PATCH", "*", "Kriti").await.status, 200);
    assert_problem(&expecting("DELETE", &after, "").await, 412, "precondition_failed");
    let tag = server.get(&path).await.header("etag").unwrap().to_owned();
    assert_eq!(expecting("DELETE", &tag, "").await.status, 204);
}
