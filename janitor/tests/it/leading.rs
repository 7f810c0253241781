//! Several janitors: one works, another takes over.

use std::time::Duration;

use http_kit::Metrics;
use janitor::Service;
use test_kit::TestDatabase;
use tokio_util::sync::CancellationToken;

use crate::{
    rig::{Rig, eventually, metric, seconds},
    running::Janitor,
};

#[tokio::test]
async fn one_of_three_works_and_when_it_ends_another_does() {
    let rig = Rig::new().await;
    let mut janitors: Vec<_> = (0..3).map(|_| Janitor::start(&rig)).collect();
    while !janitors.is_empty() {
        let leaders = || janitors.iter().filter(|it| it.leads()).count();
        eventually("somebody leads", || leaders() == 1).await;
        let leader = janitors.iter().position(Janitor::leads).unwrap();
        let before = janitors[leader].rounds();
        let go_on = || {
            assert_eq!(leaders(), 1);
            janitors[leader].rounds() > before + 3.0
        };
        eventually("it works from interval to interval", go_on).await;
        for (place, other) in janitors.iter().enumerate() {
            assert!(place == leader || other.rounds() < 0.5, "the others wait");
        }
        janitors.swap_remove(leader).stop().await;
    }
}

#[tokio::test]
async fn a_leader_goes_on_after_an_outage_of_the_database() {
    let mut rig = Rig::over(TestDatabase::create_apart().await).await;
    let owner = rig.account("owner").await;
    let janitor = Janitor::start(&rig);
    eventually("it leads", || janitor.leads()).await;
    rig.database.kill().await;
    eventually("it knows", || !janitor.leads()).await;
    rig.database.start().await;
    rig.upload(owner, 1, Some(60)).await;
    rig.clock.advance(seconds(60));
    let expired = || metric(&janitor.metrics, "berth_janitor_images_expired_total") > 0.5;
    eventually("it works again", expired).await;
    assert!(janitor.leads());
    janitor.stop().await;
}

#[tokio::test]
async fn a_janitor_that_only_pretends_takes_the_lead_from_nobody() {
    let rig = Rig::new().await;
    let mut settings = rig.settings();
    (settings.pretend, settings.interval) = (true, Duration::from_millis(20));
    let (metrics, stop) = (Metrics::new(), CancellationToken::new());
    let pretender = Service::new(&settings, rig.clock.clock(), &metrics).unwrap();
    let task = tokio::spawn(pretender.run(stop.clone()));
    let rounds = || {
        metric(
            &metrics,
            "berth_janitor_passes_total{outcome=\"ok\",pass=\"expire\"}",
        )
    };
    eventually("it looks around", || rounds() > 2.0).await;
    let janitor = Janitor::start(&rig);
    eventually("the real one leads", || janitor.leads()).await;
    stop.cancel();
    task.await.unwrap();
    janitor.stop().await;
}

#[tokio::test]
async fn one_round_on_demand_works_beside_a_leader() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let janitor = Janitor::start(&rig);
    eventually("it leads", || janitor.leads()).await;
    let image = rig.upload(owner, 1, Some(60)).await;
    rig.clock.advance(seconds(60 + 60 * 60));
    let mut settings = rig.settings();
    settings.sweep_grace = Duration::ZERO;
    rig.clean_with(&settings).await;
    assert!(!rig.has_bytes(&image), "whoever wrote it off, it is swept");
    assert!(janitor.leads());
    janitor.stop().await;
}

#[tokio::test]
async fn the_daily_clean_up_comes_when_the_clock_on_the_wall_says_so() {
    let rig = Rig::new().await;
    let mut settings = rig.settings();
    settings.interval = Duration::from_hours(1_000);
    settings.cleanup_time = Some(janitor::parse_time("03:00:00").unwrap());
    settings.time_zone = jiff::tz::TimeZone::UTC;
    rig.clock.set("2026-07-01T02:59:59.99Z".parse().unwrap());
    let (metrics, stop) = (Metrics::new(), CancellationToken::new());
    let service = Service::new(&settings, rig.clock.clock(), &metrics).unwrap();
    let task = tokio::spawn(service.run(stop.clone()));
    let rounds = || {
        metric(
            &metrics,
            "berth_janitor_passes_total{outcome=\"ok\",pass=\"expire\"}",
        )
    };
    eventually("the first round comes at the start", || rounds() > 0.5).await;
    rig.clock.set("2026-07-01T03:00:00Z".parse().unwrap());
    eventually("the second at three", || rounds() > 1.5).await;
    stop.cancel();
    task.await.unwrap();
    assert!(rounds() < 2.5, "and no third");
}
