//! Uploads, withdrawals and sweeps while a backup is taken.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use blobs::{BlobRemover, BlobWriter};
use catalog::{BackupHold, Doomed, sweep_batch, withdraw};
use domain::PublicId;
use jiff::SignedDuration;

use crate::rig::{Berth, filled, noon, picture, publish_with, text};

/// As the janitor does it, without any grace.
async fn sweep(berth: &Berth) -> usize {
    let remover = BlobRemover::new(&berth.store());
    let remove = |doomed: Vec<Doomed>| async move {
        for blob in &doomed {
            remover
                .remove(blob.key.clone(), blob.variants.clone())
                .await
                .unwrap();
        }
        doomed.iter().map(|blob| blob.id).collect()
    };
    let later = noon() + SignedDuration::from_hours(1_000_000);
    sweep_batch(&berth.janitor, 100, later, remove)
        .await
        .unwrap()
        .blobs
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_busy_berth_is_of_one_moment_and_lacks_no_byte() {
    let berth = Arc::new(filled(300).await);
    let kept = tempfile::tempdir().unwrap();
    let (ended, changes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let swept = Arc::new(AtomicU64::new(0));
    let busy = {
        let (berth, swept) = (Arc::clone(&berth), Arc::clone(&swept));
        let (ended, changes) = (Arc::clone(&ended), Arc::clone(&changes));
        tokio::spawn(async move {
            let writer = BlobWriter::open(&berth.store()).unwrap();
            let account = berth.number("SELECT min(id) FROM account").await;
            let mut seed = 10_001;
            while !ended.load(Ordering::Relaxed) {
                publish_with(&berth.upload, &writer, account, picture(seed), "new.png").await;
                let sql = "SELECT public_id FROM image WHERE ended_at IS NULL AND account_id = $1 ORDER BY random() LIMIT 2";
                for row in berth.owner.query(sql, &[&account]).await.unwrap() {
                    let id: PublicId = row.get::<_, &str>(0).parse().unwrap();
                    withdraw(&berth.upload, account, id, None, noon()).await.unwrap();
                }
                swept.fetch_add(sweep(&berth).await as u64, Ordering::Relaxed);
                seed += 1;
                changes.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    for _ in 0..3 {
        let (backed_up, folder) = (Arc::clone(&berth), kept.path().to_owned());
        let before = changes.load(Ordering::Relaxed);
        let said = tokio::task::spawn_blocking(move || backed_up.run(&["backup", text(&folder)]));
        said.await.unwrap().ok();
        assert!(
            changes.load(Ordering::Relaxed) > before,
            "nothing went on meanwhile"
        );
    }
    ended.store(true, Ordering::Relaxed);
    busy.await.unwrap();
    assert!(
        swept.load(Ordering::Relaxed) > 0,
        "between the backups something was swept"
    );
    let folder = text(kept.path());
    berth.run(&["verify", folder]).ok();
    let other = Berth::empty().await;
    other.run(&["restore", folder]).ok();
    other.check_sums().await;
    assert!(other.files().await.values().all(|is_right| *is_right));
}

#[tokio::test]
async fn nothing_is_swept_while_a_backup_holds_the_store_and_only_one_does() {
    let berth = Berth::new().await;
    let owner = berth.account("owner").await;
    for image in berth.publish_pictures(owner, 1..4).await {
        withdraw(&berth.upload, owner, image.public_id, None, noon())
            .await
            .unwrap();
    }
    let hold = BackupHold::try_acquire(&berth.database.owner())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(sweep(&berth).await, 0);
    let kept = tempfile::tempdir().unwrap();
    berth
        .run(&["backup", text(kept.path())])
        .failed(&["another backup or restore of this database is under way"]);
    assert!(hold.is_held().await);
    drop(hold);
    let swept = loop {
        // Free once the server has heard that the session ended.
        match sweep(&berth).await {
            0 => tokio::task::yield_now().await,
            swept => break swept,
        }
    };
    assert_eq!(swept, 3);
    berth.run(&["backup", text(kept.path())]).ok();
}

#[tokio::test]
async fn two_do_not_write_into_one_folder() {
    let berth = filled(3).await;
    let kept = tempfile::tempdir().unwrap();
    berth.run(&["backup", text(kept.path())]).ok();
    let lock = std::fs::File::open(kept.path().join("lock")).unwrap();
    lock.lock_shared().unwrap();
    berth.run(&["verify", text(kept.path())]).ok();
    berth
        .run(&["backup", text(kept.path())])
        .failed(&["another berth works on"]);
    lock.unlock().unwrap();
    lock.lock().unwrap();
    berth
        .run(&["verify", text(kept.path())])
        .failed(&["another berth works on"]);
    drop(lock);
    berth.run(&["backup", text(kept.path())]).ok();
}
