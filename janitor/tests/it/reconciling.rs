//! The store held against the rows.

use std::{
    fs::File,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use catalog::ImageRecord;
use janitor::Reconciled;
use tokio_util::sync::CancellationToken;

use crate::rig::Rig;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);
const STRANGER: &str = "ab/000102030405060708090a0b0c0d0e.png";

fn path(rig: &Rig, key: &str) -> PathBuf {
    rig.data().join("blobs").join(key)
}

/// Makes a file as old as files get.
fn settle(rig: &Rig, key: &str) {
    let file = File::options().write(true).open(path(rig, key)).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
}

fn put(rig: &Rig, key: &str) {
    std::fs::write(path(rig, key), b"nobody's").unwrap();
    settle(rig, key);
}

async fn reconcile(rig: &Rig, removes: bool) -> Reconciled {
    let service = rig.service(&rig.settings());
    service
        .reconcile(removes, &CancellationToken::new(), |_| {})
        .await
        .unwrap()
}

async fn upload(rig: &Rig, owner: i64, seed: u64) -> ImageRecord {
    let image = rig.upload(owner, seed, None).await;
    settle(rig, &image.key);
    image
}

#[tokio::test]
async fn files_without_a_row_go_when_that_is_asked_and_all_others_stay() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let live = upload(&rig, owner, 1).await;
    // Nothing links to it, but its grace is not over.
    let withdrawn = upload(&rig, owner, 2).await;
    rig.withdraw(&withdrawn).await;
    put(&rig, STRANGER);
    let young = "cd/000102030405060708090a0b0c0d0e.png";
    std::fs::write(path(&rig, young), b"under way").unwrap();
    put(&rig, "ab/notes.txt");
    let looked = reconcile(&rig, false).await;
    let expected = Reconciled {
        folders: 256,
        files: 3,
        strangers: 1,
        stranger_bytes: 8,
        odd: 1,
        rows: 1,
        ..Reconciled::default()
    };
    assert_eq!(looked, expected);
    assert!(path(&rig, STRANGER).exists(), "it only looked");
    let removed = reconcile(&rig, true).await;
    assert_eq!(
        removed,
        Reconciled {
            removed: 1,
            ..expected
        }
    );
    assert!(!path(&rig, STRANGER).exists());
    for key in [&live.key, &withdrawn.key, young, "ab/notes.txt"] {
        assert!(path(&rig, key).exists(), "{key}");
    }
    assert_eq!(reconcile(&rig, true).await.strangers, 0, "once is enough");
}

#[tokio::test]
async fn lost_bytes_are_told_and_no_row_is_touched() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let (kept, gone, cut) = (
        upload(&rig, owner, 1).await,
        upload(&rig, owner, 2).await,
        upload(&rig, owner, 3).await,
    );
    std::fs::remove_file(path(&rig, &gone.key)).unwrap();
    std::fs::write(path(&rig, &cut.key), b"half").unwrap();
    for removes in [false, true] {
        let found = reconcile(&rig, removes).await;
        let lost: Vec<&str> = found.lost_keys.iter().map(domain::BlobKey::as_str).collect();
        assert_eq!(lost, [gone.key.as_str(), cut.key.as_str()]);
        assert_eq!((found.rows, found.lost), (3, 2));
    }
    assert_eq!(rig.number("SELECT count(*) FROM blob WHERE links = 1").await, 3);
    assert!(rig.has_bytes(&kept));
    // The same bytes again heal it.
    rig.upload(owner, 2, None).await;
    assert_eq!(reconcile(&rig, false).await.lost, 1);
}

/// An upload that has found its bytes there and not yet written its row: the file is its own by then.
#[tokio::test]
async fn a_file_that_an_upload_is_about_to_link_stays() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let image = upload(&rig, owner, 1).await;
    // Its row is another transaction's until that commits: hidden here by taking it away and giving it back.
    let hide = "
        CREATE TABLE aside AS SELECT * FROM blob; ALTER TABLE image DROP CONSTRAINT image_blob_id_fkey; DELETE FROM blob";
    rig.owner.batch_execute(hide).await.unwrap();
    let mut uploading = rig.database.connect().await;
    let transaction = uploading.transaction().await.unwrap();
    let as_uploads_do = "
        SELECT pg_advisory_xact_lock(('x' || encode(substring(md5 for 8), 'hex'))::bit(64)::bigint) FROM aside;
        INSERT INTO blob OVERRIDING SYSTEM VALUE SELECT * FROM aside";
    transaction.batch_execute(as_uploads_do).await.unwrap();
    let reconciling = reconcile(&rig, true);
    let committing = async {
        let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        while rig.number(waits).await == 0 {
            tokio::task::yield_now().await;
        }
        transaction.commit().await.unwrap();
    };
    let both = async { tokio::join!(reconciling, committing) };
    let (found, ()) = tokio::time::timeout(PATIENCE, both)
        .await
        .expect("it waits for the upload");
    assert_eq!((found.strangers, found.removed), (1, 0));
    assert!(rig.has_bytes(&image));
}
