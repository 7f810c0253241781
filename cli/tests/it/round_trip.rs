//! What is backed up is what is restored: every row, every byte, every sequence.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, process::Command};

use crate::rig::{Berth, files_below, filled, picture, text};

#[tokio::test]
async fn a_berth_that_was_restored_is_the_one_that_was_backed_up() {
    let berth = filled(250).await;
    let kept = tempfile::tempdir().unwrap();
    let folder = kept.path().join("backups");
    let said = berth.run(&["backup", text(&folder)]).ok();
    for part in [
        "Backed up 251 images, 250 files",
        "BERTH_SECRET",
        "berth verify",
        "备份完成",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    assert_eq!(said.err, "", "no bar where nobody watches");
    berth.run(&["verify", text(&folder)]).ok();

    let other = Berth::empty().await;
    let said = other.run(&["restore", text(&folder)]).ok();
    assert!(
        said.out.contains("Restored 251 images, 250 files"),
        "{}",
        said.out
    );
    assert_eq!(other.rows().await, berth.rows().await);
    assert_eq!(other.shape().await, berth.shape().await);
    let files = other.files().await;
    assert_eq!(files.len(), 250);
    assert!(files.values().all(|is_right| *is_right));
    let said = other.run(&["verify"]).ok();
    assert!(said.out.contains("The store is whole: 250 files"), "{}", said.out);
    assert_eq!(other.number("SELECT count(*) FROM session").await, 0, "left out");

    // Life goes on: the next numbers are new ones, triggers work, and the restored berth can be backed up.
    let account = other.account("three").await;
    other.publish(account, picture(1_000), "new.png").await;
    other.check_sums().await;
    let said = other.run(&["backup", text(&folder)]).ok();
    assert!(
        said.out.contains("1 files"),
        "only what is new is copied: {}",
        said.out
    );
    other.run(&["verify", text(&folder), "--quiet"]).ok();
}

#[tokio::test]
async fn every_table_is_in_the_backup_or_left_out_for_a_reason() {
    let berth = filled(3).await;
    let kept = tempfile::tempdir().unwrap();
    berth.run(&["backup", text(kept.path())]).ok();
    let snapshot = fs::read_dir(kept.path().join("snapshots"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let manifest = fs::read(snapshot.path().join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let mut spoken_of: BTreeSet<String> = BTreeSet::new();
    for table in manifest["tables"].as_array().unwrap() {
        spoken_of.insert(table["name"].as_str().unwrap().to_owned());
    }
    for (table, reason) in catalog::LEFT_OUT {
        assert!(reason.len() > 20, "{table} is left out: why?");
        assert_eq!(manifest["left_out"][table], *reason);
        assert!(
            spoken_of.insert((*table).to_owned()),
            "{table} is both in it and left out"
        );
    }
    assert_eq!(
        spoken_of,
        berth.tables().await.into_iter().collect::<BTreeSet<_>>()
    );
    for part in ["made_by", "site", "taken_at", "schema", "postgres", "sequences"] {
        assert!(!manifest[part].is_null(), "{part}");
    }
    assert_eq!(manifest["site"], "https://img.example.com");
}

#[tokio::test]
async fn a_backup_is_checked_without_berth_and_read_by_its_owner_alone() {
    let berth = filled(20).await;
    let kept = tempfile::tempdir().unwrap();
    let folder = kept.path().join("backups");
    let said = berth.run(&["backup", text(&folder), "--quiet"]).ok();
    assert_eq!((said.out.as_str(), said.err.as_str()), ("", ""), "quiet is quiet");
    for file in files_below(&folder) {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        let parent = fs::metadata(file.parent().unwrap()).unwrap().permissions().mode();
        assert_eq!(parent & 0o777, 0o700, "{}", file.display());
    }
    let snapshot = fs::read_dir(folder.join("snapshots"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let check = || {
        let mut command = Command::new("sha256sum");
        command
            .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
            .current_dir(&snapshot);
        command.output().unwrap()
    };
    let told = check();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let lines = fs::read_to_string(snapshot.join("SHA256SUMS"))
        .unwrap()
        .lines()
        .count();
    let others = ["lock", "README.txt", "SHA256SUMS"].len();
    assert_eq!(lines, files_below(&folder).len() - others, "every file is in it");
    // Tables are text, for whoever has nothing but a shell.
    let image = Command::new("zcat")
        .arg(snapshot.join("tables/image.copy.gz"))
        .output()
        .unwrap();
    assert!(String::from_utf8(image.stdout).unwrap().contains("7.png"));
    // No secret is in it.
    for file in files_below(&folder) {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(12).any(|window| window == b"BERTH_SECRET") || file.ends_with("README.txt"));
    }
}

#[tokio::test]
async fn rows_of_an_older_release_are_restored_and_then_brought_up_to_date() {
    const OLDER: u32 = 66;
    let berth = Berth::empty().await;
    catalog::migrate_to(&berth.database.owner(), OLDER).await.unwrap();
    // As that release wrote them: without any of the columns that came later.
    let account = berth.account("one").await;
    let png = picture(1);
    let (md5, sha256) = (md5_of(&png).await, {
        use sha2::{Digest as _, Sha256};
        hex(&Sha256::digest(&png))
    });
    let key = format!("{}/{}.png", &md5[..2], &md5[2..]);
    fs::create_dir_all(berth.store().join(&md5[..2])).unwrap();
    fs::write(berth.store().join(&key), &png).unwrap();
    let rows = format!(
        "INSERT INTO blob (sha256, md5, key, size_bytes, media_type, links, created_at)
             VALUES ('\\x{sha256}', '\\x{md5}', '{key}', {}, 'image/png', 1, now());
         INSERT INTO image (public_id, account_id, album_id, blob_id, name, kind, created_at, updated_at)
             SELECT 'abcdefghijkm', {account}, album.id, blob.id, 'old.png', 'image', now(), now() FROM album, blob;
         UPDATE account SET used_files = 1, used_bytes = {};",
        png.len(),
        png.len()
    );
    berth.owner.batch_execute(&rows).await.unwrap();
    let kept = tempfile::tempdir().unwrap();
    let said = berth.run(&["backup", text(kept.path())]).ok();
    assert!(said.out.contains("schema V66"), "{}", said.out);

    let other = Berth::empty().await;
    other.run(&["restore", text(kept.path())]).ok();
    let newest = i64::from(catalog::newest_schema());
    assert_eq!(
        other
            .number("SELECT max(version)::bigint FROM refinery_schema_history")
            .await,
        newest
    );
    assert_eq!(
        other
            .number("SELECT count(*) FROM image WHERE public_id = 'abcdefghijkm'")
            .await,
        1
    );
    other.check_sums().await;
    // And it is what the older berth becomes by the same migrations.
    catalog::migrate(&berth.database.owner()).await.unwrap();
    assert_eq!(other.rows().await, berth.rows().await);
    assert_eq!(other.shape().await, berth.shape().await);
}

async fn md5_of(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let writer = blobs::BlobWriter::open(folder.path()).unwrap();
    let mut staging = writer.stage().unwrap();
    staging.write(bytes.to_vec().into()).await;
    staging.finish().await.unwrap().md5().to_string()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
