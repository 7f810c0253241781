//! A change is over when every reader has heard of it, and not before.

use std::{
    convert::Infallible,
    fmt::Debug,
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use catalog::{
    Actor, AlbumContents, AlbumPatch, BulkAction, BulkCaller, Catalog, Change, ImagePatch, Origin, Replacing,
    RestoreTerms, change_many, create_album, delete_account, delete_album, patch_album, patch_image, replace,
    restore, revoke_links, set_site_policy, watch_images, withdraw, withdraw_by_link,
};
use domain::{Expiry, PublicId, Visibility};
use serde_json::json;
use test_kit::SlowReader;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::rig::{Rig, at, image, noon};

/// How long it is watched that something does not end.
const A_WHILE: Duration = Duration::from_millis(50);

fn follow(catalog: &Catalog) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(catalog.follow_readers()))
}

/// Withdraws in a task of its own.
async fn withdrawing(rig: &Rig, owner: i64, content: u64) -> JoinHandle<bool> {
    let id = rig.publish(&image(owner, content)).await.image.public_id;
    let upload = rig.upload.clone();
    tokio::spawn(async move { withdraw(&upload, owner, id, None, noon()).await.unwrap() })
}

#[tokio::test]
async fn a_change_waits_for_every_reader() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let _following = follow(&rig.upload);
    let (mut one, mut other) = (
        SlowReader::of(&rig.database).await,
        SlowReader::of(&rig.database).await,
    );
    let mut change = withdrawing(&rig, owner, 1).await;
    let ask = one.asked().await;
    assert_eq!(other.asked().await, ask);
    one.answer("another's ask").await;
    one.answer(&ask).await;
    one.answer(&ask).await;
    assert!(
        timeout(A_WHILE, &mut change).await.is_err(),
        "one reader is still behind"
    );
    other.answer(&ask).await;
    assert!(change.await.unwrap());
}

#[tokio::test]
async fn who_is_not_there_any_more_is_not_waited_for() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let _following = follow(&rig.upload);
    let (mut leaving, mut staying) = (
        SlowReader::of(&rig.database).await,
        SlowReader::of(&rig.database).await,
    );
    let change = withdrawing(&rig, owner, 1).await;
    leaving.asked().await;
    let ask = staying.asked().await;
    staying.answer(&ask).await;
    drop(leaving);
    assert!(change.await.unwrap());
    let change = withdrawing(&rig, owner, 2).await;
    let ask = staying.asked().await;
    staying.answer(&ask).await;
    assert!(change.await.unwrap(), "its lock went with it");
}

#[tokio::test]
async fn who_does_not_answer_holds_up_one_change_until_it_answers_any_ask() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let _following = follow(&rig.upload);
    let mut stuck = SlowReader::of(&rig.database).await;
    let begun = Instant::now();
    assert!(
        withdrawing(&rig, owner, 1).await.await.unwrap(),
        "the change is made all the same"
    );
    let patience = begun.elapsed();
    let begun = Instant::now();
    let mut ask = stuck.asked().await;
    for content in 2..12 {
        assert!(withdrawing(&rig, owner, content).await.await.unwrap());
        ask = stuck.asked().await;
    }
    assert!(
        begun.elapsed() < 5 * patience,
        "ten changes do not wait for it, but it is asked"
    );
    // The first of its answers is lost. Nothing tells when another has got through, so changes are made until one waits again.
    stuck.answer(&ask).await;
    for content in 12.. {
        let mut change = withdrawing(&rig, owner, content).await;
        let ask = stuck.asked().await;
        if timeout(6 * A_WHILE, &mut change).await.is_err() {
            stuck.answer(&ask).await;
            assert!(change.await.unwrap());
            return;
        }
    }
}

#[tokio::test]
async fn nobody_is_asked_where_nobody_follows_or_nothing_changed() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let mut reader = SlowReader::of(&rig.database).await;
    assert!(withdrawing(&rig, owner, 1).await.await.unwrap());
    let _following = follow(&rig.upload);
    let nothing = PublicId::from_random(process::random());
    assert!(!withdraw(&rig.upload, owner, nothing, None, noon()).await.unwrap());
    rig.publish(&image(owner, 2)).await; // an upload waits for nobody
    assert!(!reader.was_asked().await);
}

#[tokio::test]
async fn a_line_that_breaks_is_opened_again() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let _following = follow(&rig.upload);
    let mut reader = SlowReader::of(&rig.database).await;
    for content in 1..4 {
        let change = withdrawing(&rig, owner, content).await;
        let ask = reader.asked().await;
        reader.answer(&ask).await;
        assert!(change.await.unwrap());
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE usename = 'berth_upload' AND datname = current_database() AND query ~ 'pg_locks|pg_notify|berth_heard'";
        rig.owner.batch_execute(cut).await.unwrap();
    }
}

#[tokio::test]
async fn a_change_is_heeded_before_it_is_over() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let _following = follow(&rig.upload);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (serve, ears) = (rig.serve.clone(), Arc::clone(&heard));
    let _watching = AbortOnDropHandle::new(tokio::spawn(async move {
        watch_images(&serve, |change| ears.lock().unwrap().push(change)).await;
    }));
    while heard.lock().unwrap().is_empty() {
        sleep(Duration::from_millis(5)).await;
    }
    for content in 0..100 {
        let id = rig.publish(&image(owner, content)).await.image.public_id;
        assert!(withdraw(&rig.upload, owner, id, None, noon()).await.unwrap());
        assert_eq!(heard.lock().unwrap().last(), Some(&Change::Image(id)));
    }
}

type Step<'a> = (&'static str, Pin<Box<dyn Future<Output = ()> + 'a>>);

fn step<'a, T, E: Debug>(what: &'static str, change: impl Future<Output = Result<T, E>> + 'a) -> Step<'a> {
    let change = async move {
        change.await.unwrap();
    };
    (what, Box::pin(change))
}

#[tokio::test]
async fn whatever_changes_what_a_url_answers_waits_for_its_readers() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let admin = rig.account("admin").await;
    let gone = rig.account("gone").await;
    let catalog = &rig.upload;
    let album = create_album(catalog, owner, "Trips", &AlbumPatch::default(), noon())
        .await
        .unwrap();
    let mut ids = Vec::new();
    for content in 1..6 {
        let mut new = image(owner, content);
        new.album_id = (content == 5).then_some(album.id);
        ids.push(rig.publish(&new).await.image.public_id);
    }
    rig.publish(&image(gone, 1)).await;
    let other = image(owner, 9);
    let caller = BulkCaller {
        owner: Some(owner),
        album_id: None,
        account_id: owner,
        client_address: None,
    };
    let private = ImagePatch {
        visibility: Some(Visibility::Private),
        ..ImagePatch::default()
    };
    let policy = AlbumPatch {
        policy: Some(Some(json!({ "hotlink": { "empty": "deny" } }))),
        ..AlbumPatch::default()
    };
    let site = json!({ "hotlink": { "empty": "deny" } });
    let terms = RestoreTerms {
        renewed: Expiry::Never,
        grace_began: at(-60),
    };
    let replacing = Replacing {
        account_id: owner,
        public_id: ids[3],
        expected: &|_| true,
        client_address: None,
        origin: Origin::default(),
    };
    let actor = Actor {
        account_id: admin,
        client_address: None,
    };
    let yes = &|_: &catalog::ImageRecord| true;
    let many = &ids[2..4];
    let steps = [
        step("withdraw", withdraw(catalog, owner, ids[0], None, noon())),
        step(
            "restore",
            restore(catalog, owner, ids[0], terms, yes, None, noon()),
        ),
        step(
            "a delete link",
            withdraw_by_link(catalog, owner, ids[1], yes, None, noon()),
        ),
        step(
            "change",
            patch_image(catalog, owner, ids[2], &private, yes, None, noon()),
        ),
        step("links", revoke_links(catalog, owner, ids[2], None, None, noon())),
        step(
            "replace",
            replace(catalog, replacing, &other.blob, noon(), |_| async {
                Ok::<_, Infallible>(())
            }),
        ),
        step(
            "many",
            change_many(catalog, caller, many, BulkAction::Withdraw, noon()),
        ),
        step(
            "an album's policy",
            patch_album(catalog, owner, album.id, &policy, &|_| true, noon()),
        ),
        step(
            "an album",
            delete_album(catalog, caller, owner, album.id, AlbumContents::Keep, noon()),
        ),
        step(
            "the site's policy",
            set_site_policy(catalog, &site, &|_| true, admin, None, noon()),
        ),
        step("an account", delete_account(catalog, gone, actor, noon())),
    ];
    let _following = follow(catalog);
    let mut reader = SlowReader::of(&rig.database).await;
    for (what, mut step) in steps {
        let ask = tokio::select! {
            ask = reader.asked() => ask,
            () = &mut step => panic!("{what} waits for nobody"),
        };
        assert!(timeout(A_WHILE, &mut step).await.is_err(), "{what} does not wait");
        reader.answer(&ask).await;
        step.await;
    }
}
