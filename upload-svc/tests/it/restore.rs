//! `POST /v1/images/{id}/restore`.

use catalog::ServiceRole;
use jiff::SignedDuration;

use crate::{
    pictures::{assert_counts_are_true, assert_problem, upload_id},
    server::{Answer, Server},
};

async fn restore(server: &Server, id: &str) -> Answer {
    server
        .send(
            "POST",
            &format!("/v1/images/{id}/restore"),
            &[&server.bearer()],
            b"",
        )
        .await
}

async fn withdraw(server: &Server, id: &str) {
    let answer = server
        .send("DELETE", &format!("/v1/images/{id}"), &[&server.bearer()], b"")
        .await;
    assert_eq!(answer.status, 204, "{answer:?}");
}

#[tokio::test]
async fn what_was_withdrawn_comes_back_as_it_was() {
    let server = Server::start(&[]).await;
    let id = upload_id(&server, 1, &[("description", "a pier")]).await;
    let before = server.get(&format!("/v1/images/{id}")).await.json();
    withdraw(&server, &id).await;
    assert_counts_are_true(&server).await;
    let answer = restore(&server, &id).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["description"], "a pier");
    assert_eq!(answer.json()["expires_at"], before["expires_at"]);
    assert_eq!(answer.json()["ended_at"], serde_json::Value::Null);
    assert_eq!(server.get(&format!("/v1/images/{id}")).await.status, 200);
    assert_eq!(
        restore(&server, &id).await.status,
        200,
        "again: it is live already"
    );
    assert_counts_are_true(&server).await;
}

#[tokio::test]
async fn what_has_expired_comes_back_with_a_new_life_whether_or_not_the_janitor_has_been_there() {
    let server = Server::start(&[]).await;
    for (seed, janitor) in [(1, false), (2, true)] {
        let id = upload_id(&server, seed, &[("expires_in", "10s")]).await;
        server.clock.advance(SignedDuration::from_secs(20));
        if janitor {
            let catalog = server.database.catalog_as(ServiceRole::Janitor);
            assert_eq!(
                catalog::expire_batch(&catalog, 10, server.clock.now())
                    .await
                    .unwrap(),
                1
            );
        }
        assert_eq!(server.get(&format!("/v1/images/{id}")).await.status, 404);
        let answer = restore(&server, &id).await;
        let expected = server.clock.now() + SignedDuration::from_hours(30 * 24);
        assert_eq!(
            (answer.status, answer.json()["expires_at"].as_str().unwrap()),
            (200, expected.to_string().as_str())
        );
        assert_counts_are_true(&server).await;
    }
}

#[tokio::test]
async fn the_same_bytes_that_are_live_again_stand_against_it() {
    let server = Server::start(&[]).await;
    let old = upload_id(&server, 1, &[]).await;
    withdraw(&server, &old).await;
    let new = upload_id(&server, 1, &[]).await;
    let answer = restore(&server, &old).await;
    assert_problem(&answer, 409, "already_live");
    assert_eq!(answer.json()["image"], new.as_str());
    withdraw(&server, &new).await;
    assert_eq!(restore(&server, &old).await.status, 200);
    assert_counts_are_true(&server).await;
}

#[tokio::test]
async fn after_the_grace_there_is_nothing_to_bring_back() {
    let server = Server::start(&[]).await;
    let id = upload_id(&server, 1, &[]).await;
    withdraw(&server, &id).await;
    let catalog = server.database.catalog_as(ServiceRole::Janitor);
    let swept = catalog::sweep_batch(&catalog, 10, server.clock.now(), async |doomed| {
        doomed.iter().map(|blob| blob.id).collect()
    })
    .await
    .unwrap();
    assert_eq!(swept.blobs, 1);
    assert_problem(&restore(&server, &id).await, 404, "not_found");
}

#[tokio::test]
async fn after_the_grace_nothing_comes_back_and_nothing_is_listed_that_could() {
    let server = Server::start(&[("BERTH_SWEEP_GRACE", "1h")]).await;
    let withdrawn = upload_id(&server, 1, &[]).await;
    let expired = upload_id(&server, 2, &[("expires_in", "10s")]).await;
    withdraw(&server, &withdrawn).await;
    server.clock.advance(SignedDuration::from_secs(10));
    let janitor = server.database.catalog_as(ServiceRole::Janitor);
    catalog::expire_batch(&janitor, 10, server.clock.now())
        .await
        .unwrap();
    let ended = async || {
        let list = server.get("/v1/images?ended=true").await.json();
        list["images"].as_array().unwrap().len()
    };
    assert_eq!(ended().await, 2);
    server.clock.advance(SignedDuration::from_secs(3590));
    assert_eq!(ended().await, 1, "the withdrawn one's hour is over");
    assert_problem(&restore(&server, &withdrawn).await, 404, "not_found");
    let both = serde_json::json!({ "ids": [withdrawn, expired], "action": "restore" });
    let bulk = server
        .send_json("POST", "/v1/images/bulk", &[&server.bearer()], &both)
        .await
        .json();
    assert_eq!(
        (&bulk["results"][0]["ok"], &bulk["results"][1]["ok"]),
        (&false.into(), &true.into()),
        "{bulk}"
    );
    let late = upload_id(&server, 3, &[("expires_in", "10s")]).await;
    server.clock.advance(SignedDuration::from_secs(3610));
    assert_problem(&restore(&server, &late).await, 404, "not_found");
    assert_counts_are_true(&server).await;
}
