//! Asked to stop, the janitor stops.

use std::time::{Duration, Instant};

use http_kit::Metrics;
use janitor::{Service, health};
use test_kit::TestDatabase;
use tokio_util::sync::CancellationToken;

use crate::rig::{Rig, eventually, metric};

/// What berthd allows for it.
const BOUND: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_resting_janitor_stops_at_once() {
    let rig = Rig::new().await;
    let (metrics, stop) = (Metrics::new(), CancellationToken::new());
    let service = Service::new(&rig.settings(), rig.clock.clock(), &metrics).unwrap();
    let task = tokio::spawn(service.run(stop.clone()));
    let rested = || metric(&metrics, "berth_janitor_last_success_timestamp_seconds") > 0.5;
    eventually("its first round is over", rested).await;
    let began = Instant::now();
    stop.cancel();
    task.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_janitor_whose_database_does_not_answer_stops_all_the_same() {
    let rig = Rig::new().await;
    // On a connection of its own: within a transaction Postgres shows the activity of others as it was at the first look.
    let locker = rig.database.connect().await;
    locker.batch_execute("BEGIN; LOCK TABLE image").await.unwrap();
    let (metrics, stop) = (Metrics::new(), CancellationToken::new());
    let service = Service::new(&rig.settings(), rig.clock.clock(), &metrics).unwrap();
    let task = tokio::spawn(service.run(stop.clone()));
    eventually("it leads", || metric(&metrics, "berth_janitor_leader") > 0.5).await;
    let waits =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'berth_janitor'
                 AND datname = current_database()";
    while rig.number(waits).await == 0 {
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    stop.cancel();
    task.await.unwrap();
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
}

#[tokio::test]
async fn it_is_ready_while_the_database_answers_and_the_store_is_there() {
    let mut rig = Rig::over(TestDatabase::create_apart().await).await;
    let health = health(&rig.service(&rig.settings()));
    assert!(health.report().await.0);
    let (blobs, aside) = (rig.data().join("blobs"), rig.data().join("aside"));
    std::fs::rename(&blobs, &aside).unwrap();
    let (is_ready, report) = health.report().await;
    assert!(!is_ready && report.to_string().contains("store"), "{report}");
    std::fs::rename(&aside, &blobs).unwrap();
    rig.database.stop().await;
    assert!(!health.report().await.0);
    rig.database.start().await;
    assert!(health.report().await.0);
}
