//! An upload becomes an image: one for each owner and content, over one blob for each content.

use std::{collections::BTreeSet, sync::Arc};

use catalog::{PublishError, Standing, find_image, publish};
use domain::{Expiry, Visibility};
use tokio::task::JoinSet;

use crate::rig::{Rig, at, image, key_of, noon, publish_at};

#[tokio::test]
async fn a_first_upload_is_an_image_with_all_that_was_said_of_it() {
    let rig = Rig::new().await;
    let mut new = image(rig.account("owner").await, 1);
    new.description = "at the sea".to_owned();
    new.visibility = Visibility::Unlisted;
    new.expiry = Expiry::At(at(60));
    let published = rig.publish(&new).await;
    assert_eq!(published.standing, Standing::Uploaded);
    let found = find_image(&rig.upload, new.public_id).await.unwrap().unwrap();
    assert_eq!(found, published.image);
    assert_eq!((found.md5, found.sha256), (new.blob.md5, new.blob.sha256));
    assert_eq!((found.width, found.height), (Some(640), Some(480)));
    assert_eq!(
        (found.name.as_str(), found.description.as_str()),
        ("holiday.png", "at the sea")
    );
    assert_eq!((found.visibility, found.expiry), (new.visibility, new.expiry));
    assert_eq!((found.created_at, found.views), (noon(), 0));
    assert_eq!(
        (found.key, found.size_bytes),
        (key_of(&new).to_string(), new.blob.size_bytes)
    );
    let events = "SELECT count(*) FROM event WHERE kind = 'upload' AND host(client_address) = '192.0.2.7'";
    assert_eq!(rig.number(events).await, 1);
    rig.check_invariants().await;
}

#[tokio::test]
async fn the_same_bytes_from_the_same_owner_answer_the_image_that_is_there() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let first = rig.publish(&image(owner, 1)).await;
    let second = rig.publish(&image(owner, 1)).await;
    assert_eq!(second.standing, Standing::Existing);
    assert_eq!(second.image.public_id, first.image.public_id);
    assert_eq!(rig.number("SELECT links FROM blob").await, 1);
    rig.check_invariants().await;
}

#[tokio::test]
async fn a_second_upload_extends_a_life_and_never_shortens_it() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let until = |seconds| Expiry::At(at(seconds));
    for (content, first, second, expected) in [
        (1, until(60), until(90), until(90)),
        (2, until(60), until(30), until(60)),
        (3, until(60), Expiry::Never, Expiry::Never),
        (4, Expiry::Never, until(60), Expiry::Never),
        (5, Expiry::Never, Expiry::Never, Expiry::Never),
    ] {
        let mut new = image(owner, content);
        new.expiry = first;
        rig.publish(&new).await;
        new.expiry = second;
        assert_eq!(
            rig.publish(&new).await.image.expiry,
            expected,
            "{first:?} then {second:?}"
        );
    }
}

#[tokio::test]
async fn the_same_bytes_from_another_owner_are_another_image_over_the_same_blob() {
    let rig = Rig::new().await;
    let (one, other) = (rig.account("one").await, rig.account("other").await);
    let first = rig.publish(&image(one, 1)).await;
    let second = rig.publish(&image(other, 1)).await;
    assert_eq!(second.standing, Standing::Uploaded);
    assert_ne!(second.image.public_id, first.image.public_id);
    assert_eq!(second.image.key, first.image.key);
    assert_eq!(rig.number("SELECT links FROM blob").await, 2);
    rig.check_invariants().await;
}

#[tokio::test]
async fn an_image_that_expired_and_was_not_written_off_yet_gives_way_to_a_new_one() {
    let rig = Rig::new().await;
    let mut new = image(rig.account("owner").await, 1);
    new.expiry = Expiry::At(at(60));
    let first = rig.publish(&new).await;
    let mut again = image(new.account_id, 1);
    again.expiry = Expiry::At(at(600));
    let at_the_second = publish_at(&rig.upload, &again, at(60)).await.unwrap();
    assert_eq!(at_the_second.standing, Standing::Uploaded);
    assert_ne!(at_the_second.image.public_id, first.image.public_id);
    assert!(
        find_image(&rig.upload, first.image.public_id)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        rig.number("SELECT links FROM blob WHERE doomed_at IS NULL").await,
        1
    );
    rig.check_invariants().await;
}

#[tokio::test]
async fn somebody_elses_album_is_refused_and_nothing_is_left() {
    let rig = Rig::new().await;
    let (one, other) = (rig.account("one").await, rig.account("other").await);
    let sql = "SELECT id FROM album WHERE account_id = $1";
    let album: i64 = rig.owner.query_one(sql, &[&other]).await.unwrap().get(0);
    let mut new = image(one, 1);
    new.album_id = Some(album);
    let mut was_placed = false;
    let refused = publish(&rig.upload, &new, noon(), |_| {
        was_placed = true;
        async { Ok::<(), std::convert::Infallible>(()) }
    })
    .await;
    assert!(matches!(refused, Err(PublishError::NoSuchAlbum)), "{refused:?}");
    assert!(!was_placed, "no file stays behind for a refused image");
    assert_eq!(rig.number("SELECT count(*) FROM blob").await, 0);
    new.account_id = other;
    assert_eq!(rig.publish(&new).await.image.album_id, album);
    rig.check_invariants().await;
}

#[tokio::test]
async fn bytes_that_could_not_be_placed_leave_no_row() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let mut standing = image(owner, 2);
    standing.expiry = Expiry::At(at(60));
    rig.publish(&standing).await;
    standing.expiry = Expiry::At(at(600));
    for new in [image(owner, 1), standing.clone()] {
        let failed = publish(&rig.upload, &new, noon(), |_| async { Err("the disk is full") }).await;
        assert!(
            matches!(failed, Err(PublishError::Bytes("the disk is full"))),
            "{failed:?}"
        );
    }
    assert_eq!(rig.number("SELECT count(*) FROM blob").await, 1);
    assert_eq!(rig.number("SELECT count(*) FROM event").await, 1);
    let kept = find_image(&rig.upload, standing.public_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.expiry, Expiry::At(at(60)), "nor is a life extended");
    rig.check_invariants().await;
    rig.publish(&image(owner, 1)).await;
}

#[tokio::test]
async fn a_file_is_placed_again_for_a_blob_that_is_there_so_that_a_lost_one_is_healed() {
    let rig = Rig::new().await;
    let new = image(rig.account("owner").await, 1);
    rig.publish(&new).await;
    let mut placed = None;
    let place = |key| {
        placed = Some(key);
        async { Ok::<(), std::convert::Infallible>(()) }
    };
    publish(&rig.upload, &new, noon(), place).await.unwrap();
    assert_eq!(placed, Some(key_of(&new)));
}

#[tokio::test]
async fn a_hundred_uploads_of_the_same_bytes_at_once_are_one_blob_and_an_image_for_each_owner() {
    let rig = Rig::new().await;
    let mut owners = Vec::new();
    for number in 0..4 {
        owners.push(rig.account(&format!("owner{number}")).await);
    }
    let upload = Arc::new(rig.upload.clone());
    let mut uploads = JoinSet::new();
    for number in 0..100 {
        let (upload, new) = (Arc::clone(&upload), image(owners[number % owners.len()], 1));
        uploads.spawn(async move { publish_at(&upload, &new, noon()).await.unwrap() });
    }
    let published = uploads.join_all().await;
    let made = published
        .iter()
        .filter(|it| it.standing == Standing::Uploaded)
        .count();
    let ids: BTreeSet<_> = published
        .iter()
        .map(|it| (it.image.account_id, it.image.public_id))
        .collect();
    assert_eq!((made, ids.len()), (4, 4));
    assert_eq!(rig.number("SELECT count(*) FROM blob").await, 1);
    assert_eq!(rig.number("SELECT links FROM blob").await, 4);
    assert_eq!(rig.number("SELECT count(*) FROM event").await, 100);
    rig.check_invariants().await;
}
