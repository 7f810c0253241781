//! Images that live as long as they are viewed.

use domain::Visibility;
use jiff::SignedDuration;

use crate::server::{Picture, Server};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A picture that ends in a day unless somebody looks at it, and then a day later.
async fn publish(server: &Server, seed: u64) -> Picture {
    let picture = server.publish(seed, Visibility::Public, Some(DAY)).await;
    let owner = server.database.connect().await;
    let sql = r#"UPDATE image SET ends_by_policy = true; UPDATE site_policy SET policy = '{"expiry":{"sliding":"1d"}}'"#;
    owner.batch_execute(sql).await.unwrap();
    picture
}

#[tokio::test]
async fn a_view_of_the_last_second_keeps_a_picture_alive_for_everyone() {
    let server = Server::start(&[]).await;
    let (viewed, lonely) = (publish(&server, 1).await, publish(&server, 2).await);
    for picture in [&viewed, &lonely] {
        // A bot keeps nothing alive.
        let bot = "User-Agent: Googlebot/2.1";
        assert_eq!(server.ask("GET", &picture.urls()[0], &[bot]).await.status, 200);
    }
    server.clock.advance(DAY - SignedDuration::from_millis(500));
    assert_eq!(server.get(&viewed.urls()[0]).await.status, 200);
    // Not folded yet, and the end has passed.
    server.clock.advance(SignedDuration::from_secs(1));
    let ([by_id, _, by_path], [of_lonely, ..]) = (viewed.urls(), lonely.urls());
    let (kept, path, gone) = tokio::join!(server.get(&by_id), server.get(&by_path), server.get(&of_lonely));
    assert_eq!((kept.status, path.status, gone.status), (200, 200, 404));
    assert_eq!(
        kept.header("cache-control"),
        Some("private, max-age=300, must-revalidate")
    );
    server.clock.advance(DAY - SignedDuration::from_secs(1));
    assert_eq!(
        server.get(&viewed.urls()[0]).await.status,
        200,
        "it was viewed less than a day ago"
    );
    server.clock.advance(DAY + SignedDuration::from_secs(10));
    assert_eq!(server.get(&viewed.urls()[0]).await.status, 404);
}

#[tokio::test]
async fn nobody_says_that_it_is_over_while_nobody_can_know() {
    let mut server = Server::start_apart().await;
    let picture = publish(&server, 1).await;
    for views in 1..=2 {
        // By the second one it has heard of the policy, so that it keeps what it learns of the picture.
        assert_eq!(server.get(&picture.urls()[0]).await.status, 200);
        assert_eq!(server.counted(&picture, views).await, views);
    }
    server.database.kill().await;
    server.clock.advance(DAY + DAY);
    assert_eq!(server.get(&picture.urls()[0]).await.status, 200);
    server.database.start().await;
    assert_eq!(server.counted(&picture, 3).await, 3);
    assert_eq!(
        server.get(&picture.urls()[0]).await.status,
        200,
        "that was a view"
    );
}
