//! Variants are wished for, derived, given up, lost and swept.

use std::{convert::Infallible, time::Duration};

use catalog::{
    Derived, DueVariants, NewImage, NewVariant, VariantState, claim_due_variants, find_variant,
    keep_variants, put_variants_off, sweep_batch, wish_for_lost_variant, wish_for_missing_thumbnails,
    wish_for_variant, withdraw,
};
use domain::{
    MediaType, Sha256,
    VariantFormat::{self, Jpeg, Webp},
};

use crate::rig::{Rig, at, image, noon};

const LEASE: Duration = Duration::from_mins(1);

async fn place(_kept: Vec<(u32, VariantFormat)>) -> Result<(), Infallible> {
    Ok(())
}

/// One that has room for some variants.
fn photo(owner: i64, content: u64) -> NewImage {
    let mut photo = image(owner, content);
    photo.blob.size_bytes = 1_000_000;
    photo
}

fn variant(named_width: u32, format: VariantFormat) -> NewVariant {
    NewVariant {
        named_width,
        format,
        dimensions: (named_width, named_width / 2),
        size_bytes: u64::from(named_width) * 10,
        sha256: Sha256([7; 32]),
    }
}

fn made(variants: Vec<NewVariant>) -> Derived {
    Derived {
        made: variants,
        thumbhash: Some(vec![1, 2, 3]),
        dominant_color: Some([10, 20, 30]),
        ..Derived::default()
    }
}

async fn claim(rig: &Rig, seconds: i64) -> Option<DueVariants> {
    claim_due_variants(&rig.upload, at(seconds), LEASE).await.unwrap()
}

async fn find(rig: &Rig, blob: i64, width: u32) -> VariantState {
    find_variant(&rig.serve, blob, width, Webp).await.unwrap()
}

async fn only_blob(rig: &Rig) -> i64 {
    rig.number("SELECT max(id) FROM blob").await
}

#[tokio::test]
async fn a_new_picture_wants_its_thumbnail_and_gets_it_once() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    for (seed, media_type) in [(8, MediaType::Avif), (9, MediaType::Heic)] {
        let mut photo = photo(owner, seed);
        photo.blob.media_type = media_type;
        rig.publish(&photo).await;
        assert_eq!(claim(&rig, 0).await, None, "{media_type} is not decoded");
    }
    let mut video = photo(owner, 10);
    video.blob.media_type = MediaType::Mp4;
    rig.publish(&video).await;
    let due = claim(&rig, 0).await.unwrap();
    assert_eq!(due.wanted, [(300, Webp)], "a video has a poster");
    let nothing_in_it = Derived {
        none: vec![(300, Webp, "no_picture")],
        ..Derived::default()
    };
    let kept = keep_variants(&rig.upload, due.blob_id, nothing_in_it, place);
    assert!(kept.await.unwrap().is_some());
    assert_eq!(find(&rig, due.blob_id, 300).await, VariantState::Never);
    let published = rig.publish(&photo(owner, 1)).await;
    let blob = only_blob(&rig).await;
    assert_eq!(find(&rig, blob, 300).await, VariantState::Wished { larger: None });
    let due = claim(&rig, 0).await.unwrap();
    assert_eq!(
        (due.blob_id, due.wanted.as_slice(), due.tries),
        (blob, &[(300, Webp)][..], 0)
    );
    assert_eq!(due.key.as_str(), published.image.key);
    assert_eq!(
        claim(&rig, 59).await,
        None,
        "it is somebody's for the time of the lease"
    );
    let derived = made(vec![variant(300, Webp)]);
    assert!(
        keep_variants(&rig.upload, blob, derived, place)
            .await
            .unwrap()
            .is_some()
    );
    match find(&rig, blob, 300).await {
        VariantState::There(record) => {
            assert_eq!((record.width, record.height, record.size_bytes), (300, 150, 3000));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(claim(&rig, 3600).await, None);
    let look = "SELECT count(*) FROM blob WHERE thumbhash = '\\x010203' AND dominant_color = '\\x0a141e'";
    assert_eq!(rig.number(look).await, 1);
}

#[tokio::test]
async fn what_a_dead_process_had_claimed_is_due_again_and_counts_as_a_try() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    rig.publish(&photo(owner, 1)).await;
    for tries in 0..3u16 {
        let due = claim(&rig, i64::from(tries) * 60).await.unwrap();
        assert_eq!(due.tries, tries);
    }
    let due = claim(&rig, 180).await.unwrap();
    put_variants_off(&rig.upload, &due, at(180), Duration::from_mins(5))
        .await
        .unwrap();
    assert_eq!(claim(&rig, 479).await, None);
    assert_eq!(claim(&rig, 480).await.unwrap().tries, 4);
}

#[tokio::test]
async fn several_who_derive_never_have_the_same_blob() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    for content in 0..20 {
        rig.publish(&photo(owner, content)).await;
    }
    let (one, other) = (
        rig.upload.clone(),
        rig.database.catalog_as(catalog::ServiceRole::Upload),
    );
    let drain = async |catalog: catalog::Catalog| {
        let mut blobs = Vec::new();
        while let Some(due) = claim_due_variants(&catalog, at(1), LEASE).await.unwrap() {
            blobs.push(due.blob_id);
        }
        blobs
    };
    let (mut blobs, others) = tokio::join!(drain(one), drain(other));
    blobs.extend(others);
    let claimed = blobs.len();
    blobs.sort_unstable();
    blobs.dedup();
    assert!(claimed == blobs.len(), "one twice");
    // Who lost a race for a row may have come home with nothing; the rest is due still.
    while let Some(due) = claim(&rig, 1).await {
        blobs.push(due.blob_id);
    }
    assert_eq!(blobs.len(), 20);
}

#[tokio::test]
async fn serve_wishes_for_what_it_is_asked_for_and_all_of_a_blob_is_derived_together() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    rig.publish(&photo(owner, 1)).await;
    let blob = only_blob(&rig).await;
    assert_eq!(
        find(&rig, blob, 640).await,
        VariantState::Unknown { larger: None }
    );
    for _twice in 0..2 {
        for (width, format) in [(640, Webp), (640, Jpeg), (1280, Webp)] {
            wish_for_variant(&rig.serve, blob, width, format, noon())
                .await
                .unwrap();
        }
    }
    let mut due = claim(&rig, 0).await.unwrap();
    due.wanted.sort_unstable();
    assert_eq!(due.wanted, [(300, Webp), (640, Webp), (640, Jpeg), (1280, Webp)]);
    let derived = Derived {
        none: vec![(640, Webp, "broken")],
        ..made(vec![variant(300, Webp), variant(1280, Webp)])
    };
    keep_variants(&rig.upload, blob, derived, place).await.unwrap();
    assert_eq!(find(&rig, blob, 640).await, VariantState::Never);
    match find(&rig, blob, 810).await {
        VariantState::Unknown { larger: Some(larger) } => assert_eq!(larger.named_width, 1280),
        other => panic!("{other:?}"),
    }
    // What was given up is not wished for again.
    wish_for_variant(&rig.serve, blob, 640, Webp, noon())
        .await
        .unwrap();
    assert_eq!(find(&rig, blob, 640).await, VariantState::Never);
}

#[tokio::test]
async fn what_a_broken_file_had_no_variants_for_is_tried_again_when_its_bytes_come_again() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let photo = photo(owner, 1);
    rig.publish(&photo).await;
    let blob = only_blob(&rig).await;
    wish_for_variant(&rig.serve, blob, 640, Webp, noon())
        .await
        .unwrap();
    claim(&rig, 0).await.unwrap();
    let given_up = Derived {
        none: vec![(300, Webp, "broken"), (640, Webp, "original_is_narrower")],
        ..Derived::default()
    };
    keep_variants(&rig.upload, blob, given_up, place).await.unwrap();
    assert_eq!(claim(&rig, 1_000).await, None, "broken is broken");
    rig.publish(&photo).await;
    let due = claim(&rig, 2_000).await.unwrap();
    assert_eq!((due.wanted, due.tries), (vec![(300, Webp)], 0));
}

#[tokio::test]
async fn a_lost_variant_is_derived_again() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    rig.publish(&photo(owner, 1)).await;
    let blob = only_blob(&rig).await;
    let due = claim(&rig, 0).await.unwrap();
    keep_variants(&rig.upload, due.blob_id, made(vec![variant(300, Webp)]), place)
        .await
        .unwrap();
    wish_for_lost_variant(&rig.serve, blob, 300, Webp, at(1))
        .await
        .unwrap();
    assert_eq!(claim(&rig, 1).await.unwrap().wanted, [(300, Webp)]);
    // A wish for the variant of a blob that is gone is none.
    wish_for_variant(&rig.serve, blob + 1, 300, Webp, at(1))
        .await
        .unwrap();
    assert_eq!(rig.number("SELECT count(*) FROM variant").await, 1);
}

#[tokio::test]
async fn variants_are_swept_with_their_blob_those_that_were_only_wished_for_too() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let published = rig.publish(&photo(owner, 1)).await.image;
    let blob = only_blob(&rig).await;
    wish_for_variant(&rig.serve, blob, 810, Jpeg, noon())
        .await
        .unwrap();
    withdraw(&rig.upload, owner, published.public_id, None, noon())
        .await
        .unwrap();
    let stem = published.key.trim_end_matches(".png").to_owned();
    let mut seen = Vec::new();
    let swept = sweep_batch(&rig.janitor, 10, at(1), |doomed| {
        seen.extend(doomed[0].variants.iter().map(ToString::to_string));
        async move { doomed.iter().map(|blob| blob.id).collect() }
    });
    assert_eq!(swept.await.unwrap().blobs, 1);
    seen.sort();
    assert_eq!(
        seen,
        [
            format!("variants/{stem}-300.webp"),
            format!("variants/{stem}-810.jpg")
        ]
    );
    assert_eq!(rig.number("SELECT count(*) FROM variant").await, 0);
    let derived = made(vec![variant(300, Webp)]);
    let mut placed = false;
    let kept = keep_variants(&rig.upload, blob, derived, |kept| {
        placed = true;
        place(kept)
    });
    assert!(
        kept.await.unwrap().is_none() && !placed,
        "nothing is put in place for a blob that is gone"
    );
}

#[tokio::test]
async fn what_its_blob_has_no_room_for_is_neither_placed_nor_kept_and_is_never_wished_for_again() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let mut photo = photo(owner, 1);
    photo.blob.size_bytes = 80_000;
    rig.publish(&photo).await;
    let blob = only_blob(&rig).await;
    for width in [640, 810] {
        wish_for_variant(&rig.serve, blob, width, Webp, noon())
            .await
            .unwrap();
    }
    claim(&rig, 0).await.unwrap();
    // 3,000 bytes, 6,400 and 8,100: an eighth is 10,000, and of that a third is not for 640.
    let both = made(vec![variant(640, Webp), variant(300, Webp)]);
    let mut placed: Vec<(u32, VariantFormat)> = Vec::new();
    let kept = keep_variants(&rig.upload, blob, both, |kept| {
        placed.extend(&kept);
        place(kept)
    });
    let kept = kept.await.unwrap().unwrap();
    assert_eq!(placed, [(300, Webp), (640, Webp)]);
    assert_eq!(kept.made.len(), 2);
    let too_much = keep_variants(&rig.upload, blob, made(vec![variant(810, Webp)]), place);
    let too_much = too_much.await.unwrap().unwrap();
    assert_eq!(
        (too_much.made.len(), too_much.none),
        (0, vec![(810, Webp, "no_room")])
    );
    wish_for_variant(&rig.serve, blob, 810, Webp, at(1))
        .await
        .unwrap();
    assert_eq!(claim(&rig, 1_000).await, None);
    assert_eq!(find(&rig, blob, 810).await, VariantState::NoRoom { larger: None });
    // One whose file was lost has its room.
    wish_for_lost_variant(&rig.serve, blob, 640, Webp, at(1))
        .await
        .unwrap();
    claim(&rig, 1).await.unwrap();
    let again = keep_variants(&rig.upload, blob, made(vec![variant(640, Webp)]), place);
    assert_eq!(again.await.unwrap().unwrap().made.len(), 1);
    wish_for_variant(&rig.serve, blob, 480, Webp, at(2))
        .await
        .unwrap();
    claim(&rig, 2).await.unwrap();
    let smaller = keep_variants(&rig.upload, blob, made(vec![variant(480, Webp)]), place);
    assert_eq!(smaller.await.unwrap().unwrap().none, [(480, Webp, "no_room")]);
    match find(&rig, blob, 480).await {
        VariantState::NoRoom { larger: Some(larger) } => assert_eq!(larger.named_width, 640),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_janitor_wishes_for_thumbnails_that_are_missing() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    for content in 0..5 {
        rig.publish(&photo(owner, content)).await;
    }
    rig.owner
        .batch_execute("DELETE FROM variant WHERE blob_id <> (SELECT min(id) FROM blob)")
        .await
        .unwrap();
    let (mut after, mut wished) = (0, Vec::new());
    loop {
        let looked = wish_for_missing_thumbnails(&rig.janitor, after, 2, noon());
        let (found, last) = looked.await.unwrap();
        let Some(last) = last else { break };
        wished.push(found);
        after = last;
    }
    assert_eq!(wished, [1, 2, 1], "the first one has its own");
    let again = wish_for_missing_thumbnails(&rig.janitor, 0, 100, noon());
    assert_eq!(again.await.unwrap().0, 0);
}
