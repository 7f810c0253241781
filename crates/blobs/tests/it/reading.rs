//! Published bytes are read, and nothing else is.

use blobs::{BlobReader, Error};

use crate::{Store, read};

#[tokio::test]
async fn a_blob_is_read_in_pieces_from_any_place() {
    let store = Store::new();
    let bytes: Vec<u8> = (0..=255u8).cycle().take(300_000).collect();
    let key = store.published(&bytes).await;
    let reader = BlobReader::new(store.root());
    for (part, expected) in [
        (0..1_000, 0..1_000),
        (299_000..303_000, 299_000..300_000),
        (150_001..215_537, 150_001..215_537),
        (0..u64::MAX, 0..300_000),
        (300_000..300_010, 300_000..300_000),
        (900_000..900_010, 0..0),
        (0..0, 0..0),
    ] {
        let blob = reader.open(&key, part.clone()).await.unwrap().unwrap();
        assert_eq!(blob.size_bytes(), 300_000);
        let expected = &bytes[expected];
        let pieces = blob.into_pieces();
        assert_eq!(pieces.left(), expected.len() as u64, "{part:?}");
        assert!(read(pieces).await == expected, "{part:?}");
        let blob = reader.open(&key, part.clone()).await.unwrap().unwrap();
        assert!(
            blob.into_pieces().read_all().await.unwrap() == expected,
            "{part:?}"
        );
    }
    let blob = reader.open(&key, 299_998..=299_998).await.unwrap().unwrap();
    assert_eq!(blob.into_pieces().left(), 1);
}

#[tokio::test]
async fn a_blob_that_is_open_can_be_read_to_its_end_after_it_was_removed() {
    let store = Store::new();
    let key = store.published(b"picture").await;
    let reader = BlobReader::new(store.root());
    let blob = reader.open(&key, ..).await.unwrap().unwrap();
    let remover = blobs::BlobRemover::new(store.root());
    remover.remove(key.clone(), vec![]).await.unwrap();
    assert_eq!(read(blob.into_pieces()).await, b"picture");
    assert!(reader.open(&key, ..).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_no_file_of_the_store_is_not_opened() {
    let store = Store::new();
    let key = store.published(b"picture").await;
    let (path, reader) = (store.root().join(key.as_str()), BlobReader::new(store.root()));
    std::fs::remove_file(&path).unwrap();
    assert!(reader.open(&key, ..).await.unwrap().is_none(), "nothing");
    std::fs::create_dir(&path).unwrap();
    assert!(reader.open(&key, ..).await.unwrap().is_none(), "a folder");
    std::fs::remove_dir(&path).unwrap();
    let secret = store.root().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    std::os::unix::fs::symlink(&secret, &path).unwrap();
    let outcome = reader.open(&key, ..).await;
    assert!(
        matches!(outcome, Err(Error::Io { .. })),
        "a symbolic link: {outcome:?}"
    );
}

#[tokio::test]
async fn a_store_that_is_not_there_fails_its_check() {
    let store = Store::new();
    BlobReader::new(store.root()).check().await.unwrap();
    let elsewhere = BlobReader::new(&store.root().join("elsewhere"));
    assert!(elsewhere.check().await.is_err());
}
