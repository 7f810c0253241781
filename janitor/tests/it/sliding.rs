//! Images that views keep alive are written off when nobody came, and when that is sure.

use std::time::Duration;

use http_kit::Metrics;
use janitor::Service;
use tokio_util::sync::CancellationToken;

use crate::rig::{Rig, eventually, metric, seconds};

const HOUR: i64 = 60 * 60;

async fn slide(rig: &Rig) {
    let sql = r#"UPDATE image SET ends_by_policy = true; UPDATE site_policy SET policy = '{"expiry":{"sliding":"1d"}}'"#;
    rig.owner.batch_execute(sql).await.unwrap();
}

#[tokio::test]
async fn an_image_that_was_viewed_lives_on_and_the_end_of_another_waits_for_late_views() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let viewed = rig.upload(owner, 1, Some(24 * HOUR)).await;
    rig.upload(owner, 2, Some(24 * HOUR)).await;
    slide(&rig).await;
    let seen = format!(
        "INSERT INTO view_count (image_id, views, bytes, last_viewed_at) VALUES ({}, 1, 1, '2026-07-02T11:59:59Z')",
        viewed.id
    );
    rig.owner.batch_execute(&seen).await.unwrap();
    rig.clock.advance(seconds(25 * HOUR - 1));
    assert_eq!(rig.clean().await.images_expired, 0);
    let moved = "SELECT count(*) FROM image WHERE expires_at = '2026-07-03T11:59:59Z'";
    assert_eq!(rig.number(moved).await, 1);
    rig.clock.advance(seconds(1));
    assert_eq!(rig.clean().await.images_expired, 1);
    assert_eq!(
        rig.number("SELECT count(*) FROM image WHERE ended_at IS NULL")
            .await,
        1
    );
}

#[tokio::test]
async fn the_first_round_after_a_silence_ends_nothing_that_a_view_may_have_kept_alive() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    rig.upload(owner, 1, Some(60)).await;
    slide(&rig).await;
    rig.upload(owner, 2, Some(60)).await;
    rig.clock.advance(seconds(2 * HOUR));
    let mut settings = rig.settings();
    settings.interval = Duration::from_millis(1_500);
    let (metrics, stop) = (Metrics::new(), CancellationToken::new());
    let service = Service::new(&settings, rig.clock.clock(), &metrics).unwrap();
    let task = tokio::spawn(service.run(stop.clone()));
    let expired = || metric(&metrics, "berth_janitor_images_expired_total");
    eventually("the first round", || expired() > 0.5).await;
    assert!(expired() < 1.5);
    let lives = "SELECT count(*) FROM image WHERE ends_by_policy AND ended_at IS NULL";
    assert_eq!(rig.number(lives).await, 1, "the one whose end was said is gone");
    // The schedule goes by the clock.
    rig.clock.advance(seconds(2));
    eventually("the second round", || expired() > 1.5).await;
    stop.cancel();
    task.await.unwrap();
}
