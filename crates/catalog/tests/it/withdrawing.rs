//! Its owner deletes an image; nobody else can.

use catalog::{Standing, find_image, find_live_by_id, withdraw};
use domain::{Expiry, PublicId};

use crate::rig::{Rig, at, image, noon, publish_at};

#[tokio::test]
async fn a_withdrawn_image_is_gone_for_everyone_and_its_blob_doomed() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let id = rig.publish(&image(owner, 1)).await.image.public_id;
    let address = Some([192, 0, 2, 1].into());
    assert!(withdraw(&rig.upload, owner, id, address, at(5)).await.unwrap());
    assert!(find_image(&rig.upload, id).await.unwrap().is_none());
    assert!(find_live_by_id(&rig.serve, id).await.unwrap().is_none());
    let doomed = "SELECT count(*) FROM blob WHERE links = 0 AND doomed_at = '2026-07-01T12:00:05Z'";
    assert_eq!(rig.number(doomed).await, 1);
    assert_eq!(rig.number("SELECT used_bytes + used_files FROM account").await, 0);
    assert_eq!(
        rig.number("SELECT count(*) FROM event WHERE kind = 'withdraw'")
            .await,
        1
    );
    rig.check_invariants().await;
}

#[tokio::test]
async fn only_a_live_image_of_ones_own_can_be_withdrawn() {
    let rig = Rig::new().await;
    let (owner, stranger) = (rig.account("owner").await, rig.account("stranger").await);
    let mut new = image(owner, 1);
    new.expiry = Expiry::At(at(60));
    let id = rig.publish(&new).await.image.public_id;
    for (what, account, id, now) in [
        ("somebody else's", stranger, id, noon()),
        ("none", owner, PublicId::from_random([9; 16]), noon()),
        ("an expired one", owner, id, at(60)),
    ] {
        assert!(
            !withdraw(&rig.upload, account, id, None, now).await.unwrap(),
            "{what}"
        );
    }
    assert!(withdraw(&rig.upload, owner, id, None, at(59)).await.unwrap());
    assert!(
        !withdraw(&rig.upload, owner, id, None, at(59)).await.unwrap(),
        "not twice"
    );
    rig.check_invariants().await;
}

#[tokio::test]
async fn a_blob_that_another_image_links_to_is_not_doomed() {
    let rig = Rig::new().await;
    let (one, other) = (rig.account("one").await, rig.account("other").await);
    let first = rig.publish(&image(one, 1)).await.image.public_id;
    let second = rig.publish(&image(other, 1)).await.image.public_id;
    assert!(withdraw(&rig.upload, one, first, None, noon()).await.unwrap());
    assert_eq!(
        rig.number("SELECT links FROM blob WHERE doomed_at IS NULL").await,
        1
    );
    assert!(find_live_by_id(&rig.serve, second).await.unwrap().is_some());
    rig.check_invariants().await;
}

#[tokio::test]
async fn uploading_withdrawn_bytes_again_gives_a_new_image_and_saves_the_blob() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let first = rig.publish(&image(owner, 1)).await.image;
    assert!(
        withdraw(&rig.upload, owner, first.public_id, None, at(1))
            .await
            .unwrap()
    );
    let second = publish_at(&rig.upload, &image(owner, 1), at(2)).await.unwrap();
    assert_eq!(second.standing, Standing::Uploaded);
    assert_ne!(second.image.public_id, first.public_id);
    assert_eq!(second.image.key, first.key);
    assert_eq!(
        rig.number("SELECT count(*) FROM blob WHERE doomed_at IS NULL")
            .await,
        1
    );
    rig.check_invariants().await;
}
