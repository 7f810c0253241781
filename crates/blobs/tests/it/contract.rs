//! What every store promises, whatever is behind the handles.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use blobs::{Error, Examined, StoredFiles};
use domain::{BlobKey, MediaType, VariantFormat, VariantKey};
use tokio::task::JoinSet;

use crate::{
    ground::{Ground, key_of},
    read,
};

/// More than goes up in one request, and no whole number of parts.
const LARGE: usize = 11_000_000;

fn bytes(length: usize, seed: u8) -> Vec<u8> {
    (0..=250)
        .cycle()
        .map(|byte: u8| byte ^ seed)
        .take(length)
        .collect()
}

#[tokio::test]
async fn what_is_published_is_read_whole_and_in_parts() {
    for ground in Ground::both().await {
        let all = bytes(300_000, 0);
        let key = ground.published(&all).await;
        for (part, expected) in [
            (0..u64::MAX, 0..300_000),
            (0..300_000, 0..300_000),
            (0..1, 0..1),
            (299_999..300_000, 299_999..300_000),
            (150_001..215_537, 150_001..215_537),
            (299_000..303_000, 299_000..300_000),
            (300_000..300_010, 0..0),
            (900_000..900_010, 0..0),
            (7..7, 0..0),
        ] {
            let told = format!("{}: {part:?}", ground.name);
            let blob = ground.reader.open(&key, part).await.unwrap().unwrap();
            assert_eq!(blob.size_bytes(), 300_000, "{told}");
            let pieces = blob.into_pieces();
            assert_eq!(pieces.left(), expected.len() as u64, "{told}");
            assert!(read(pieces).await == all[expected], "{told}");
        }
        let blob = ground.reader.open(&key, 5..=9).await.unwrap().unwrap();
        assert_eq!(blob.into_pieces().read_all().await.unwrap(), all[5..=9]);
        assert_eq!(ground.staging_names(), Vec::<String>::new(), "{}", ground.name);
    }
}

#[tokio::test]
async fn a_large_file_is_seen_by_nobody_before_it_is_published() {
    for ground in Ground::both().await {
        let all = bytes(LARGE, 1);
        let staged = ground.staged(&all).await;
        let key = key_of(&staged);
        ground.writer.send_ahead(&staged, &key).await.unwrap();
        assert!(ground.bytes_of(&key).await.is_none(), "{}", ground.name);
        ground.writer.publish(staged, key.clone()).await.unwrap();
        assert!(ground.bytes_of(&key).await.unwrap() == all, "{}", ground.name);
        // Once more, now that it is there: nothing goes up, and nothing changes.
        ground.published(&all).await;
        assert!(ground.bytes_of(&key).await.unwrap() == all, "{}", ground.name);
        assert!(ground.server.is_none_or(|server| server.parts() == 0));
    }
}

#[tokio::test]
async fn a_large_file_that_belongs_elsewhere_is_sent_there_and_one_that_is_given_up_leaves_nothing() {
    let ground = Ground::bucket().await;
    let staged = ground.staged(&bytes(LARGE, 2)).await;
    let (plain, right) = (
        key_of(&staged),
        BlobKey::colliding(staged.md5(), staged.sha256(), MediaType::Png),
    );
    ground.writer.send_ahead(&staged, &plain).await.unwrap();
    let outcome = ground.writer.publish(Arc::clone(&staged), right.clone()).await;
    assert!(
        matches!(&outcome, Err(Error::NotSent { key }) if *key == right),
        "{outcome:?}"
    );
    ground.publish(staged, &right).await.unwrap();
    assert!(ground.bytes_of(&plain).await.is_none());
    assert!(ground.bytes_of(&right).await.is_some());

    let staged = ground.staged(&bytes(LARGE, 3)).await;
    ground.writer.send_ahead(&staged, &key_of(&staged)).await.unwrap();
    drop(staged);
    let server = ground.server.as_ref().unwrap();
    let forgotten = async {
        while server.parts() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), forgotten)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_same_bytes_from_many_at_once_are_one_object() {
    for ground in Ground::both().await {
        let ground = Arc::new(ground);
        let mut uploads = JoinSet::new();
        for _ in 0..16 {
            let ground = Arc::clone(&ground);
            uploads.spawn(async move { ground.published(&bytes(40_000, 4)).await });
        }
        let keys = uploads.join_all().await;
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert!(ground.bytes_of(&keys[0]).await.unwrap() == bytes(40_000, 4));
        let folder = u8::from_str_radix(keys[0].folder(), 16).unwrap();
        let stored = ground.remover.stored_files(folder, far()).await.unwrap();
        assert_eq!(stored.settled, [(keys[0].clone(), 40_000)], "{}", ground.name);
    }
}

#[tokio::test]
async fn what_is_gone_is_gone_at_once_and_removing_it_again_is_as_good() {
    for ground in Ground::both().await {
        let (key, other) = (
            ground.published(b"picture").await,
            ground.published(b"another").await,
        );
        let variants: Vec<VariantKey> = [160, 300]
            .map(|width| VariantKey::new(&key, width, VariantFormat::Webp))
            .into();
        for variant in &variants {
            ground.derived(b"smaller", variant).await;
            let blob = ground.reader.open_variant(variant, ..).await.unwrap().unwrap();
            assert_eq!(read(blob.into_pieces()).await, b"smaller");
        }
        assert_eq!(ground.remover.have_lost(variants.clone()).await, [false, false]);
        for _ in 0..2 {
            let removed = ground.remover.remove(key.clone(), variants.clone()).await;
            removed.unwrap();
            assert!(ground.bytes_of(&key).await.is_none(), "{}", ground.name);
            let variant = ground.reader.open_variant(&variants[0], ..).await;
            assert!(variant.unwrap().is_none(), "{}", ground.name);
        }
        assert_eq!(ground.remover.have_lost(variants).await, [true, true]);
        assert_eq!(ground.bytes_of(&other).await.unwrap(), b"another");
        ground.published(b"picture").await;
        assert_eq!(ground.bytes_of(&key).await.unwrap(), b"picture");
        // Many at once, some of which are not there.
        let gone = BlobKey::plain(domain::Md5([9; 16]), MediaType::Png);
        let all = [key, gone, other].map(|key| (key, Vec::new()));
        let outcomes = ground.remover.remove_all(all.to_vec()).await;
        assert_eq!(outcomes.len(), 3);
        assert!(
            outcomes.iter().all(Result::is_ok),
            "{}: {outcomes:?}",
            ground.name
        );
        assert!(ground.bytes_of(&all[2].0).await.is_none());
    }
}

#[tokio::test]
async fn a_damaged_or_lost_blob_is_healed_by_the_next_upload_of_its_bytes() {
    for ground in Ground::both().await {
        let key = ground.published(b"picture").await;
        let path = ground.path(key.as_str());
        for damage in [&b""[..], b"pict", b"picture and more", b"PICTURE"] {
            std::fs::write(&path, damage).unwrap();
            ground.published(b"picture").await;
            assert_eq!(ground.bytes_of(&key).await.unwrap(), b"picture", "{damage:?}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(ground.bytes_of(&key).await.is_none());
        ground.published(b"picture").await;
        assert_eq!(ground.bytes_of(&key).await.unwrap(), b"picture");
        assert_eq!(ground.staging_names(), Vec::<String>::new(), "{}", ground.name);
    }
}

#[tokio::test]
async fn what_a_failed_publication_left_under_the_same_name_and_length_is_replaced() {
    for ground in Ground::both().await {
        let (wrong, right) = (
            ground.staged(b"the wrong bytes").await,
            ground.staged(b"the right bytes").await,
        );
        let key = key_of(&right);
        // As a file of the same MD5 would.
        ground.publish(wrong, &key).await.unwrap();
        ground.publish(right, &key).await.unwrap();
        assert_eq!(ground.bytes_of(&key).await.unwrap(), b"the right bytes");
    }
}

#[tokio::test]
async fn the_store_tells_what_it_holds() {
    for ground in Ground::both().await {
        let key = ground.published(b"picture").await;
        let folder = u8::from_str_radix(key.folder(), 16).unwrap();
        std::fs::write(ground.path(&format!("{}/odd.txt", key.folder())), "odd").unwrap();
        let variant = VariantKey::new(&key, 300, VariantFormat::Webp);
        ground.derived(b"smaller", &variant).await;
        let young = ground.remover.stored_files(folder, SystemTime::UNIX_EPOCH).await;
        let expected = StoredFiles {
            settled: Vec::new(),
            odd: 1,
        };
        assert_eq!(young.unwrap(), expected, "{}", ground.name);
        let settled = ground.remover.stored_files(folder, far()).await.unwrap();
        assert_eq!(settled.settled, [(key.clone(), 7)], "{}", ground.name);
        let empty = ground.remover.stored_files(folder ^ 1, far()).await.unwrap();
        assert_eq!(empty, StoredFiles::default(), "{}", ground.name);
        let gone = BlobKey::plain(domain::Md5([9; 16]), MediaType::Png);
        let asked = vec![(key.clone(), 7), (key, 8), (gone, 7)];
        assert_eq!(ground.remover.hold(asked).await.unwrap(), [true, false, false]);
    }
}

#[tokio::test]
async fn a_large_blob_that_was_damaged_is_healed_too() {
    for ground in Ground::both().await {
        let all = bytes(LARGE, 5);
        let key = ground.published(&all).await;
        let mut damaged = all.clone();
        damaged[LARGE / 2] ^= 1;
        std::fs::write(ground.path(key.as_str()), damaged).unwrap();
        ground.published(&all).await;
        assert!(ground.bytes_of(&key).await.unwrap() == all, "{}", ground.name);
    }
}

#[tokio::test]
async fn a_blob_is_examined_for_what_it_holds() {
    for ground in Ground::both().await {
        let all = bytes(2_500_000, 6);
        let staged = ground.staged(&all).await;
        let (key, md5, sha256) = (key_of(&staged), staged.md5(), staged.sha256());
        ground.publish(staged, &key).await.unwrap();
        let examine = async |size_bytes| {
            let mut told = 0;
            let pace = |count| {
                told += count;
                std::future::ready(())
            };
            let examined = ground.remover.examine(&key, size_bytes, pace).await;
            (examined.unwrap(), told)
        };
        let (examined, told) = examine(2_500_000).await;
        assert_eq!(examined, Examined::Bytes { md5, sha256 }, "{}", ground.name);
        assert!((1 << 20..=2_500_000).contains(&told), "{}: {told}", ground.name);
        assert_eq!(
            examine(7).await.0,
            Examined::OtherLength(2_500_000),
            "{}",
            ground.name
        );
        ground.remover.remove(key.clone(), vec![]).await.unwrap();
        assert_eq!(examine(2_500_000).await.0, Examined::Gone, "{}", ground.name);
    }
}

#[tokio::test]
async fn a_blob_is_at_hand_as_a_file_for_as_long_as_it_is_needed() {
    for ground in Ground::both().await {
        let key = ground.published(b"picture").await;
        let file = ground.writer.at_hand(&key).await.unwrap().unwrap();
        assert_eq!(std::fs::read(file.path()).unwrap(), b"picture");
        drop(file);
        assert_eq!(ground.staging_names(), Vec::<String>::new(), "{}", ground.name);
        let gone = BlobKey::plain(domain::Md5([9; 16]), MediaType::Png);
        assert!(ground.writer.at_hand(&gone).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn each_handle_proves_that_it_can_do_its_work() {
    for ground in Ground::both().await {
        ground.reader.prove().await.unwrap();
        ground.writer.prove().await.unwrap();
        ground.reader.prove().await.unwrap();
        ground.remover.prove().await.unwrap();
        ground.reader.check().await.unwrap();
        ground.remover.check().await.unwrap();
    }
}

/// Later than anything that a test writes.
fn far() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 200)
}
