//! Published bytes are read, and nothing else is.

use blobs::{BlobReader, Error};

use crate::Store;

#[tokio::test]
async fn a_blob_is_read_in_pieces_from_any_place() {
    let store = Store::new();
    let bytes: Vec<u8> = (0..=255u8).cycle().take(300_000).collect();
    let key = store.published(&bytes).await;
    let file = BlobReader::new(store.root()).open(&key).unwrap().unwrap();
    assert_eq!(file.size_bytes(), 300_000);
    for (offset, length, expected) in [
        (0, 1_000, 0..1_000),
        (299_000, 4_000, 299_000..300_000),
        (150_001, 65_536, 150_001..215_537),
        (300_000, 10, 300_000..300_000),
        (900_000, 10, 0..0),
        (0, 0, 0..0),
    ] {
        let piece = file.read_blocking(offset, length).unwrap();
        assert_eq!(piece, &bytes[expected.clone()], "from {offset} on");
        // What was just read is in memory, wherever the file system can say so.
        if let Some(piece) = file.read_cached(offset, length).unwrap() {
            let is_prefix = bytes[expected].starts_with(&piece);
            assert!(is_prefix, "from {offset} on");
        }
    }
}

#[tokio::test]
async fn a_blob_that_is_open_can_be_read_to_its_end_after_it_was_removed() {
    let store = Store::new();
    let key = store.published(b"picture").await;
    let reader = BlobReader::new(store.root());
    let file = reader.open(&key).unwrap().unwrap();
    assert!(blobs::BlobRemover::new(store.root()).remove(&key, &[]).unwrap());
    assert_eq!(file.read_blocking(0, 100).unwrap(), "picture");
    assert!(reader.open(&key).unwrap().is_none());
}

#[tokio::test]
async fn what_is_no_file_of_the_store_is_not_opened() {
    let store = Store::new();
    let key = store.published(b"picture").await;
    let (path, reader) = (store.root().join(key.as_str()), BlobReader::new(store.root()));
    std::fs::remove_file(&path).unwrap();
    assert!(reader.open(&key).unwrap().is_none(), "nothing");
    std::fs::create_dir(&path).unwrap();
    assert!(reader.open(&key).unwrap().is_none(), "a folder");
    std::fs::remove_dir(&path).unwrap();
    let secret = store.root().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    std::os::unix::fs::symlink(&secret, &path).unwrap();
    let outcome = reader.open(&key);
    assert!(
        matches!(outcome, Err(Error::Io { .. })),
        "a symbolic link: {outcome:?}"
    );
}

#[test]
fn a_store_that_is_not_there_fails_its_check() {
    let store = Store::new();
    BlobReader::new(store.root()).check().unwrap();
    assert!(BlobReader::new(&store.root().join("elsewhere")).check().is_err());
}
