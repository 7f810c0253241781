//! MD5 collisions cost an attacker nothing. Each file keeps its own bytes, whatever it is called by.

use std::path::Path;

use catalog::{NewBlob, NewImage, Standing, expire_batch, find_live_by_key, withdraw};
use domain::{BlobKey, Md5, MediaType, Sha256};
use jiff::SignedDuration;
use md5::Digest as _;

use crate::rig::{Rig, image, noon};

async fn each_keeps_its_own_bytes(rig: &Rig, first: &NewImage, second: &NewImage) {
    assert_eq!(first.blob.md5, second.blob.md5);
    assert_ne!(first.blob.sha256, second.blob.sha256);
    let (one, two) = (rig.publish(first).await.image, rig.publish(second).await.image);
    assert_eq!(
        one.key,
        BlobKey::plain(first.blob.md5, first.blob.media_type).as_str()
    );
    let suffixed = BlobKey::colliding(second.blob.md5, second.blob.sha256, second.blob.media_type);
    assert_eq!(two.key, suffixed.as_str());
    assert_eq!((one.sha256, two.sha256), (first.blob.sha256, second.blob.sha256));
    for (new, key) in [(first, &one.key), (second, &two.key)] {
        let again = rig.publish(new).await;
        assert_eq!((again.standing, &again.image.key), (Standing::Existing, key));
        let found = find_live_by_key(&rig.serve, &key.parse().unwrap(), noon())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.sha256, new.blob.sha256);
    }
    assert!(
        withdraw(&rig.upload, first.account_id, one.public_id, None, noon())
            .await
            .unwrap()
    );
    let left = find_live_by_key(&rig.serve, &suffixed, noon())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(left.sha256, second.blob.sha256, "the other one stays");
    let gone = find_live_by_key(&rig.serve, &one.key.parse().unwrap(), noon())
        .await
        .unwrap();
    assert!(gone.is_none(), "and does not answer in its place");
    rig.check_invariants().await;
}

#[tokio::test]
async fn two_files_of_one_md5_are_two_blobs() {
    let rig = Rig::new().await;
    let (one, other) = (rig.account("one").await, rig.account("other").await);
    for (content, owners) in [(1, [one, one]), (2, [one, other])] {
        let first = image(owners[0], content);
        let mut second = image(owners[1], content);
        second.blob.sha256 = Sha256([u8::try_from(content).unwrap(); 32]);
        each_keeps_its_own_bytes(&rig, &first, &second).await;
    }
}

#[tokio::test]
async fn a_blob_comes_back_beside_the_one_that_took_its_md5() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let first = image(owner, 1);
    let mut second = image(owner, 1);
    second.blob.sha256 = Sha256([7; 32]);
    let published = rig.publish(&first).await.image;
    rig.publish(&second).await;
    assert!(
        withdraw(&rig.upload, owner, published.public_id, None, noon())
            .await
            .unwrap()
    );
    let all = |doomed: Vec<catalog::Doomed>| async move { doomed.iter().map(|blob| blob.id).collect() };
    let later = noon() + SignedDuration::from_secs(1);
    assert_eq!(expire_batch(&rig.janitor, 10, later).await.unwrap(), 0);
    assert_eq!(
        catalog::sweep_batch(&rig.janitor, 10, later, all)
            .await
            .unwrap()
            .blobs,
        1
    );
    let back = rig.publish(&image(owner, 1)).await.image;
    assert_eq!(
        back.key,
        BlobKey::colliding(first.blob.md5, first.blob.sha256, first.blob.media_type).as_str()
    );
    rig.check_invariants().await;
}

/// Real pairs, where the corpus is at hand; the rows above cover the rule without it.
#[tokio::test]
async fn real_collisions_keep_their_own_bytes_in_both_orders() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/corpus/md5-collisions/made"
    );
    let Ok(entries) = std::fs::read_dir(corpus) else {
        eprintln!("skipped: there is no corpus beside this repository");
        return;
    };
    let rig = Rig::new().await;
    let (one, other) = (rig.account("one").await, rig.account("other").await);
    let paths = entries.map(|entry| entry.unwrap().path());
    let firsts = paths.filter(|path| {
        path.file_stem()
            .is_some_and(|stem| stem.to_string_lossy().ends_with("_A"))
    });
    let mut pairs: Vec<_> = firsts.collect();
    pairs.sort();
    assert!(!pairs.is_empty());
    for (number, a) in pairs.into_iter().enumerate() {
        let b = a.with_file_name(a.file_name().unwrap().to_string_lossy().replace("_A.", "_B."));
        let (first, second) = if number % 2 == 0 { (a, b) } else { (b, a) };
        each_keeps_its_own_bytes(&rig, &image_of(one, &first), &image_of(other, &second)).await;
    }
}

fn image_of(account_id: i64, path: &Path) -> NewImage {
    let bytes = std::fs::read(path).unwrap();
    NewImage {
        blob: NewBlob {
            md5: Md5(md5::Md5::digest(&bytes).into()),
            sha256: Sha256(sha2::Sha256::digest(&bytes).into()),
            size_bytes: bytes.len() as u64,
            media_type: MediaType::from_extension(path.extension().unwrap().to_str().unwrap()).unwrap(),
            dimensions: Some((640, 480)),
            camera: None,
        },
        ..image(account_id, 0)
    }
}
