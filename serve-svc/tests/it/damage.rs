//! Bytes that were found damaged: nothing of them is shown until they are healed.

use catalog::{Damage, Error, ServiceRole, judge_blob, mark_blob_whole};
use domain::Visibility;

use crate::{
    server::{Picture, Server},
    variants::{derive, large},
};

async fn blob_of(server: &Server, picture: &Picture) -> i64 {
    let owner = server.database.connect().await;
    let sql = "SELECT blob_id FROM image WHERE public_id = $1";
    owner
        .query_one(sql, &[&picture.id.as_str()])
        .await
        .unwrap()
        .get(0)
}

async fn accuse(server: &Server, blob: i64) {
    let janitor = server.database.catalog_as(ServiceRole::Janitor);
    let look = || async { Ok::<_, Error>(Some(Damage::Bytes)) };
    judge_blob(&janitor, blob, server.clock.now(), look)
        .await
        .unwrap();
}

/// Asks until the answer is this one: a change is told within milliseconds.
async fn until(server: &Server, url: &str, status: u16) {
    for _ in 0..400 {
        if server.get(url).await.status == status {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{url} never answered {status}");
}

#[tokio::test]
async fn what_is_damaged_is_not_shown_by_any_url_and_in_no_way_until_it_is_whole() {
    for delivery in ["stream", "accel"] {
        let server = Server::start(&[("BERTH_DELIVERY", delivery)]).await;
        let picture = server.publish(1, Visibility::Public, None).await;
        let other = server.publish(2, Visibility::Public, None).await;
        let etag = server
            .get(&picture.urls()[0])
            .await
            .header("etag")
            .unwrap()
            .to_owned();
        for url in picture.urls() {
            // Twice: it stands on the shelf and in memory by then.
            assert_eq!(
                (server.get(&url).await.status, server.get(&url).await.status),
                (200, 200)
            );
        }
        let blob = blob_of(&server, &picture).await;
        accuse(&server, blob).await;
        until(&server, &picture.urls()[0], 404).await;
        for url in picture.urls() {
            for headers in [
                &[][..],
                &[&*format!("If-None-Match: {etag}")],
                &["Range: bytes=0-9"],
                &["Range: bytes=5-9"],
            ] {
                for method in ["GET", "HEAD"] {
                    let answer = server.ask(method, &url, headers).await;
                    assert_eq!(answer.status, 404, "{delivery} {method} {url} {headers:?}");
                    assert!(answer.header("x-accel-redirect").is_none());
                    assert_eq!(answer.header("cache-control"), Some("no-store"));
                }
            }
        }
        assert_eq!(
            server.get(&other.urls()[0]).await.status,
            200,
            "nobody else is touched"
        );
        let janitor = server.database.catalog_as(ServiceRole::Janitor);
        assert!(mark_blob_whole(&janitor, blob, server.clock.now()).await.unwrap());
        for url in picture.urls() {
            until(&server, &url, 200).await;
        }
        assert!(!mark_blob_whole(&janitor, blob, server.clock.now()).await.unwrap());
    }
}

#[tokio::test]
async fn smaller_copies_of_a_damaged_picture_are_shown_and_none_is_made_of_it() {
    let server = Server::start(&[]).await;
    let picture = large(&server, 1).await;
    derive(&server).await;
    let thumbnail = format!("/i/{}.png?w=300", picture.id);
    assert_eq!(server.get(&thumbnail).await.status, 200);
    let blob = blob_of(&server, &picture).await;
    accuse(&server, blob).await;
    until(&server, &picture.urls()[0], 404).await;
    assert_eq!(
        server.get(&thumbnail).await.status,
        200,
        "it is a file of its own"
    );
    // Another width is wished for by who asks, and has to wait.
    let wish =
        "INSERT INTO variant (blob_id, named_width, format, due_at) VALUES ($1, 160, 'webp', '-infinity')";
    let owner = server.database.connect().await;
    owner.execute(wish, &[&blob]).await.unwrap();
    assert_eq!(derive(&server).await, 0);
    let uploads = server.database.catalog_as(ServiceRole::Upload);
    mark_blob_whole(&uploads, blob, server.clock.now()).await.unwrap();
    let due: i64 = owner
        .query_one("SELECT count(*) FROM variant WHERE due_at IS NOT NULL", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(due, 2, "what may have been made of damaged bytes is made anew");
    assert_eq!(derive(&server).await, 1);
}

/// What stays in memory would be shown long after the file was healed.
#[tokio::test]
async fn bytes_that_are_not_those_that_were_uploaded_never_stay_in_memory() {
    let server = Server::start(&[]).await;
    let picture = server.publish(1, Visibility::Public, None).await;
    let mut rotten = picture.bytes.clone();
    rotten[20] ^= 1;
    std::fs::write(&picture.file, &rotten).unwrap();
    let url = &picture.urls()[0];
    // The first is not looked into: a view does not read a file twice.
    for _ in 0..4 {
        let answer = server.get(url).await;
        assert!(answer.status == 404 || answer.body == rotten);
    }
    std::fs::write(&picture.file, &picture.bytes).unwrap();
    for _ in 0..4 {
        assert_eq!(server.get(url).await.body, picture.bytes);
    }
}
