//! Whatever changes what an image's URLs answer writes down, in its own transaction, that caches are to forget them.

use catalog::{
    Actor, AlbumContents, AlbumPatch, BulkAction, BulkCaller, ImagePatch, ImageRecord, Origin, Purge,
    Replacing, change_many, claim_purges, count_purges, create_album, delete_account, delete_album,
    expire_batch, finish_purge, give_purge_up, patch_album, patch_image, put_purge_off, replace,
    set_purge_hook, set_site_policy, spread_purges, withdraw,
};
use domain::{Expiry, FileName, VariantFormat, Visibility};
use serde_json::{Value, json};

use crate::rig::{Rig, at, image, key_of, noon, publish_at};

fn caller(owner: i64) -> BulkCaller {
    BulkCaller {
        owner: Some(owner),
        album_id: None,
        account_id: owner,
        client_address: None,
    }
}

/// What was written down since the last look, once a second has passed by the database's clock.
async fn written(rig: &Rig) -> Vec<Purge> {
    while spread_purges(&rig.janitor, 2).await.unwrap() {}
    let ready = "UPDATE purge SET queued_at = '-infinity'";
    rig.owner.batch_execute(ready).await.unwrap();
    let claimed = claim_purges(&rig.janitor, 100, noon(), at(60)).await.unwrap();
    for purge in &claimed {
        finish_purge(&rig.janitor, purge.id).await.unwrap();
    }
    claimed
}

async fn change(rig: &Rig, image: &ImageRecord, patch: ImagePatch) {
    patch_image(
        &rig.upload,
        image.account_id,
        image.public_id,
        &patch,
        &|_| true,
        None,
        noon(),
    )
    .await
    .unwrap();
}

async fn set_site(rig: &Rig, policy: Value) {
    set_site_policy(&rig.upload, &policy, &|_| true, 1, None, noon())
        .await
        .unwrap();
}

#[tokio::test]
async fn each_change_of_what_an_image_answers_is_written_down_and_no_other() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let picture = rig.publish(&image(owner, 1)).await.image;
    let named = |name: &str| ImagePatch {
        name: Some(FileName::clean(name, "image")),
        ..ImagePatch::default()
    };
    let seen_by = |visibility| ImagePatch {
        visibility: Some(visibility),
        ..ImagePatch::default()
    };
    let ruled = |policy| ImagePatch {
        policy: Some(policy),
        ..ImagePatch::default()
    };
    change(&rig, &picture, named("before.png")).await;
    assert!(written(&rig).await.is_empty(), "nobody is to be told");
    set_purge_hook(&rig.janitor, true).await.unwrap();
    for (what, patch, is_written) in [
        ("a new name", named("after.png"), true),
        ("the same name", named("after.png"), false),
        (
            "words about it",
            ImagePatch {
                description: Some("words".to_owned()),
                ..ImagePatch::default()
            },
            false,
        ),
        (
            "an end to come",
            ImagePatch {
                expiry: Some(Expiry::At(at(60))),
                ..ImagePatch::default()
            },
            false,
        ),
        (
            "its own rules",
            ruled(Some(json!({ "hotlink": { "allow": [] } }))),
            true,
        ),
        ("private", seen_by(Visibility::Private), true),
        ("in no cache since", named("last.png"), false),
        ("public", seen_by(Visibility::Public), false),
        ("unlisted", seen_by(Visibility::Unlisted), true),
    ] {
        change(&rig, &picture, patch).await;
        let written = written(&rig).await;
        assert_eq!(written.len(), usize::from(is_written), "{what}: {written:?}");
    }
    set_purge_hook(&rig.janitor, false).await.unwrap();
    change(&rig, &picture, named("unheard.png")).await;
    assert_eq!(rig.number("SELECT count(*) FROM purge").await, 0);
}

#[tokio::test]
async fn every_way_to_end_an_image_is_written_down_with_what_its_urls_were() {
    let rig = Rig::new().await;
    set_purge_hook(&rig.janitor, true).await.unwrap();
    let owner = rig.account("owner").await;
    let mut contents = 0;
    let mut next = |expiry| {
        contents += 1;
        let mut new = image(owner, contents);
        new.expiry = expiry;
        new
    };
    let album = create_album(&rig.upload, owner, "trips", &AlbumPatch::default(), noon())
        .await
        .unwrap();
    let lasting = [next(Expiry::Never), next(Expiry::Never), next(Expiry::Never)];
    let [alone, bulk, replaced] = &lasting;
    for new in &lasting {
        rig.publish(new).await;
    }
    let variant = "INSERT INTO variant (blob_id, named_width, format, width, height, size_bytes, sha256)
        SELECT id, 480, 'jpeg', 480, 480, 1, sha256('') FROM blob";
    rig.owner.batch_execute(variant).await.unwrap();

    withdraw(&rig.upload, owner, alone.public_id, None, noon())
        .await
        .unwrap();
    let one = written(&rig).await.remove(0);
    assert_eq!(
        (
            one.public_id.as_str(),
            one.key.as_str(),
            one.username.as_str(),
            one.name.as_str()
        ),
        (
            alone.public_id.as_str(),
            key_of(alone).as_str(),
            "owner",
            "holiday.png"
        )
    );
    assert_eq!(
        (one.variants, one.created_at),
        (vec![(480, VariantFormat::Jpeg)], noon())
    );

    let ids = [bulk.public_id];
    change_many(&rig.upload, caller(owner), &ids, BulkAction::Withdraw, noon())
        .await
        .unwrap();
    assert_eq!(written(&rig).await.len(), 1, "bulk");

    let other = next(Expiry::Never);
    let replacing = Replacing {
        account_id: owner,
        public_id: replaced.public_id,
        expected: &|_| true,
        client_address: None,
        origin: Origin::default(),
    };
    replace(&rig.upload, replacing, &other.blob, noon(), |_| async {
        Ok::<_, std::convert::Infallible>(())
    })
    .await
    .unwrap();
    assert_eq!(
        written(&rig).await[0].key,
        key_of(replaced).as_str(),
        "the bytes before"
    );

    let passing = next(Expiry::At(at(30)));
    rig.publish(&passing).await;
    expire_batch(&rig.janitor, 10, at(30)).await.unwrap();
    assert_eq!(
        written(&rig).await[0].public_id,
        passing.public_id.as_str(),
        "expired"
    );

    let mut inside = next(Expiry::Never);
    inside.album_id = Some(album.id);
    rig.publish(&inside).await;
    delete_album(
        &rig.upload,
        caller(owner),
        owner,
        album.id,
        AlbumContents::Withdraw,
        noon(),
    )
    .await
    .unwrap();
    assert_eq!(
        written(&rig).await[0].public_id,
        inside.public_id.as_str(),
        "with its album"
    );
    rig.check_invariants().await;
}

#[tokio::test]
async fn an_image_that_an_upload_writes_off_is_written_down_too() {
    let rig = Rig::new().await;
    set_purge_hook(&rig.janitor, true).await.unwrap();
    let owner = rig.account("owner").await;
    let mut again = image(owner, 1);
    again.expiry = Expiry::At(at(30));
    rig.publish(&again).await;
    let mut sent_again = again.clone();
    sent_again.public_id = image(owner, 1).public_id;
    publish_at(&rig.upload, &sent_again, at(31)).await.unwrap();
    assert_eq!(
        written(&rig).await[0].public_id,
        again.public_id.as_str(),
        "written off by an upload"
    );
}

#[tokio::test]
async fn rules_of_many_and_the_name_of_an_owner_are_spread_over_their_images() {
    let rig = Rig::new().await;
    let (admin, owner) = (rig.account("admin").await, rig.account("owner").await);
    let album = create_album(&rig.upload, owner, "trips", &AlbumPatch::default(), noon())
        .await
        .unwrap();
    for content in 0..5 {
        let mut new = image(owner, content);
        new.album_id = (content < 3).then_some(album.id);
        new.visibility = if content == 4 {
            Visibility::Private
        } else {
            Visibility::Public
        };
        rig.publish(&new).await;
    }
    rig.publish(&image(admin, 9)).await;
    set_purge_hook(&rig.janitor, true).await.unwrap();
    let rules = |policy: Value| AlbumPatch {
        policy: Some(Some(policy)),
        ..AlbumPatch::default()
    };
    for (policy, images) in [
        (json!({ "hotlink": { "allow": ["*"] } }), 3),
        (
            json!({ "hotlink": { "allow": ["*"] }, "visibility": "public" }),
            0,
        ),
        (json!({ "visibility": "public" }), 3),
    ] {
        patch_album(
            &rig.upload,
            owner,
            album.id,
            &rules(policy.clone()),
            &|_| true,
            noon(),
        )
        .await
        .unwrap();
        assert_eq!(written(&rig).await.len(), images, "{policy}");
    }
    for (policy, images) in [
        (json!({ "hotlink": { "deny": ["evil.example"] } }), 5),
        (
            json!({ "hotlink": { "deny": ["evil.example"] }, "expiry": { "default": "3d" } }),
            0,
        ),
    ] {
        set_site(&rig, policy.clone()).await;
        assert_eq!(written(&rig).await.len(), images, "{policy}");
    }
    let actor = Actor {
        account_id: admin,
        client_address: None,
    };
    delete_account(&rig.upload, owner, actor, noon()).await.unwrap();
    let written = written(&rig).await;
    let known_as = |name: &str| written.iter().filter(|purge| purge.username == name).count();
    assert_eq!(known_as("owner"), 4, "by the name that is gone: {written:?}");
    assert_eq!(known_as(&format!("#{owner}")), 4, "and when they ended");
}

#[tokio::test]
async fn what_is_claimed_is_its_claimers_until_the_claim_is_over_and_ends_told_or_given_up() {
    let rig = Rig::new().await;
    set_purge_hook(&rig.janitor, true).await.unwrap();
    let owner = rig.account("owner").await;
    for content in 0..2 {
        let id = rig.publish(&image(owner, content)).await.image.public_id;
        withdraw(&rig.upload, owner, id, None, noon()).await.unwrap();
    }
    let claim = async |seconds| {
        claim_purges(&rig.janitor, 10, at(seconds), at(seconds + 60))
            .await
            .unwrap()
    };
    assert!(
        claim(0).await.is_empty(),
        "not before everybody knows of the change"
    );
    rig.owner
        .batch_execute("UPDATE purge SET queued_at = '-infinity'")
        .await
        .unwrap();
    let first = claim(0).await;
    assert_eq!((first.len(), first[0].tries, &first[0].urls), (2, 1, &None));
    assert!(claim(59).await.is_empty());
    let second = claim(60).await;
    assert_eq!(
        (second.len(), second[0].tries),
        (2, 2),
        "whoever claimed it is gone"
    );
    let left = vec!["https://img.example/i/a.png".to_owned()];
    put_purge_off(&rig.janitor, second[0].id, &left, at(70))
        .await
        .unwrap();
    give_purge_up(&rig.janitor, &second[1], &left, "it answered 500", at(61))
        .await
        .unwrap();
    give_purge_up(&rig.janitor, &second[1], &left, "it answered 500", at(61))
        .await
        .unwrap();
    let events =
        "SELECT count(*) FROM event WHERE kind = 'purge_failed' AND detail ->> 'reason' = 'it answered 500'";
    assert_eq!(rig.number(events).await, 1, "once");
    assert_eq!(count_purges(&rig.janitor).await.unwrap(), 1);
    assert!(claim(69).await.is_empty());
    let third = claim(70).await;
    assert_eq!((third.len(), third[0].tries, &third[0].urls), (1, 3, &Some(left)));
}
