//! What is not restored, and says why, before anything is touched.

use std::fs;

use crate::rig::{Berth, filled, text};

#[tokio::test]
async fn nothing_is_restored_over_a_berth_that_has_something() {
    let berth = filled(5).await;
    let kept = tempfile::tempdir().unwrap();
    berth.run(&["backup", text(kept.path())]).ok();
    let before = berth.rows().await;
    berth
        .run(&["restore", text(kept.path())])
        .failed(&["2 accounts and 6 images", "目标数据库不是空的"]);
    assert_eq!(berth.rows().await, before);
    let other = Berth::new().await;
    other.account("somebody").await;
    other
        .run(&["restore", text(kept.path())])
        .failed(&["1 accounts and 0 images"]);
    assert!(!other.store().exists());
    // Tables without anything in them are as good as none.
    let other = Berth::new().await;
    other.run(&["restore", text(kept.path())]).ok();
    assert_eq!(other.rows().await, berth.rows().await);
}

#[tokio::test]
async fn a_snapshot_of_a_later_release_an_unfinished_one_and_no_backup_at_all_are_refused() {
    let berth = filled(3).await;
    let kept = tempfile::tempdir().unwrap();
    berth.run(&["backup", text(kept.path())]).ok();
    let other = Berth::empty().await;
    // A later schema, with everything else in order: as a later release would have written it.
    berth.owner
        .batch_execute("UPDATE refinery_schema_history SET version = 9999 WHERE version = (SELECT max(version) FROM refinery_schema_history)")
        .await
        .unwrap();
    berth.run(&["backup", text(kept.path())]).ok();
    other
        .run(&["restore", text(kept.path())])
        .failed(&["schema V9999", "Nothing was changed"]);
    let snapshots = kept.path().join("snapshots");
    let mut names: Vec<String> = fs::read_dir(&snapshots)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let [older, later] = names.as_slice() else {
        panic!("{names:?}")
    };
    // Without its manifest a snapshot was never finished: the newest is the one before.
    fs::remove_file(snapshots.join(later).join("manifest.json")).unwrap();
    other
        .run(&["restore", text(kept.path()), "--snapshot", later])
        .failed(&["was never finished"]);
    other
        .run(&["restore", text(kept.path()), "--snapshot", "yesterday"])
        .failed(&["there is no snapshot yesterday", older]);
    assert_eq!(other.tables().await, Vec::<String>::new());
    other.run(&["restore", text(kept.path())]).ok();

    let stranger = tempfile::tempdir().unwrap();
    fs::write(stranger.path().join("letter.txt"), "dear").unwrap();
    for command in [
        ["verify", text(stranger.path())],
        ["restore", text(stranger.path())],
    ] {
        other.run(&command).failed(&["is no folder of backups"]);
    }
    berth
        .run(&["backup", text(stranger.path())])
        .failed(&["is no folder of backups", "letter.txt"]);
    assert_eq!(fs::read_dir(stranger.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_database_that_is_not_there_or_not_ours_is_told() {
    let berth = Berth::empty().await;
    fs::create_dir_all(berth.store()).unwrap();
    let kept = tempfile::tempdir().unwrap();
    berth
        .run(&["backup", text(kept.path())])
        .failed(&["this database holds no berth"]);
    let mut nowhere = berth.command(&["backup", text(kept.path())]);
    nowhere.env_remove("BERTH_DATABASE_URL");
    let said: crate::rig::Said = nowhere.output().unwrap().into();
    said.failed(&["BERTH_DATABASE_URL", "--data"]);
}
