//! A database that is away is told at once, and found again without a restart.

use std::time::{Duration, Instant};

use catalog::{
    Error, Leadership, PublishError, expire_batch, find_bearer, find_image, find_live_by_id, fold_counts,
    sweep_batch, withdraw,
};
use domain::{PublicId, Sha256, TokenHash};
use test_kit::TestDatabase;

use crate::rig::{Rig, image, noon, publish_at};

/// The promise to a client is a second; this machine may be busy.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Asks everything that the services ask, and gives what each said.
async fn ask_everything(rig: &Rig, owner: i64) -> Vec<(&'static str, Option<Error>, Duration)> {
    let id = PublicId::from_random([1; 16]);
    let mut answers = Vec::new();
    let mut began = Instant::now();
    let mut note = |what, error| {
        answers.push((what, error, began.elapsed()));
        began = Instant::now();
    };
    note("ping", rig.upload.ping().await.err());
    let published = match publish_at(&rig.upload, &image(owner, 1), noon()).await {
        Err(PublishError::Catalog(error)) => Some(error),
        other => other.map(|_| None).unwrap(),
    };
    note("publish", published);
    note("find_image", find_image(&rig.upload, id).await.err());
    note(
        "withdraw",
        withdraw(&rig.upload, owner, id, None, noon()).await.err(),
    );
    note("find_live_by_id", find_live_by_id(&rig.serve, id).await.err());
    note(
        "fold_counts",
        fold_counts(&rig.serve, one_view(), noon()).await.err(),
    );
    note("expire_batch", expire_batch(&rig.janitor, 10, noon()).await.err());
    let nothing = |_| async { Vec::new() };
    note(
        "sweep_batch",
        sweep_batch(&rig.janitor, 10, noon(), nothing).await.err(),
    );
    note("lead", Leadership::try_acquire(&rig.janitor).await.err());
    answers
}

fn one_view() -> catalog::Fold {
    let none = catalog::DayCount::none(1, jiff::civil::date(2026, 7, 1));
    catalog::Fold {
        journal: [1; 16],
        epoch: 1,
        days: vec![catalog::DayCount { views: 1, ..none }],
        referrers: Vec::new(),
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_told_at_once_and_found_again() {
    let mut rig = Rig::over(TestDatabase::create_apart().await).await;
    let owner = rig.account("owner").await;
    for is_killed in [false, true] {
        for (what, error, _) in ask_everything(&rig, owner).await {
            assert!(error.is_none(), "{what}: {error:?}");
        }
        if is_killed {
            rig.database.kill().await;
        } else {
            rig.database.stop().await;
        }
        for (what, error, took) in ask_everything(&rig, owner).await {
            assert!(
                matches!(error, Some(Error::Unavailable { .. })),
                "{what}: {error:?}"
            );
            assert!(took < AT_ONCE, "{what} took {took:?}");
        }
        rig.database.start().await;
    }
    for (what, error, _) in ask_everything(&rig, owner).await {
        assert!(error.is_none(), "{what}: {error:?}");
    }
}

#[tokio::test]
async fn who_asks_a_database_that_hangs_is_told_so_and_its_pool_is_whole_afterwards() {
    let rig = Rig::over(TestDatabase::create_apart().await).await;
    let owner = rig.account("owner").await;
    let nobody = || find_bearer(&rig.upload, TokenHash(Sha256([7; 32])), noon());
    assert!(nobody().await.unwrap().is_none());
    let frozen = rig.database.freeze().await;
    // More than the pool has connections: what was given up does not keep its own.
    for _ in 0..3 {
        let began = Instant::now();
        let asked = futures_util::future::join_all((0..12).map(|_| nobody())).await;
        for answer in asked {
            assert!(matches!(answer, Err(Error::Unavailable { .. })), "{answer:?}");
        }
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    }
    drop(frozen);
    assert!(nobody().await.unwrap().is_none());
    for (what, error, _) in ask_everything(&rig, owner).await {
        assert!(error.is_none(), "{what}: {error:?}");
    }
}

#[tokio::test]
async fn a_pool_whose_connections_are_all_busy_says_so_after_a_while() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    rig.owner.batch_execute("BEGIN; LOCK TABLE blob").await.unwrap();
    let began = Instant::now();
    let mut uploads = tokio::task::JoinSet::new();
    for content in 0..9 {
        let (upload, new) = (rig.upload.clone(), image(owner, content));
        uploads.spawn(async move { publish_at(&upload, &new, noon()).await });
    }
    let first = uploads.join_next().await.unwrap().unwrap();
    let refused = matches!(first, Err(PublishError::Catalog(Error::Unavailable { .. })));
    assert!(refused, "{first:?}");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    rig.owner.batch_execute("ROLLBACK").await.unwrap();
    for outcome in uploads.join_all().await {
        outcome.unwrap();
    }
    rig.check_invariants().await;
}

#[tokio::test]
async fn a_sweep_whose_session_dies_is_given_up_before_anybody_else_can_lock_its_rows() {
    let mut rig = Rig::over(TestDatabase::create_apart().await).await;
    let owner = rig.account("owner").await;
    let id = rig.publish(&image(owner, 1)).await.image.public_id;
    assert!(withdraw(&rig.upload, owner, id, None, noon()).await.unwrap());
    let claimed = tokio_util::sync::CancellationToken::new();
    let for_ever = |_| {
        claimed.cancel();
        std::future::pending()
    };
    let (janitor, database) = (rig.janitor.clone(), &mut rig.database);
    let sweeping = sweep_batch(&janitor, 10, noon(), for_ever);
    let killing = async {
        claimed.cancelled().await;
        database.kill().await;
    };
    let (swept, ()) = tokio::join!(sweeping, killing);
    assert!(matches!(swept, Err(Error::Unavailable { .. })), "{swept:?}");
    rig.database.start().await;
    rig.owner = rig.database.connect().await;
    assert_eq!(
        rig.number("SELECT count(*) FROM blob WHERE doomed_at IS NOT NULL")
            .await,
        1
    );
}
