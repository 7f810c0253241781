//! Files of a live berth that are lost come back without a row being touched.

use std::fs;

use crate::rig::{Berth, text};

#[tokio::test]
async fn lost_and_damaged_files_are_found_and_healed_by_id_or_md5() {
    let berth = Berth::new().await;
    let owner = berth.account("owner").await;
    let images = berth.publish_pictures(owner, 99..105).await;
    let kept = tempfile::tempdir().unwrap();
    berth.run(&["backup", text(kept.path())]).ok();
    berth.run(&["verify"]).ok();
    let before = berth.rows().await;
    let good = fs::read(berth.file(&images[1])).unwrap();
    // A flip, a loss and a cut.
    let mut bad = good.clone();
    bad[500_000] ^= 32;
    fs::write(berth.file(&images[1]), bad).unwrap();
    fs::remove_file(berth.file(&images[2])).unwrap();
    let cut = fs::read(berth.file(&images[3])).unwrap();
    fs::write(berth.file(&images[3]), &cut[..10]).unwrap();
    let said = berth.run(&["verify"]).failed(&["3 files of the store", "--only"]);
    for (place, what) in [
        (1, "have changed"),
        (2, "it is not there"),
        (3, "10 bytes instead of"),
    ] {
        let line = said
            .err
            .lines()
            .find(|line| line.contains(images[place].key.as_str()))
            .unwrap();
        assert!(
            line.contains(what) && line.contains(&images[place].public_id.to_string()),
            "{line}"
        );
    }
    // The janitor has found one of them, too.
    let mark = "INSERT INTO damage SELECT blob.id, 'lost', now() FROM blob WHERE key = $1";
    berth.owner.execute(mark, &[&images[2].key]).await.unwrap();
    let md5 = images[3].md5.to_string();
    let ids: Vec<String> = [0, 1, 2]
        .iter()
        .map(|place: &usize| images[*place].public_id.to_string())
        .collect();
    let said = berth
        .run(&[
            "restore",
            text(kept.path()),
            "--only",
            &ids[0],
            &ids[1],
            &ids[2],
            &md5,
        ])
        .ok();
    assert!(
        said.out.contains("Healed 3 files; 1 were whole already"),
        "{}",
        said.out
    );
    berth.run(&["verify"]).ok();
    assert_eq!(fs::read(berth.file(&images[1])).unwrap(), good);
    let marks = "SELECT count(*) FROM damage";
    assert_eq!(
        berth.number(marks).await,
        0,
        "and nobody believes that it is damaged any more"
    );
    let healed = "DELETE FROM event WHERE kind = 'blob_healed'";
    assert_eq!(berth.owner.execute(healed, &[]).await.unwrap(), 1);
    assert_eq!(berth.rows().await, before);

    // All that the janitor found, without naming them.
    for image in &images[4..6] {
        fs::remove_file(berth.file(image)).unwrap();
        berth.owner.execute(mark, &[&image.key]).await.unwrap();
    }
    let said = berth
        .run(&["restore", text(kept.path()), "--only", "damaged"])
        .ok();
    assert!(said.out.contains("Healed 2 files"), "{}", said.out);
    berth.run(&["verify"]).ok();
    assert_eq!(berth.number(marks).await, 0);
}

#[tokio::test]
async fn what_the_backup_does_not_have_or_has_damaged_is_not_put_back() {
    let berth = Berth::new().await;
    let owner = berth.account("owner").await;
    let images = berth.publish_pictures(owner, 1..3).await;
    let kept = tempfile::tempdir().unwrap();
    berth.run(&["backup", text(kept.path())]).ok();
    let later = berth.publish_pictures(owner, 3..4).await;
    for image in images.iter().chain(&later) {
        fs::remove_file(berth.file(image)).unwrap();
    }
    let sql = "SELECT encode(sha256, 'hex') FROM blob WHERE key = $1";
    let sha256: String = berth
        .owner
        .query_one(sql, &[&images[0].key.as_str()])
        .await
        .unwrap()
        .get(0);
    let copy = kept.path().join(format!("blobs/{}/{sha256}.png", &sha256[..2]));
    let mut bytes = fs::read(&copy).unwrap();
    bytes[9] ^= 1;
    fs::write(&copy, bytes).unwrap();
    let ids: Vec<String> = images
        .iter()
        .chain(&later)
        .map(|image| image.public_id.to_string())
        .collect();
    let said = berth.run(&[
        "restore",
        text(kept.path()),
        "--only",
        &ids[0],
        &ids[1],
        &ids[2],
        "AAAAAAAAAAAA",
    ]);
    let said = said.failed(&[
        "3 could not be healed",
        "there is no such image",
        "does not have the bytes",
    ]);
    assert!(said.out.contains("Healed 1 files"), "{}", said.out);
    assert!(
        berth.file(&images[1]).exists()
            && !berth.file(&images[0]).exists()
            && !berth.file(&later[0]).exists()
    );
    berth
        .run(&["restore", text(kept.path()), "--only", "not an id"])
        .failed(&["neither the id of an image nor an MD5"]);
}
