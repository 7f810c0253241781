//! Staged bytes become a blob.

use std::os::unix::fs::MetadataExt as _;

use blobs::Error;

use crate::Store;

#[tokio::test]
async fn a_published_blob_is_whole_and_its_staging_name_goes() {
    let store = Store::new();
    let staged = store.staged(b"picture").await;
    let key = domain::BlobKey::plain(staged.md5(), domain::MediaType::Png);
    store.writer.publish(staged.clone(), key.clone()).await.unwrap();
    assert_eq!(store.bytes_at(&key), b"picture");
    drop(staged);
    assert_eq!(store.staging_names(), Vec::<String>::new());
    let metadata = std::fs::metadata(store.root().join(key.as_str())).unwrap();
    assert_eq!((metadata.nlink(), metadata.mode() & 0o777), (1, 0o644));
}

#[tokio::test]
async fn publishing_twice_changes_nothing() {
    let store = Store::new();
    let staged = store.staged(b"picture").await;
    let key = domain::BlobKey::plain(staged.md5(), domain::MediaType::Png);
    store.writer.publish(staged.clone(), key.clone()).await.unwrap();
    let number = || std::fs::metadata(store.root().join(key.as_str())).unwrap().ino();
    let first = number();
    store.writer.publish(staged, key.clone()).await.unwrap();
    assert_eq!(store.published(b"picture").await, key);
    assert_eq!(number(), first, "it is the same file, not a copy");
    assert_eq!(store.staging_names(), Vec::<String>::new());
}

#[tokio::test]
async fn a_damaged_blob_is_healed_by_the_next_upload_of_its_bytes() {
    let store = Store::new();
    let key = store.published(b"picture").await;
    let path = store.root().join(key.as_str());
    for damage in [&b""[..], b"pict", b"picture and more", b"PICTURE"] {
        std::fs::write(&path, damage).unwrap();
        let was_open = std::fs::File::open(&path).unwrap();
        store.published(b"picture").await;
        assert_eq!(store.bytes_at(&key), b"picture", "{damage:?}");
        assert_eq!(store.staging_names(), Vec::<String>::new(), "{damage:?}");
        let length = was_open.metadata().unwrap().len();
        assert_eq!(
            length,
            damage.len() as u64,
            "who reads it meanwhile sees no mixture"
        );
    }
    std::fs::remove_file(&path).unwrap();
    store.published(b"picture").await;
    assert_eq!(store.bytes_at(&key), b"picture", "a lost one, too");
}

#[tokio::test]
async fn a_symbolic_link_in_the_place_of_a_blob_is_replaced_and_what_it_points_to_left_alone() {
    let store = Store::new();
    let key = store.published(b"picture").await;
    let (path, elsewhere) = (store.root().join(key.as_str()), store.root().join("elsewhere"));
    std::fs::write(&elsewhere, "precious").unwrap();
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    store.published(b"picture").await;
    assert!(std::fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(store.bytes_at(&key), b"picture");
    assert_eq!(std::fs::read(&elsewhere).unwrap(), b"precious");
}

#[tokio::test]
async fn a_folder_that_somebody_took_away_is_made_again() {
    let store = Store::new();
    let key = store.published(b"picture").await;
    std::fs::remove_dir_all(store.root().join(key.folder())).unwrap();
    store.published(b"picture").await;
    assert_eq!(store.bytes_at(&key), b"picture");
}

#[tokio::test]
async fn an_error_names_what_was_tried_on_what_and_leaves_the_cause_to_its_source() {
    let store = Store::new();
    let key = store.published(b"picture").await;
    let path = store.root().join(key.as_str());
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let staged = store.staged(b"picture").await;
    for _ in 0..2 {
        // The second time is the same as the first: nothing of a failed try is in the way.
        let error = store
            .writer
            .publish(staged.clone(), key.clone())
            .await
            .unwrap_err();
        let Error::Io { source, .. } = &error else {
            panic!("{error}")
        };
        let text = error.to_string();
        assert!(text.contains("replace") && text.contains(key.as_str()), "{text}");
        assert!(!text.contains(&source.to_string()), "{text}");
    }
    std::fs::remove_dir(&path).unwrap();
    store.writer.publish(staged, key.clone()).await.unwrap();
    assert_eq!(store.staging_names(), Vec::<String>::new());
}
