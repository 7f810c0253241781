//! One bit of any file: it is told, and nothing is restored of it.

use std::{fs, path::Path};

use crate::rig::{Berth, Said, files_below, filled, text};

/// What there is to damage in a backup: the file's kind, and how its path ends or begins.
fn kinds(folder: &Path) -> Vec<(&'static str, std::path::PathBuf)> {
    let files = files_below(folder);
    let find = |what: &'static str, is_it: &dyn Fn(&str) -> bool| {
        let found = files.iter().find(|file| is_it(file.to_str().unwrap()));
        (what, found.unwrap_or_else(|| panic!("no {what}")).clone())
    };
    vec![
        find("manifest.json", &|file| file.ends_with("manifest.json")),
        find("SHA256SUMS", &|file| file.ends_with("SHA256SUMS")),
        find("image.copy.gz", &|file| file.ends_with("image.copy.gz")),
        find("blob.copy.gz", &|file| file.ends_with("blob.copy.gz")),
        find("account.copy.gz", &|file| file.ends_with("account.copy.gz")),
        find("blobs/", &|file| file.contains("/blobs/")),
    ]
}

/// Nothing was made where it was to be restored.
async fn check_untouched(berth: &Berth) {
    assert_eq!(berth.tables().await, Vec::<String>::new());
    assert!(!berth.store().exists());
}

async fn refuses(other: &Berth, folder: &Path, what: &str) {
    let said: Said = other.run(&["verify", text(folder)]);
    assert_eq!(said.code, Some(1), "{what}: {}", said.out);
    assert!(said.err.contains(what), "{what}: {}", said.err);
    let said = other
        .run(&["restore", text(folder)])
        .failed(&["Nothing was changed"]);
    assert!(said.err.contains(what), "{what}: {}", said.err);
    check_untouched(other).await;
}

#[tokio::test]
async fn a_flipped_bit_or_a_cut_or_lost_file_of_any_kind_is_told_and_refused() {
    let berth = filled(30).await;
    let kept = tempfile::tempdir().unwrap();
    berth.run(&["backup", text(kept.path())]).ok();
    let other = Berth::empty().await;
    for (what, file) in kinds(kept.path()) {
        let good = fs::read(&file).unwrap();
        for place in [0, good.len() / 3, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[place] ^= 1 << (place % 8);
            fs::write(&file, &bad).unwrap();
            refuses(&other, kept.path(), what).await;
        }
        fs::write(&file, &good[..good.len() - 1]).unwrap();
        refuses(&other, kept.path(), what).await;
        fs::write(&file, [good.as_slice(), b"\n"].concat()).unwrap();
        refuses(&other, kept.path(), what).await;
        if what != "manifest.json" {
            fs::remove_file(&file).unwrap();
            refuses(&other, kept.path(), what).await;
        }
        fs::write(&file, &good).unwrap();
    }
    other.run(&["verify", text(kept.path())]).ok();
    other.run(&["restore", text(kept.path())]).ok();
    assert_eq!(other.rows().await, berth.rows().await, "whole again");
}

#[tokio::test]
async fn a_damaged_file_is_told_with_its_images_and_mended_from_the_live_store() {
    let berth = filled(10).await;
    let kept = tempfile::tempdir().unwrap();
    berth.run(&["backup", text(kept.path())]).ok();
    let (_, file) = kinds(kept.path()).pop().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    bytes[5] ^= 4;
    fs::write(&file, &bytes).unwrap();
    let said = berth
        .run(&["verify", text(kept.path())])
        .failed(&["its bytes have changed", "--rehash"]);
    let name = file.file_name().unwrap().to_str().unwrap();
    let line = said.err.lines().find(|line| line.contains(name)).unwrap();
    let sha256 = name.strip_suffix(".png").unwrap();
    let sql = format!(
        "SELECT public_id || ' (' || name || ')' FROM image JOIN blob ON blob.id = blob_id WHERE sha256 = '\\x{sha256}' LIMIT 1"
    );
    let image: String = berth.owner.query_one(&sql, &[]).await.unwrap().get(0);
    assert!(line.contains(&image), "{image}: {line}");
    // A plain backup trusts what has the right size; --rehash does not.
    berth.run(&["backup", text(kept.path())]).ok();
    berth
        .run(&["verify", text(kept.path()), "--quiet"])
        .failed(&[name]);
    let said = berth.run(&["backup", text(kept.path()), "--rehash"]).ok();
    assert!(
        said.out.contains("1 files that were damaged in the backup"),
        "{}",
        said.out
    );
    berth.run(&["verify", text(kept.path())]).ok();
}

#[tokio::test]
async fn what_has_rotted_in_the_store_is_told_and_replaces_nothing() {
    let berth = Berth::new().await;
    let owner = berth.account("owner").await;
    let images = berth.publish_pictures(owner, 1..6).await;
    let kept = tempfile::tempdir().unwrap();
    berth.run(&["backup", text(kept.path())]).ok();
    let newer = berth.publish_pictures(owner, 6..8).await;
    // One that the backup has, one that it has not, and one that is gone.
    for image in [&images[0], &newer[0]] {
        let mut bytes = fs::read(berth.file(image)).unwrap();
        bytes[20] ^= 1;
        fs::write(berth.file(image), bytes).unwrap();
    }
    fs::remove_file(berth.file(&newer[1])).unwrap();
    let said = berth.run(&["backup", text(kept.path()), "--rehash"]);
    let said = said.failed(&[
        "2 files could not be backed up",
        "it is not there",
        "not those that were uploaded",
    ]);
    assert!(
        said.err.contains(newer[0].key.as_str()) && said.err.contains(newer[1].key.as_str()),
        "{}",
        said.err
    );
    assert!(
        !said.err.contains(images[0].key.as_str()),
        "the backup has its bytes: {}",
        said.err
    );
    // The snapshot is whole but for these, and says so.
    let said = berth.run(&["verify", text(kept.path())]).ok();
    assert!(said.err.contains("2 files were lost before"), "{}", said.err);
    let other = Berth::empty().await;
    other
        .run(&["restore", text(kept.path())])
        .failed(&["--accept-missing", "Nothing was changed"]);
    check_untouched(&other).await;
    other
        .run(&["restore", text(kept.path()), "--accept-missing"])
        .ok();
    assert_eq!(other.rows().await, berth.rows().await);
    let right = other.files().await.values().filter(|is_right| **is_right).count();
    assert_eq!(right, 5, "the one that had rotted, too, from the older backup");
}

#[tokio::test]
async fn a_store_that_is_not_there_is_not_backed_up_as_lost_files() {
    let berth = Berth::new().await;
    let owner = berth.account("owner").await;
    berth.publish_pictures(owner, 1..2).await;
    // A thousand more, of which there are rows alone.
    let rows = "INSERT INTO blob (sha256, md5, key, size_bytes, media_type, doomed_at, created_at)
        SELECT sha256(n::text::bytea), decode(md5(n::text), 'hex'), overlay(md5(n::text) || '.png' placing '/' from 3 for 0), 1, 'image/png', now(), now()
        FROM generate_series(1, 1500) AS n";
    berth.owner.execute(rows, &[]).await.unwrap();
    fs::remove_dir_all(berth.store()).unwrap();
    fs::create_dir(berth.store()).unwrap();
    let kept = tempfile::tempdir().unwrap();
    for command in [vec!["backup", text(kept.path())], vec!["verify"]] {
        berth.run(&command).failed(&["is its volume mounted"]);
    }
    berth
        .run(&["verify", text(kept.path())])
        .failed(&["holds no finished snapshot"]);
}
