//! Views are added up, each once.

use catalog::{DayCount, expire_batch, find_image, fold_counts, sweep_batch, withdraw};
use jiff::civil::date;
use tokio::task::JoinSet;

use crate::rig::{Rig, at, image, noon};

fn count(image_id: i64, day: i8, views: u64) -> DayCount {
    DayCount {
        image_id,
        day: date(2026, 7, day),
        views,
        bytes: views * 100,
        last_viewed_at: at(i64::from(day)),
    }
}

async fn images(rig: &Rig, number: u64) -> Vec<i64> {
    let owner = rig.account("owner").await;
    for content in 0..number {
        rig.publish(&image(owner, content)).await;
    }
    let rows = rig
        .owner
        .query("SELECT id FROM image ORDER BY id", &[])
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn counts_add_up_by_image_and_by_day() {
    let rig = Rig::new().await;
    let ids = images(&rig, 2).await;
    fold_counts(&rig.serve, Vec::new()).await.unwrap();
    let first = vec![count(ids[1], 2, 5), count(ids[0], 1, 2), count(ids[0], 2, 3)];
    fold_counts(&rig.serve, first).await.unwrap();
    fold_counts(&rig.serve, vec![count(ids[0], 1, 10)]).await.unwrap();
    for (sql, expected) in [
        ("SELECT views FROM view_count WHERE image_id = 1", 15),
        ("SELECT bytes FROM view_count WHERE image_id = 1", 1_500),
        ("SELECT views FROM view_count WHERE image_id = 2", 5),
        (
            "SELECT views FROM view_count_day WHERE image_id = 1 AND day = '2026-07-01'",
            12,
        ),
        (
            "SELECT views FROM view_count_day WHERE image_id = 1 AND day = '2026-07-02'",
            3,
        ),
        ("SELECT count(*) FROM view_count_day", 3),
        // The last view stays the last, though an earlier one was told of later.
        (
            "SELECT count(*) FROM view_count WHERE image_id = 1 AND last_viewed_at = '2026-07-01T12:00:02Z'",
            1,
        ),
    ] {
        assert_eq!(rig.number(sql).await, expected, "{sql}");
    }
    let row = rig
        .owner
        .query_one("SELECT public_id FROM image WHERE id = 1", &[])
        .await
        .unwrap();
    let id = row.get::<_, &str>(0).parse().unwrap();
    assert_eq!(find_image(&rig.upload, id).await.unwrap().unwrap().views, 15);
}

#[tokio::test]
async fn images_that_are_gone_are_passed_over_and_ended_ones_still_counted() {
    let rig = Rig::new().await;
    let ids = images(&rig, 2).await;
    let row = rig
        .owner
        .query_one("SELECT public_id, account_id FROM image WHERE id = 1", &[])
        .await
        .unwrap();
    let id = row.get::<_, &str>(0).parse().unwrap();
    assert!(withdraw(&rig.upload, row.get(1), id, None, noon()).await.unwrap());
    let counts = vec![count(ids[0], 1, 1), count(999, 1, 1), count(ids[1], 1, 1)];
    fold_counts(&rig.serve, counts.clone()).await.unwrap();
    assert_eq!(rig.number("SELECT count(*) FROM view_count").await, 2);
    let all = |doomed: Vec<catalog::Doomed>| async move { doomed.iter().map(|blob| blob.id).collect() };
    assert_eq!(sweep_batch(&rig.janitor, 10, noon(), all).await.unwrap().blobs, 1);
    fold_counts(&rig.serve, counts).await.unwrap();
    assert_eq!(rig.number("SELECT count(*) FROM view_count").await, 1);
    assert_eq!(rig.number("SELECT views FROM view_count").await, 2);
}

#[tokio::test]
async fn services_that_fold_the_same_images_at_once_wait_for_each_other_and_lose_nothing() {
    const FOLDS: usize = 16;
    let rig = Rig::new().await;
    let mut ids = images(&rig, 300).await;
    let mut folds = JoinSet::new();
    for number in 0..FOLDS {
        // Each tells its counts in another order, as a hash map would.
        ids.rotate_left(number * 7);
        if number % 2 == 0 {
            ids.reverse();
        }
        let counts: Vec<_> = ids
            .iter()
            .flat_map(|id| [count(*id, 2, 1), count(*id, 1, 1)])
            .collect();
        let serve = rig.serve.clone();
        folds.spawn(async move { fold_counts(&serve, counts).await });
    }
    for outcome in folds.join_all().await {
        outcome.unwrap();
    }
    let wrong = format!("SELECT count(*) FROM view_count WHERE views <> {}", 2 * FOLDS);
    assert_eq!(rig.number(&wrong).await, 0);
    let wrong = format!("SELECT count(*) FROM view_count_day WHERE views <> {FOLDS}");
    assert_eq!(rig.number(&wrong).await, 0);
    assert_eq!(rig.number("SELECT count(*) FROM view_count_day").await, 600);
}

#[tokio::test]
async fn folding_goes_on_while_images_expire_and_are_forgotten() {
    let rig = Rig::new().await;
    let ids = images(&rig, 200).await;
    rig.owner
        .batch_execute("UPDATE image SET expires_at = '2026-07-01T12:00:01Z'")
        .await
        .unwrap();
    let folding = async {
        for _ in 0..40 {
            fold_counts(&rig.serve, ids.iter().map(|id| count(*id, 1, 1)).collect())
                .await
                .unwrap();
        }
    };
    let ending = async {
        while expire_batch(&rig.janitor, 10, at(2)).await.unwrap() > 0 {
            catalog::forget_ended(&rig.janitor, 5, at(2)).await.unwrap();
        }
    };
    tokio::join!(folding, ending);
    rig.check_invariants().await;
}
