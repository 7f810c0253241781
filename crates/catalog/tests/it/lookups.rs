//! serve-svc finds what a URL means.

use catalog::{find_live_by_id, find_live_by_key, withdraw};
use domain::{Expiry, PublicId, Visibility};

use crate::rig::{Rig, at, image, key_of, noon};

#[tokio::test]
async fn an_image_is_found_by_its_id_until_it_is_withdrawn() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let mut new = image(owner, 1);
    new.expiry = Expiry::At(at(60));
    rig.publish(&new).await;
    let found = find_live_by_id(&rig.serve, new.public_id).await.unwrap().unwrap();
    assert_eq!((found.public_id, found.key), (new.public_id, key_of(&new)));
    assert_eq!(
        (found.sha256, found.md5, found.size_bytes),
        (new.blob.sha256, new.blob.md5, new.blob.size_bytes)
    );
    assert_eq!(
        (found.media_type, found.visibility),
        (new.blob.media_type, new.visibility)
    );
    assert_eq!(
        (found.name.as_str(), found.updated_at, found.expiry),
        ("holiday.png", noon(), new.expiry)
    );
    assert!(
        find_live_by_id(&rig.serve, PublicId::from_random([9; 16]))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        withdraw(&rig.upload, owner, new.public_id, None, noon())
            .await
            .unwrap()
    );
    assert!(
        find_live_by_id(&rig.serve, new.public_id)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_path_answers_with_the_oldest_image_that_is_live_and_not_private() {
    let rig = Rig::new().await;
    let mut images = Vec::new();
    for (name, visibility, expiry) in [
        ("private", Visibility::Private, Expiry::Never),
        ("passing", Visibility::Public, Expiry::At(at(60))),
        ("unlisted", Visibility::Unlisted, Expiry::At(at(120))),
        ("lasting", Visibility::Public, Expiry::Never),
    ] {
        let mut new = image(rig.account(name).await, 1);
        (new.visibility, new.expiry) = (visibility, expiry);
        rig.publish(&new).await;
        images.push(new);
    }
    let key = key_of(&images[0]);
    let find = async |now| {
        let found = find_live_by_key(&rig.serve, &key, at(now)).await.unwrap();
        found.map(|it| it.public_id)
    };
    for (now, expected) in [(0, 1), (59, 1), (60, 2), (119, 2), (120, 3)] {
        assert_eq!(find(now).await, Some(images[expected].public_id), "at {now} s");
    }
    let last = &images[3];
    assert!(
        withdraw(&rig.upload, last.account_id, last.public_id, None, at(120))
            .await
            .unwrap()
    );
    assert_eq!(find(120).await, None, "a private one never answers to a path");
}

/// serve-svc tells caches when an image last changed; bytes that were replaced must not look as old as those before.
#[tokio::test]
async fn a_changed_image_is_no_longer_as_old_as_it_was() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let new = image(owner, 1);
    rig.publish(&new).await;
    let before = find_live_by_id(&rig.serve, new.public_id).await.unwrap().unwrap();
    rig.owner
        .execute("UPDATE image SET updated_at = $1", &[&at(60)])
        .await
        .unwrap();
    let after = find_live_by_id(&rig.serve, new.public_id).await.unwrap().unwrap();
    assert_eq!((before.updated_at, after.updated_at), (noon(), at(60)));
}
