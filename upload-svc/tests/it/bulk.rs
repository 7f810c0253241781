//! `POST /v1/images/bulk`.

use std::sync::Arc;

use domain::MediaType;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    pictures::{assert_counts_are_true, assert_problem, names, publish_row, send, upload_id},
    server::Server,
};

async fn bulk(server: &Server, body: Value) -> Value {
    let answer = send(server, "POST", "/v1/images/bulk", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["results"].clone()
}

#[tokio::test]
async fn every_id_has_its_result_in_the_order_sent() {
    let server = Server::start(&[]).await;
    let (a, b) = (upload_id(&server, 1, &[]).await, upload_id(&server, 2, &[]).await);
    let ids = json!([b, "nonsense", a, "111111111111", b]);
    let results = bulk(&server, json!({ "ids": ids, "action": "withdraw" })).await;
    let told: Vec<(&str, bool)> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| (result["id"].as_str().unwrap(), result["ok"].as_bool().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            (b.as_str(), true),
            ("nonsense", false),
            (a.as_str(), true),
            ("111111111111", false),
            (b.as_str(), true)
        ]
    );
    assert_eq!(results[1]["problem"]["code"], "not_found");
    assert!(names(&server.get("/v1/images").await.json()).is_empty());
    assert_counts_are_true(&server).await;

    let again = upload_id(&server, 1, &[]).await;
    let results = bulk(&server, json!({ "ids": [a, b], "action": "restore" })).await;
    assert_eq!(
        (&results[0]["problem"]["code"], &results[0]["problem"]["image"]),
        (&"already_live".into(), &again.into())
    );
    assert_eq!(results[1]["ok"], true);
    assert_counts_are_true(&server).await;
}

#[tokio::test]
async fn images_are_moved_shown_and_let_expire_together() {
    let server = Server::start(&[]).await;
    let ids = [upload_id(&server, 1, &[]).await, upload_id(&server, 2, &[]).await];
    let album = send(&server, "POST", "/v1/albums", &json!({ "name": "trips" }))
        .await
        .json()["id"]
        .clone();
    for (mut body, field, value) in [
        (
            json!({ "action": "move", "album": album }),
            "album",
            album.clone(),
        ),
        (
            json!({ "action": "visibility", "visibility": "private" }),
            "visibility",
            json!("private"),
        ),
        (
            json!({ "action": "expire", "expires_at": "2027-01-01T00:00:00Z" }),
            "expires_at",
            json!("2027-01-01T00:00:00Z"),
        ),
        (
            json!({ "action": "expire", "expires_at": null }),
            "expires_at",
            json!(null),
        ),
    ] {
        body["ids"] = json!(ids);
        let results = bulk(&server, body).await;
        assert_eq!(
            (&results[0]["ok"], &results[1]["ok"]),
            (&true.into(), &true.into())
        );
        for id in &ids {
            assert_eq!(server.get(&format!("/v1/images/{id}")).await.json()[field], value);
        }
    }
    assert_counts_are_true(&server).await;
    let results = bulk(&server, json!({ "ids": ids, "action": "move", "album": 999_999 })).await;
    assert_eq!(results[0]["problem"]["code"], "invalid_field");
    for body in [
        json!({ "ids": ids, "action": "burn" }),
        json!({ "ids": ids, "action": "move" }),
        json!({ "ids": [], "action": "withdraw" }),
        json!({ "ids": vec!["x"; 1001], "action": "withdraw" }),
        json!({ "ids": [7], "action": "withdraw" }),
    ] {
        assert_problem(
            &send(&server, "POST", "/v1/images/bulk", &body).await,
            400,
            "invalid_field",
        );
    }
    let all = json!({ "ids": ids, "action": "withdraw", "all": true });
    assert_problem(
        &send(&server, "POST", "/v1/images/bulk", &all).await,
        403,
        "scope_missing",
    );
}

#[tokio::test]
async fn no_end_is_set_past_what_the_album_allows_and_what_comes_back_lives_as_its_album_says() {
    let server = Server::start(&[]).await;
    let short = json!({ "name": "short", "policy": { "expiry": { "default": "2d", "longest": "10d" } } });
    let album = send(&server, "POST", "/v1/albums", &short).await.json()["id"].clone();
    let later = |days: i64| (server.clock.now() + SignedDuration::from_hours(days * 24)).to_string();
    let (inside, outside) = (
        upload_id(&server, 1, &[("album", &album.to_string()), ("expires_in", "1h")]).await,
        upload_id(&server, 2, &[("expires_in", "90d")]).await,
    );
    for (body, good) in [
        (
            json!({ "action": "expire", "expires_at": "2100-01-01T00:00:00Z" }),
            [false, true],
        ),
        (json!({ "action": "expire", "expires_at": null }), [false, true]),
        (json!({ "action": "move", "album": album }), [true, false]),
        (
            json!({ "action": "expire", "expires_at": later(9) }),
            [true, true],
        ),
        (json!({ "action": "move", "album": album }), [true, true]),
    ] {
        let mut sent = body.clone();
        sent["ids"] = json!([inside, outside]);
        let results = bulk(&server, sent).await;
        for (result, good) in results.as_array().unwrap().iter().zip(good) {
            assert_eq!(result["ok"], good, "{body}: {result}");
            if !good {
                assert_eq!(result["problem"]["code"], "invalid_field", "{result}");
                assert!(
                    result["problem"]["detail"].as_str().unwrap().contains("10d"),
                    "{result}"
                );
            }
        }
    }
    server.clock.advance(SignedDuration::from_hours(10 * 24));
    let results = bulk(&server, json!({ "ids": [inside], "action": "restore" })).await;
    assert_eq!(results[0]["ok"], true, "{results}");
    let path = format!("/v1/images/{inside}");
    assert_eq!(server.get(&path).await.json()["expires_at"], json!(later(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_ids_by_several_clients_in_any_order_never_block_each_other() {
    let server = Arc::new(Server::start(&[]).await);
    let mut ids = Vec::new();
    for number in 0..400u64 {
        ids.push(
            publish_row(&server, &format!("{number}.png"), 10, MediaType::Png)
                .await
                .to_string(),
        );
    }
    let album = send(&server, "POST", "/v1/albums", &json!({ "name": "trips" }))
        .await
        .json()["id"]
        .clone();
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let (server, mut ids, album) = (Arc::clone(&server), ids.clone(), album.clone());
            ids.rotate_left(task * 90);
            if task % 2 == 0 {
                ids.reverse();
            }
            tokio::spawn(async move {
                for action in ["withdraw", "restore", "move", "visibility"]
                    .iter()
                    .cycle()
                    .skip(task)
                    .take(4)
                {
                    let body =
                        json!({ "ids": ids, "action": action, "album": album, "visibility": "unlisted" });
                    let results = bulk(&server, body).await;
                    assert_eq!(results.as_array().unwrap().len(), 400);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_counts_are_true(&server).await;
}
