//! Smaller copies go with their blob, and are wished for where they are missing.

use domain::{BlobKey, VariantFormat, VariantKey};

use crate::rig::{Rig, seconds};

const HOUR: i64 = 60 * 60;

#[tokio::test]
async fn variants_go_with_their_blob_and_with_no_other() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let mut files = Vec::new();
    for seed in 1..=2 {
        let image = rig.upload(owner, seed, None).await;
        let blob: BlobKey = image.key.parse().unwrap();
        let key = VariantKey::new(&blob, 300, VariantFormat::Webp);
        let derived = rig.writer.stage_derived().unwrap();
        std::fs::write(derived.path(), b"a small picture").unwrap();
        assert_eq!(derived.measure().unwrap().0, 15);
        rig.writer.publish_variant(&derived, &key).unwrap();
        assert!(!derived.path().exists(), "it was moved");
        files.push((image, rig.data().join("blobs").join(key.as_str())));
    }
    assert!(files.iter().all(|(_, file)| file.exists()));
    rig.withdraw(&files[0].0).await;
    rig.clock.advance(seconds(HOUR));
    assert_eq!(rig.clean().await.blobs_swept, 1);
    assert_eq!(
        files.iter().map(|(_, file)| file.exists()).collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!(rig.number("SELECT count(*) FROM variant").await, 1);
}

#[tokio::test]
async fn thumbnails_that_are_missing_are_wished_for_once() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    for seed in 1..=3 {
        rig.upload(owner, seed, None).await;
    }
    assert_eq!(
        rig.clean().await.variants_wished,
        0,
        "publishing has wished for them"
    );
    rig.owner.batch_execute("DELETE FROM variant").await.unwrap();
    let mut wished = Vec::new();
    for _round in 0..4 {
        wished.push(rig.clean().await.variants_wished);
    }
    assert_eq!(wished.iter().sum::<u64>(), 3, "{wished:?}");
    assert_eq!(
        rig.number("SELECT count(*) FROM variant WHERE due_at IS NOT NULL")
            .await,
        3
    );
}
