//! The janitor's part: blobs are unlinked, abandoned staging is purged.

use std::{
    fs::File,
    time::{Duration, SystemTime},
};

use blobs::{BlobRemover, Purged};

use crate::{Store, names_in};

#[tokio::test]
async fn a_blob_is_removed_once_and_its_absence_is_as_good() {
    let store = Store::new();
    let (key, other) = (
        store.published(b"picture").await,
        store.published(b"another").await,
    );
    let remover = BlobRemover::new(store.root());
    remover.remove(key.clone(), vec![]).await.unwrap();
    assert!(!store.root().join(key.as_str()).exists());
    remover.remove(key.clone(), vec![]).await.unwrap();
    assert_eq!(store.bytes_at(&other), b"another");
    std::fs::remove_dir_all(store.root().join(key.folder())).unwrap();
    remover.remove(key, vec![]).await.unwrap();
}

#[tokio::test]
async fn blobs_are_removed_together_and_one_that_cannot_be_does_not_keep_the_others() {
    let store = Store::new();
    let remover = BlobRemover::new(store.root());
    let mut keys = Vec::new();
    for bytes in [&b"one"[..], b"two", b"three"] {
        keys.push(store.published(bytes).await);
    }
    let path = store.root().join(keys[1].as_str());
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let blobs = keys.iter().map(|key| (key.clone(), vec![])).collect();
    let outcomes = remover.remove_all(blobs).await;
    let gone: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(gone, [true, false, true]);
    assert!(!store.root().join(keys[2].as_str()).exists());
}

#[tokio::test]
async fn staging_files_are_purged_by_the_age_of_their_last_write() {
    let store = Store::new();
    let (staging, remover) = (store.root().join(".staging"), BlobRemover::new(store.root()));
    let limit = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    for (name, seconds) in [
        ("old", 999_999),
        ("at-the-limit", 1_000_000),
        ("young", 1_000_001),
    ] {
        let path = staging.join(name);
        std::fs::write(&path, name).unwrap();
        let file = File::options().append(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            .unwrap();
    }
    std::fs::create_dir(staging.join("folder")).unwrap();
    let under_way = store.staged(b"arriving").await;
    let expected = Purged { files: 1, bytes: 3 };
    assert_eq!(remover.purge_staging(limit, true).unwrap(), expected);
    assert_eq!(names_in(&staging).len(), 5, "a dry run removes nothing");
    assert_eq!(remover.purge_staging(limit, false).unwrap(), expected);
    assert_eq!(remover.purge_staging(limit, false).unwrap(), Purged::default());
    assert_eq!(names_in(&staging).len(), 4);
    assert!(!staging.join("old").exists());
    drop(under_way);
}

#[tokio::test]
async fn a_store_that_has_no_staging_folder_has_nothing_to_purge() {
    let folder = tempfile::tempdir().unwrap();
    let remover = BlobRemover::new(folder.path());
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    assert_eq!(remover.purge_staging(now, false).unwrap(), Purged::default());
    let elsewhere = BlobRemover::new(&folder.path().join("elsewhere"));
    assert!(elsewhere.check().await.is_err());
}
