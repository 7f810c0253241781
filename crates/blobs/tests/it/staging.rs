//! An upload arrives.

use std::os::unix::fs::PermissionsExt as _;

use crate::Store;

#[tokio::test]
async fn what_arrives_is_counted_and_hashed_on_the_way() {
    let store = Store::new();
    let long = vec![b'a'; 1_000_000];
    for (bytes, md5, sha256) in [
        (
            &b""[..],
            "d41d8cd98f00b204e9800998ecf8427e",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            &b"abc"[..],
            "900150983cd24fb0d6963f7d28e17f72",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            &long[..],
            "7707d6ae4e027c70eea2a935c2296f21",
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ),
    ] {
        let staged = store.staged(bytes).await;
        assert_eq!(staged.size_bytes(), bytes.len() as u64);
        assert_eq!(staged.md5().to_string(), md5);
        assert_eq!(staged.sha256().to_string(), sha256);
        assert_eq!(staged.head(), &bytes[..bytes.len().min(64 << 10)]);
        assert_eq!(staged.file().metadata().unwrap().len(), bytes.len() as u64);
    }
}

#[tokio::test]
async fn a_finished_upload_that_is_dropped_leaves_nothing() {
    let store = Store::new();
    let staged = store.staged(b"picture").await;
    assert_eq!(store.staging_names().len(), 1);
    drop(staged);
    assert_eq!(store.staging_names(), Vec::<String>::new());
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let store = Store::new();
    let mut staging = store.writer.stage().unwrap();
    staging.write(b"half a pict".as_slice().into()).await;
    staging.discard().await;
    assert_eq!(store.staging_names(), Vec::<String>::new());
    // Dropped without a word, as when its client goes away, it is gone as soon as its thread hears of it.
    let mut staging = store.writer.stage().unwrap();
    staging.write(b"half a pict".as_slice().into()).await;
    drop(staging);
    let gone = async {
        while !store.staging_names().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), gone)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_name_that_another_process_left_is_not_taken_from_it() {
    let store = Store::new();
    let theirs = store.root().join(format!(".staging/{}-0", std::process::id()));
    std::fs::write(&theirs, "theirs").unwrap();
    let _ours = store.staged(b"ours").await;
    assert_eq!(std::fs::read(&theirs).unwrap(), b"theirs");
}

#[test]
fn opening_a_store_makes_every_folder_that_nginx_may_read() {
    let store = Store::new();
    let folders = crate::names_in(store.root());
    assert_eq!(folders.len(), 258);
    for name in ["00", "7d", "ff", ".staging", ".uploads"] {
        let mode = std::fs::metadata(store.root().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(
            mode & 0o755,
            mode & 0o777,
            "{name}: others may look in, and change nothing"
        );
    }
    blobs::BlobWriter::open(store.root()).unwrap();
}
