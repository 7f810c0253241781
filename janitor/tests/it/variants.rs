//! Smaller copies go with their blob, and are wished for where they are missing.

use std::sync::Arc;

use catalog::{Derived, NewVariant, claim_due_variants, keep_variants};
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
        let derived = Arc::new(derived);
        let published = rig.writer.publish_variant(Arc::clone(&derived), key.clone());
        published.await.unwrap();
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

#[tokio::test]
async fn a_variant_whose_file_is_lost_is_wished_for_anew_and_the_others_are_not() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let uploads = rig.database.catalog_as(catalog::ServiceRole::Upload);
    let mut files = Vec::new();
    for seed in 1..=3 {
        let image = rig.upload(owner, seed, None).await;
        let blob: BlobKey = image.key.parse().unwrap();
        files.push(
            rig.data()
                .join("blobs")
                .join(VariantKey::new(&blob, 300, VariantFormat::Webp).as_str()),
        );
    }
    let lease = std::time::Duration::from_mins(1);
    while let Some(due) = claim_due_variants(&uploads, rig.clock.now(), lease)
        .await
        .unwrap()
    {
        let key = VariantKey::new(&due.key, 300, VariantFormat::Webp);
        let file = rig.writer.stage_derived().unwrap();
        std::fs::write(file.path(), b"a small picture").unwrap();
        let (size_bytes, sha256) = file.measure().unwrap();
        let made = NewVariant {
            named_width: 300,
            format: VariantFormat::Webp,
            dimensions: (300, 200),
            size_bytes,
            sha256,
        };
        let derived = Derived {
            made: vec![made],
            ..Derived::default()
        };
        let place = |_| rig.writer.publish_variant(Arc::new(file), key);
        assert!(
            keep_variants(&uploads, due.blob_id, derived, place)
                .await
                .unwrap()
                .is_some()
        );
    }
    assert_eq!(rig.clean().await.variants_wished, 0, "all of them are there");
    std::fs::remove_file(&files[1]).unwrap();
    // The walk goes on behind what it has looked at: two rounds are one way through.
    let wished = rig.clean().await.variants_wished + rig.clean().await.variants_wished;
    assert_eq!(wished, 1);
    let again = "SELECT count(*) FROM variant WHERE due_at IS NOT NULL AND sha256 IS NOT NULL";
    assert_eq!(rig.number(again).await, 1);
    let due = claim_due_variants(&uploads, rig.clock.now(), lease)
        .await
        .unwrap()
        .unwrap();
    let lost = VariantKey::new(&due.key, 300, VariantFormat::Webp);
    assert!(files[1].ends_with(lost.as_str()), "{lost}");
    assert_eq!(rig.clean().await.variants_wished, 0, "once is enough");
}
