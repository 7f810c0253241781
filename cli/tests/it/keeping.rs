//! `--keep`: old snapshots go, and the files that only they needed.

use std::{fs, path::Path};

use catalog::{sweep_batch, withdraw};
use jiff::SignedDuration;

use crate::rig::{Berth, files_below, noon, text};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.join("snapshots"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn blobs(folder: &Path) -> usize {
    files_below(&folder.join("blobs")).len()
}

#[tokio::test]
async fn the_newest_stay_and_no_file_goes_that_one_of_them_needs() {
    let berth = Berth::new().await;
    let owner = berth.account("owner").await;
    let kept = tempfile::tempdir().unwrap();
    let images = berth.publish_pictures(owner, 1..5).await;
    berth.run(&["backup", text(kept.path())]).ok();
    // The first is swept after the first backup, the second after the second.
    for image in &images[..2] {
        withdraw(&berth.upload, owner, image.public_id, None, noon())
            .await
            .unwrap();
        let later = noon() + SignedDuration::from_hours(1);
        let swept = sweep_batch(&berth.janitor, 10, later, |doomed| async move {
            doomed.iter().map(|blob| blob.id).collect()
        });
        assert_eq!(swept.await.unwrap().blobs, 1);
        berth.run(&["backup", text(kept.path())]).ok();
    }
    assert_eq!((names(kept.path()).len(), blobs(kept.path())), (3, 4));
    let newest = names(kept.path()).pop().unwrap();
    let said = berth.run(&["backup", text(kept.path()), "--keep", "3"]).ok();
    assert!(said.out.contains("3 snapshots; 1 older removed"), "{}", said.out);
    assert_eq!(
        (names(kept.path()).len(), blobs(kept.path())),
        (3, 3),
        "the second has needed the second"
    );
    assert!(names(kept.path()).contains(&newest));
    berth.run(&["verify", text(kept.path())]).ok();
    berth.run(&["backup", text(kept.path()), "--keep", "1"]).ok();
    assert_eq!((names(kept.path()).len(), blobs(kept.path())), (1, 2));
    berth.run(&["verify", text(kept.path())]).ok();
}

#[tokio::test]
async fn nothing_is_removed_while_a_snapshot_that_stays_is_damaged() {
    let berth = Berth::new().await;
    let owner = berth.account("owner").await;
    berth.publish_pictures(owner, 1..5).await;
    let kept = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        berth.run(&["backup", text(kept.path())]).ok();
    }
    let table = kept
        .path()
        .join("snapshots")
        .join(&names(kept.path())[2])
        .join("tables/blob.copy.gz");
    let mut bytes = fs::read(&table).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&table, bytes).unwrap();
    berth
        .run(&["backup", text(kept.path()), "--keep", "2"])
        .failed(&["nothing was removed", &names(kept.path())[2]]);
    assert_eq!((names(kept.path()).len(), blobs(kept.path())), (4, 4));
    // It may go itself.
    berth.run(&["backup", text(kept.path()), "--keep", "1"]).ok();
    assert_eq!(names(kept.path()).len(), 1);
}
