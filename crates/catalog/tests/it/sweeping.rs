//! Bytes are freed when nothing links to them, under the lock of their row.

use catalog::{Doomed, Swept, count_doomed, find_image, forget_ended, sweep_batch, withdraw};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::rig::{Rig, at, image, noon, publish_at};

async fn all(doomed: Vec<Doomed>) -> Vec<i64> {
    doomed.iter().map(|blob| blob.id).collect()
}

/// Images of these contents, withdrawn one second apart from noon on.
async fn withdrawn(rig: &Rig, owner: i64, contents: std::ops::Range<u64>) {
    for (seconds, content) in (0..).zip(contents) {
        let id = rig.publish(&image(owner, content)).await.image.public_id;
        assert!(withdraw(&rig.upload, owner, id, None, at(seconds)).await.unwrap());
    }
}

#[tokio::test]
async fn only_what_was_doomed_before_the_grace_is_swept_the_oldest_first() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    rig.publish(&image(owner, 100)).await;
    withdrawn(&rig, owner, 0..5).await;
    assert_eq!(count_doomed(&rig.janitor, at(-1)).await.unwrap(), (0, 0));
    assert_eq!(count_doomed(&rig.janitor, at(2)).await.unwrap(), (3, 3_003));
    let sweep = |limit, now: Timestamp| sweep_batch(&rig.janitor, limit, now, all);
    assert_eq!(sweep(10, at(-1)).await.unwrap(), Swept::default());
    for (limit, now, blobs, bytes) in [
        (2, 2, 2, 2_001),
        (2, 2, 1, 1_002),
        (2, 2, 0, 0),
        (10, 10, 2, 2_007),
    ] {
        let expected = Swept {
            claimed: blobs,
            blobs,
            bytes,
        };
        assert_eq!(sweep(limit, at(now)).await.unwrap(), expected);
    }
    assert_eq!(rig.number("SELECT count(*) FROM blob").await, 1);
    assert_eq!(
        rig.number("SELECT count(*) FROM image").await,
        1,
        "ended images go with their blob"
    );
    rig.check_invariants().await;
}

#[tokio::test]
async fn a_blob_whose_bytes_could_not_be_removed_stays_for_the_next_time() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    withdrawn(&rig, owner, 0..3).await;
    let but_the_first = |doomed: Vec<Doomed>| async move { doomed[1..].iter().map(|blob| blob.id).collect() };
    let swept = sweep_batch(&rig.janitor, 10, at(9), but_the_first).await.unwrap();
    assert_eq!((swept.claimed, swept.blobs), (3, 2));
    let swept = sweep_batch(&rig.janitor, 10, at(9), all).await.unwrap();
    assert_eq!((swept.claimed, swept.blobs), (1, 1));
}

#[tokio::test]
async fn an_upload_of_bytes_that_are_being_swept_waits_and_publishes_afresh() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    withdrawn(&rig, owner, 0..1).await;
    let (claimed, may_go_on) = (CancellationToken::new(), CancellationToken::new());
    let sweeping = sweep_batch(&rig.janitor, 10, at(9), |doomed| {
        let (claimed, may_go_on) = (claimed.clone(), may_go_on.clone());
        async move {
            claimed.cancel();
            may_go_on.cancelled().await;
            all(doomed).await
        }
    });
    let uploading = async {
        claimed.cancelled().await;
        let new = image(owner, 0);
        let upload = publish_at(&rig.upload, &new, at(10));
        let meanwhile = async {
            // The upload stands at the row's lock before the sweep goes on.
            let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'berth_upload'";
            while rig.number(waits).await == 0 {
                tokio::task::yield_now().await;
            }
            may_go_on.cancel();
        };
        tokio::join!(upload, meanwhile).0.unwrap()
    };
    let (swept, published) = tokio::join!(sweeping, uploading);
    assert_eq!(swept.unwrap().blobs, 1);
    let found = find_image(&rig.upload, published.image.public_id).await.unwrap();
    assert_eq!(found, Some(published.image));
    assert_eq!(
        rig.number("SELECT count(*) FROM blob WHERE doomed_at IS NULL")
            .await,
        1
    );
    rig.check_invariants().await;
}

#[tokio::test]
async fn a_sweep_that_is_given_up_changes_no_row() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    withdrawn(&rig, owner, 0..2).await;
    let claimed = CancellationToken::new();
    let sweeping = sweep_batch(&rig.janitor, 10, at(9), |_| {
        claimed.cancel();
        std::future::pending()
    });
    tokio::select! {
        outcome = sweeping => panic!("{outcome:?}"),
        () = claimed.cancelled() => {}
    }
    let swept = loop {
        // The lock is free once the database has heard that the sweep was given up.
        let swept = sweep_batch(&rig.janitor, 10, at(9), all).await.unwrap();
        if swept.blobs > 0 {
            break swept;
        }
    };
    assert_eq!(swept.blobs, 2);
}

#[tokio::test]
async fn ended_images_over_a_blob_that_lives_on_are_forgotten_after_the_grace() {
    let rig = Rig::new().await;
    let (owner, other) = (rig.account("owner").await, rig.account("other").await);
    for content in 0..3 {
        rig.publish(&image(other, content)).await;
    }
    withdrawn(&rig, owner, 0..3).await;
    assert_eq!(forget_ended(&rig.janitor, 10, at(-1)).await.unwrap(), 0);
    assert_eq!(forget_ended(&rig.janitor, 10, at(1)).await.unwrap(), 2);
    assert_eq!(forget_ended(&rig.janitor, 10, at(9)).await.unwrap(), 1);
    assert_eq!(
        rig.number("SELECT count(*) FROM image WHERE ended_at IS NULL")
            .await,
        3
    );
    assert_eq!(count_doomed(&rig.janitor, noon()).await.unwrap().0, 0);
    rig.check_invariants().await;
}
