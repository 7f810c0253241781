//! What becomes of views and counts while Postgres is away, and when serve-svc stops.

use std::time::Duration;

use domain::Visibility;
use jiff::SignedDuration;

use crate::server::Server;

#[tokio::test]
async fn known_pictures_are_shown_and_counted_while_postgres_is_away() {
    let mut server = Server::start_apart().await;
    let known = server.publish(1, Visibility::Public, None).await;
    let dying = server
        .publish(2, Visibility::Public, Some(SignedDuration::from_secs(60)))
        .await;
    let unknown = server.publish(3, Visibility::Public, None).await;
    for picture in [&known, &dying] {
        assert_eq!(server.get(&picture.urls()[0]).await.status, 200);
        assert_eq!(server.counted(picture, 1).await, 1);
    }
    server.database.kill().await;
    for _ in 0..20 {
        assert_eq!(server.get(&known.urls()[0]).await.status, 200);
    }
    assert_eq!(server.get(&dying.urls()[0]).await.status, 200);
    let answer = server.get(&unknown.urls()[0]).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")));
    server.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(
        server.get(&dying.urls()[0]).await.status,
        404,
        "it expires all the same"
    );

    server.database.start().await;
    assert_eq!(server.counted(&known, 21).await, 21);
    assert_eq!(server.get(&unknown.urls()[0]).await.status, 200);
}

#[tokio::test]
async fn what_was_withdrawn_while_nobody_listened_is_gone_afterwards() {
    let mut server = Server::start_apart().await;
    let picture = server.publish(1, Visibility::Public, None).await;
    assert_eq!(server.get(&picture.urls()[0]).await.status, 200);
    server.database.kill().await;
    assert_eq!(server.get(&picture.urls()[0]).await.status, 200);
    server.database.start().await;
    // At once, before anybody can have told: a shelf that missed words does not trust itself.
    let owner = server.database.connect().await;
    let sql = "UPDATE image SET ended_at = now(), ended_by = 'withdrawn'";
    owner.execute(sql, &[]).await.unwrap();
    let mut status = 0;
    for _ in 0..40 {
        status = server.get(&picture.urls()[0]).await.status;
        if status == 404 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(status, 404);
}

#[tokio::test]
async fn views_of_the_last_second_are_folded_before_the_end() {
    let server = Server::start(&[]).await;
    let picture = server.publish(1, Visibility::Public, None).await;
    for _ in 0..5 {
        assert_eq!(server.get(&picture.urls()[0]).await.status, 200);
    }
    let database = server.stop().await;
    let owner = database.connect().await;
    let sql = "SELECT views, bytes FROM view_count_day WHERE day = '2026-11-21'";
    let row = owner.query_one(sql, &[]).await.unwrap();
    let bytes = i64::try_from(picture.bytes.len()).unwrap() * 5;
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (5, bytes));
}

#[tokio::test]
async fn a_database_that_stays_away_does_not_hold_up_the_end() {
    let mut server = Server::start_apart().await;
    let picture = server.publish(1, Visibility::Public, None).await;
    assert_eq!(server.get(&picture.urls()[0]).await.status, 200);
    server.database.kill().await;
    assert_eq!(server.get(&picture.urls()[0]).await.status, 200);
    tokio::time::timeout(Duration::from_secs(8), server.stop())
        .await
        .expect("it ends in time");
}
