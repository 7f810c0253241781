//! Views are added up, each once.

use std::sync::atomic::{AtomicU64, Ordering};

use catalog::{
    Catalog, DayCount, Fold, Referrer, ReferrerCount, expire_batch, find_image, fold_counts, forget_journal,
    sweep_batch, withdraw,
};
use jiff::civil::date;
use tokio::task::JoinSet;

use crate::rig::{Rig, at, image, noon};

fn count(image_id: i64, day: i8, views: u64) -> DayCount {
    DayCount {
        image_id,
        day: date(2026, 7, day),
        views,
        bytes: views * 100,
        last_viewed_at: Some(at(i64::from(day))),
        ..DayCount::none(image_id, date(2026, 7, day))
    }
}

/// Each its own epoch of its own journal.
async fn add(serve: &Catalog, days: Vec<DayCount>) {
    static JOURNALS: AtomicU64 = AtomicU64::new(1);
    let number = JOURNALS.fetch_add(1, Ordering::Relaxed);
    let mut fold = Fold {
        journal: [0; 16],
        epoch: number,
        days,
        referrers: Vec::new(),
    };
    fold.journal[..8].copy_from_slice(&number.to_le_bytes());
    assert!(fold_counts(serve, fold, noon()).await.unwrap());
}

async fn images(rig: &Rig, number: u64) -> Vec<i64> {
    let owner = rig.account("owner").await;
    for content in 0..number {
        rig.publish(&image(owner, content)).await;
    }
    let rows = rig
        .owner
        .query("SELECT id FROM image ORDER BY id", &[])
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn counts_add_up_by_image_and_by_day() {
    let rig = Rig::new().await;
    let ids = images(&rig, 2).await;
    add(&rig.serve, Vec::new()).await;
    let first = vec![count(ids[1], 2, 5), count(ids[0], 1, 2), count(ids[0], 2, 3)];
    add(&rig.serve, first).await;
    add(&rig.serve, vec![count(ids[0], 1, 10)]).await;
    for (sql, expected) in [
        ("SELECT views FROM view_count WHERE image_id = 1", 15),
        ("SELECT bytes FROM view_count WHERE image_id = 1", 1_500),
        ("SELECT views FROM view_count WHERE image_id = 2", 5),
        (
            "SELECT views FROM view_count_day WHERE image_id = 1 AND day = '2026-07-01'",
            12,
        ),
        (
            "SELECT views FROM view_count_day WHERE image_id = 1 AND day = '2026-07-02'",
            3,
        ),
        ("SELECT count(*) FROM view_count_day", 3),
        // The last view stays the last, though an earlier one was told of later.
        (
            "SELECT count(*) FROM view_count WHERE image_id = 1 AND last_viewed_at = '2026-07-01T12:00:02Z'",
            1,
        ),
    ] {
        assert_eq!(rig.number(sql).await, expected, "{sql}");
    }
    let row = rig
        .owner
        .query_one("SELECT public_id FROM image WHERE id = 1", &[])
        .await
        .unwrap();
    let id = row.get::<_, &str>(0).parse().unwrap();
    assert_eq!(find_image(&rig.upload, id).await.unwrap().unwrap().views, 15);
}

#[tokio::test]
async fn images_that_are_gone_are_passed_over_and_ended_ones_still_counted() {
    let rig = Rig::new().await;
    let ids = images(&rig, 2).await;
    let row = rig
        .owner
        .query_one("SELECT public_id, account_id FROM image WHERE id = 1", &[])
        .await
        .unwrap();
    let id = row.get::<_, &str>(0).parse().unwrap();
    assert!(withdraw(&rig.upload, row.get(1), id, None, noon()).await.unwrap());
    let counts = vec![count(ids[0], 1, 1), count(999, 1, 1), count(ids[1], 1, 1)];
    add(&rig.serve, counts.clone()).await;
    assert_eq!(rig.number("SELECT count(*) FROM view_count").await, 2);
    let all = |doomed: Vec<catalog::Doomed>| async move { doomed.iter().map(|blob| blob.id).collect() };
    assert_eq!(sweep_batch(&rig.janitor, 10, noon(), all).await.unwrap().blobs, 1);
    add(&rig.serve, counts).await;
    assert_eq!(rig.number("SELECT count(*) FROM view_count").await, 1);
    assert_eq!(rig.number("SELECT views FROM view_count").await, 2);
}

#[tokio::test]
async fn services_that_fold_the_same_images_at_once_wait_for_each_other_and_lose_nothing() {
    const FOLDS: usize = 16;
    let rig = Rig::new().await;
    let mut ids = images(&rig, 300).await;
    let mut folds = JoinSet::new();
    for number in 0..FOLDS {
        // Each tells its counts in another order, as a hash map would.
        ids.rotate_left(number * 7);
        if number % 2 == 0 {
            ids.reverse();
        }
        let counts: Vec<_> = ids
            .iter()
            .flat_map(|id| [count(*id, 2, 1), count(*id, 1, 1)])
            .collect();
        let serve = rig.serve.clone();
        folds.spawn(async move { add(&serve, counts).await });
    }
    folds.join_all().await;
    let wrong = format!("SELECT count(*) FROM view_count WHERE views <> {}", 2 * FOLDS);
    assert_eq!(rig.number(&wrong).await, 0);
    let wrong = format!("SELECT count(*) FROM view_count_day WHERE views <> {FOLDS}");
    assert_eq!(rig.number(&wrong).await, 0);
    assert_eq!(rig.number("SELECT count(*) FROM view_count_day").await, 600);
}

#[tokio::test]
async fn folding_goes_on_while_images_expire_and_are_forgotten() {
    let rig = Rig::new().await;
    let ids = images(&rig, 200).await;
    rig.owner
        .batch_execute("UPDATE image SET expires_at = '2026-07-01T12:00:01Z'")
        .await
        .unwrap();
    let folding = async {
        for _ in 0..40 {
            add(&rig.serve, ids.iter().map(|id| count(*id, 1, 1)).collect()).await;
        }
    };
    let ending = async {
        while expire_batch(&rig.janitor, 10, at(2)).await.unwrap() > 0 {
            catalog::forget_ended(&rig.janitor, 5, at(2)).await.unwrap();
        }
    };
    tokio::join!(folding, ending);
    rig.check_invariants().await;
}

#[tokio::test]
async fn a_fold_that_is_sent_again_adds_nothing_and_a_later_epoch_does() {
    let rig = Rig::new().await;
    let ids = images(&rig, 1).await;
    let fold = |journal, epoch, views| Fold {
        journal: [journal; 16],
        epoch,
        days: vec![count(ids[0], 1, views)],
        referrers: Vec::new(),
    };
    for (journal, epoch, views, is_new) in [
        (1, 1, 1, true),
        (1, 1, 1, false),
        (1, 2, 10, true),
        (1, 1, 1, false),
        (1, 2, 10, false),
        (2, 1, 100, true),
        (1, 4, 1_000, true),
        (2, 1, 100, false),
    ] {
        let folded = fold_counts(&rig.serve, fold(journal, epoch, views), noon()).await;
        assert_eq!(folded.unwrap(), is_new, "{journal} {epoch}");
    }
    assert_eq!(rig.number("SELECT views FROM view_count").await, 1_111);
    assert_eq!(rig.number("SELECT count(*) FROM view_journal").await, 2);
    // The same at once, as by a connection that was thought dead and a new one.
    let both = tokio::join!(
        fold_counts(&rig.serve, fold(3, 1, 5), noon()),
        fold_counts(&rig.serve, fold(3, 1, 5), noon()),
    );
    assert_ne!(both.0.unwrap(), both.1.unwrap());
    assert_eq!(rig.number("SELECT views FROM view_count").await, 1_116);
    forget_journal(&rig.serve, [3; 16]).await.unwrap();
    assert_eq!(rig.number("SELECT count(*) FROM view_journal").await, 2);
}

#[tokio::test]
async fn bots_and_refusals_are_no_views_and_keep_nothing_alive() {
    let rig = Rig::new().await;
    let ids = images(&rig, 1).await;
    let of_bot = DayCount {
        bots: 3,
        bot_bytes: 30,
        refusals: 2,
        ..DayCount::none(ids[0], date(2026, 7, 1))
    };
    add(&rig.serve, vec![of_bot]).await;
    for table in ["view_count", "view_count_day", "account_day"] {
        let sql = format!(
            "SELECT count(*) FROM {table} WHERE (views, bytes, bots, bot_bytes, refusals) = (0, 0, 3, 30, 2)"
        );
        assert_eq!(rig.number(&sql).await, 1, "{table}");
    }
    assert_eq!(
        rig.number("SELECT count(last_viewed_at) FROM view_count").await,
        0
    );
    assert_eq!(rig.number("SELECT count(*) FROM account_top_image").await, 0);
    add(&rig.serve, vec![count(ids[0], 1, 1)]).await;
    add(&rig.serve, vec![of_bot]).await;
    assert_eq!(
        rig.number("SELECT count(last_viewed_at) FROM view_count").await,
        1
    );
    assert_eq!(rig.number("SELECT bots FROM view_count").await, 6);
}

#[tokio::test]
async fn sites_are_told_apart_as_long_as_there_are_few_enough() {
    let rig = Rig::new().await;
    let ids = images(&rig, 2).await;
    let referrer = |image_id, referrer, views, refusals| ReferrerCount {
        image_id,
        day: date(2026, 7, 1),
        referrer,
        views,
        bytes: views * 10,
        refusals,
    };
    let host = |number: u64| Referrer::Host(format!("{number}.example"));
    let send = async |epoch, referrers| {
        let fold = Fold {
            journal: [9; 16],
            epoch,
            days: Vec::new(),
            referrers,
        };
        assert!(fold_counts(&rig.serve, fold, noon()).await.unwrap());
    };
    let mut first: Vec<_> = (0..70)
        .map(|number| referrer(ids[0], host(number), 1 + number, 1))
        .collect();
    first.extend([
        referrer(ids[0], Referrer::Unnamed, 5, 0),
        referrer(ids[1], host(0), 1, 0),
        referrer(999, host(1), 1, 0),
    ]);
    send(1, first).await;
    let of_image = "SELECT count(*) FROM image_site_day WHERE image_id = 1 AND site NOT IN ('', '*')";
    assert_eq!(rig.number(of_image).await, 50);
    // The ones that showed it most have a row of their own; the sum is the sum.
    assert_eq!(
        rig.number("SELECT count(*) FROM image_site_day WHERE site = '69.example' AND views = 70")
            .await,
        1
    );
    assert_eq!(
        rig.number("SELECT views FROM image_site_day WHERE image_id = 1 AND site = '*'")
            .await,
        (1..=20).sum::<i64>()
    );
    assert_eq!(rig.number("SELECT count(*) FROM account_site_day").await, 71);
    send(
        2,
        vec![
            referrer(ids[0], host(1_000), 9, 0),
            referrer(ids[0], host(69), 1, 0),
        ],
    )
    .await;
    assert_eq!(
        rig.number("SELECT views FROM image_site_day WHERE image_id = 1 AND site = '*'")
            .await,
        (1..=20).sum::<i64>() + 9
    );
    assert_eq!(
        rig.number("SELECT views FROM image_site_day WHERE site = '69.example'")
            .await,
        71
    );
    for (table, total) in [("image_site_day", 2_501), ("account_site_day", 2_501)] {
        let sql = format!("SELECT sum(views)::bigint FROM {table}");
        assert_eq!(rig.number(&sql).await, total, "{table}");
    }
}
