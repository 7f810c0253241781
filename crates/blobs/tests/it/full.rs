//! A disk that is full says so, and takes nothing with it.

use std::{path::Path, process::Command};

use blobs::{BlobWriter, Error};

use crate::{names_in, stage};

/// Runs one of the children below on a file system of its own: a small one in memory, mounted where no other process sees it, so
/// that nothing of it can stay behind.
fn on_a_small_disk(child: &str, options: &str) {
    let can_mount = Command::new("unshare").args(["--mount", "true"]).output();
    if !can_mount.is_ok_and(|done| done.status.success()) {
        eprintln!("skipped: mounting a small disk needs root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = r#"mount -t tmpfs -o "$1" none "$2" && exec "$3" --ignored --exact --nocapture "$4""#;
    let done = Command::new("unshare")
        .args(["--mount", "/bin/sh", "-c", script, "sh", options])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .arg(child)
        .env("SMALL_DISK", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{done:?}");
}

#[test]
fn a_disk_without_space_is_full_and_the_next_small_upload_fits() {
    on_a_small_disk("full::child_without_space", "size=2m,mode=700");
}

#[test]
fn a_disk_without_inodes_is_full() {
    on_a_small_disk("full::child_without_inodes", "nr_inodes=300,mode=700");
}

#[tokio::test]
#[ignore = "run by a test above, on a small disk"]
async fn child_without_space() {
    let Some(root) = std::env::var_os("SMALL_DISK") else {
        return;
    };
    let root = Path::new(&root);
    let writer = BlobWriter::open(root).unwrap();
    let error = stage(&writer, &vec![7; 4 << 20]).await.unwrap_err();
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    assert_eq!(
        names_in(&root.join(".staging")),
        Vec::<String>::new(),
        "its part is gone"
    );
    let mut staging = writer.stage().unwrap();
    while !staging.has_failed() {
        // A client that sends on and on is told as soon as the disk has failed.
        staging.write(vec![7; 64 << 10].into()).await;
    }
    assert!(matches!(staging.finish().await, Err(Error::Full { .. })));
    stage(&writer, b"small").await.unwrap();
}

#[tokio::test]
#[ignore = "run by a test above, on a small disk"]
async fn child_without_inodes() {
    let Some(root) = std::env::var_os("SMALL_DISK") else {
        return;
    };
    let writer = BlobWriter::open(Path::new(&root)).unwrap();
    let mut staged = Vec::new();
    let error = loop {
        match stage(&writer, b"small").await {
            Ok(one) => staged.push(one),
            Err(error) => break error,
        }
        assert!(staged.len() < 300, "there are only 300");
    };
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    staged.pop();
    stage(&writer, b"small").await.unwrap();
}
