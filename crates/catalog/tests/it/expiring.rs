//! Time ends images, in batches that wait for nobody.

use catalog::{Totals, count_due, expire_batch, totals};
use domain::Expiry;
use tokio::task::JoinSet;

use crate::rig::{Rig, at, image};

async fn publish_until(rig: &Rig, owner: i64, contents: std::ops::Range<u64>, seconds: i64) {
    for content in contents {
        let mut new = image(owner, content);
        new.expiry = Expiry::At(at(seconds));
        rig.publish(&new).await;
    }
}

#[tokio::test]
async fn a_batch_takes_the_earliest_first_and_says_how_many() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    publish_until(&rig, owner, 0..3, 60).await;
    publish_until(&rig, owner, 3..5, 30).await;
    publish_until(&rig, owner, 5..6, 61).await;
    rig.publish(&image(owner, 6)).await;
    for (limit, now, due, expired) in [
        (10, 29, 0, 0),
        (4, 60, 5, 4),
        (4, 60, 1, 1),
        (4, 60, 0, 0),
        (10, 61, 1, 1),
    ] {
        assert_eq!(count_due(&rig.janitor, at(now)).await.unwrap(), due);
        assert_eq!(expire_batch(&rig.janitor, limit, at(now)).await.unwrap(), expired);
        rig.check_invariants().await;
    }
    let ended = "SELECT count(*) FROM image WHERE ended_at = expires_at AND ended_by = 'expired'";
    assert_eq!(rig.number(ended).await, 6);
    let expected = Totals {
        images: 1,
        bytes: image(owner, 6).blob.size_bytes,
    };
    assert_eq!(totals(&rig.upload).await.unwrap(), expected);
}

#[tokio::test]
async fn images_of_many_owners_over_one_blob_expire_in_one_batch() {
    let rig = Rig::new().await;
    for number in 0..5 {
        let owner = rig.account(&format!("owner{number}")).await;
        publish_until(&rig, owner, 0..1, 30).await;
    }
    assert_eq!(expire_batch(&rig.janitor, 3, at(30)).await.unwrap(), 3);
    assert_eq!(
        rig.number("SELECT links FROM blob WHERE doomed_at IS NULL").await,
        2
    );
    rig.check_invariants().await;
    assert_eq!(expire_batch(&rig.janitor, 3, at(31)).await.unwrap(), 2);
    assert_eq!(
        rig.number("SELECT count(*) FROM blob WHERE doomed_at = '2026-07-01T12:00:31Z'")
            .await,
        1
    );
    rig.check_invariants().await;
}

#[tokio::test]
async fn what_somebody_has_locked_is_passed_over_and_not_waited_for() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    publish_until(&rig, owner, 0..2, 30).await;
    rig.owner
        .batch_execute("BEGIN; SELECT FROM blob WHERE id = 1 FOR UPDATE")
        .await
        .unwrap();
    assert_eq!(expire_batch(&rig.janitor, 10, at(30)).await.unwrap(), 1);
    rig.owner.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(expire_batch(&rig.janitor, 10, at(30)).await.unwrap(), 1);
    rig.check_invariants().await;
}

#[tokio::test]
async fn an_image_whose_blob_somebody_has_locked_is_not_held_while_a_batch_waits() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    publish_until(&rig, owner, 0..2, 30).await;
    let uploading = rig.database.connect().await;
    let locks = "BEGIN; SELECT FROM blob WHERE id = 1 FOR UPDATE; SELECT FROM account FOR UPDATE";
    uploading.batch_execute(locks).await.unwrap();
    let janitor = rig.janitor.clone();
    let expiring = tokio::spawn(async move { expire_batch(&janitor, 10, at(30)).await.unwrap() });
    let waits = "SELECT count(*) FROM pg_stat_activity
                 WHERE wait_event_type = 'Lock' AND usename = 'berth_janitor' AND datname = current_database()";
    while rig.number(waits).await == 0 {
        tokio::task::yield_now().await;
    }
    // As an upload goes on: from its blob to its image. Whoever held that would wait for us while we wait for them.
    let image = "SELECT FROM image WHERE id = 1 FOR UPDATE NOWAIT";
    uploading.batch_execute(image).await.unwrap();
    uploading.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(expiring.await.unwrap(), 1);
    rig.check_invariants().await;
}

#[tokio::test]
async fn several_that_expire_at_once_write_each_image_off_once_and_never_block_each_other() {
    const OWNERS: u64 = 30;
    let rig = Rig::new().await;
    for number in 0..OWNERS {
        let owner = rig.account(&format!("owner{number}")).await;
        for content in 0..8 {
            // Batches go by time, so each begins with another owner.
            let ends = i64::try_from((number * 7 + content * 11) % OWNERS).unwrap();
            publish_until(
                &rig,
                owner,
                content * OWNERS + number..content * OWNERS + number + 1,
                ends,
            )
            .await;
        }
    }
    let mut janitors = JoinSet::new();
    for _ in 0..4 {
        let janitor = rig.janitor.clone();
        janitors.spawn(async move {
            let mut sum = 0;
            loop {
                match expire_batch(&janitor, 12, at(60)).await.unwrap() {
                    0 => return sum,
                    expired => sum += expired,
                }
            }
        });
    }
    assert_eq!(janitors.join_all().await.iter().sum::<u64>(), 8 * OWNERS);
    rig.check_invariants().await;
    assert_eq!(count_due(&rig.janitor, at(60)).await.unwrap(), 0);
}
