//! Views keep images alive where a policy says so, and where nobody said when they end.

use catalog::{
    DayCount, Fold, ImagePatch, ServiceRole, expire_batch, expire_fixed_batch, find_live_by_id,
    find_live_by_key, fold_counts, patch_image, slide_expiries,
};
use domain::Expiry;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::rig::{Rig, at, image, key_of, noon};

const DAY: i64 = 24 * 60 * 60;
const HOUR: i64 = 60 * 60;

/// Publishes an image that ends after so many days, by policy or because somebody said so; gives its row.
async fn publish(rig: &Rig, owner: i64, content: u64, days: i64, ends_by_policy: bool) -> i64 {
    let mut new = image(owner, content);
    new.expiry = Expiry::At(at(days * DAY));
    new.ends_by_policy = ends_by_policy;
    rig.publish(&new).await.image.id
}

/// Folds one view of an image.
async fn view(rig: &Rig, image_id: i64, seen: Timestamp) {
    let mut day = DayCount::none(image_id, "2026-07-01".parse().unwrap());
    (day.views, day.last_viewed_at) = (1, Some(seen));
    let fold = Fold {
        journal: process::random(),
        epoch: 1,
        days: vec![day],
        referrers: Vec::new(),
    };
    assert!(fold_counts(&rig.serve, fold, seen).await.unwrap());
}

async fn set(rig: &Rig, site: Value, album: Option<Value>, own: Option<Value>) {
    rig.owner
        .execute("UPDATE site_policy SET policy = $1", &[&site])
        .await
        .unwrap();
    rig.owner
        .execute("UPDATE album SET policy = $1", &[&album])
        .await
        .unwrap();
    rig.owner
        .execute("UPDATE image SET policy = $1", &[&own])
        .await
        .unwrap();
}

fn expiry(sliding: &str) -> Value {
    json!({ "expiry": { "sliding": sliding } })
}

#[tokio::test]
async fn the_nearest_level_says_for_how_long_and_what_was_said_by_hand_stays() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    for (content, ends_by_policy) in [(0, true), (1, false)] {
        publish(&rig, owner, content, 30, ends_by_policy).await;
    }
    for (site, album, own, expected) in [
        (json!({}), None, None, [None, None]),
        (expiry("30d"), None, None, [Some(30 * 24), None]),
        (expiry("30d"), Some(expiry("2w")), None, [Some(14 * 24), None]),
        (expiry("30d"), Some(expiry("0")), None, [None, None]),
        (
            expiry("30d"),
            Some(expiry("0")),
            Some(expiry("36h")),
            [Some(36), Some(36)],
        ),
        (expiry("30d"), None, Some(expiry("0")), [None, None]),
        (
            expiry("30d"),
            None,
            Some(json!({ "hotlink": {} })),
            [Some(30 * 24), None],
        ),
        (
            json!({ "expiry": { "sliding": "30d", "longest": "9d" } }),
            None,
            None,
            [Some(9 * 24), None],
        ),
        (
            json!({ "expiry": { "sliding": "30d", "longest": "9d" } }),
            Some(json!({ "expiry": { "longest": "0" } })),
            None,
            [Some(30 * 24), None],
        ),
        // What an older release took.
        (expiry("soon"), Some(json!({ "expiry": 7 })), None, [None, None]),
    ] {
        set(&rig, site.clone(), album.clone(), own.clone()).await;
        let sql = "SELECT (extract(epoch FROM sliding(image)) / 3600)::bigint FROM image ORDER BY id";
        let rows = rig.owner.query(sql, &[]).await.unwrap();
        let hours: Vec<Option<i64>> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(hours, expected, "{site} {album:?} {own:?}");
    }
}

#[tokio::test]
async fn a_view_within_the_window_keeps_an_image_alive_and_the_end_is_written_once() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    set(&rig, expiry("30d"), None, None).await;
    let [viewed, lonely, said] = [
        publish(&rig, owner, 0, 30, true).await,
        publish(&rig, owner, 1, 30, true).await,
        publish(&rig, owner, 2, 30, false).await,
    ];
    for row in [viewed, said] {
        view(&rig, row, at(20 * DAY)).await;
    }
    let end = 30 * DAY;
    let live = async |now| {
        let mut live = Vec::new();
        for content in 0..3 {
            let key = key_of(&image(owner, content));
            live.push(
                find_live_by_key(&rig.serve, &key, at(now))
                    .await
                    .unwrap()
                    .is_some(),
            );
        }
        live
    };
    // Whoever reads knows, whether or not the janitor ever came by; a little later than the end, for the last views to come in.
    assert_eq!(live(end + 3).await, [true, false, false]);
    assert_eq!(
        slide_expiries(&rig.janitor, 10, at(end - HOUR - 1))
            .await
            .unwrap(),
        0,
        "there is time"
    );
    assert_eq!(slide_expiries(&rig.janitor, 10, at(end - HOUR)).await.unwrap(), 1);
    assert_eq!(
        slide_expiries(&rig.janitor, 10, at(end)).await.unwrap(),
        0,
        "once"
    );
    let moved = format!(
        "SELECT count(*) FROM image WHERE id = {viewed} AND expires_at = '2026-07-01T12:00:00Z'::timestamptz + interval '1200 hours'"
    );
    assert_eq!(rig.number(&moved).await, 1);
    assert_eq!(
        expire_batch(&rig.janitor, 10, at(end)).await.unwrap(),
        1,
        "what was said is said"
    );
    assert_eq!(
        expire_batch(&rig.janitor, 10, at(end + HOUR - 1)).await.unwrap(),
        0
    );
    // A view of the last second, that comes in late.
    view(&rig, lonely, at(end - 1)).await;
    assert_eq!(
        expire_batch(&rig.janitor, 10, at(end + 2 * HOUR)).await.unwrap(),
        0
    );
    assert_eq!(live(end + 2 * HOUR).await, [true, true, false]);
    assert_eq!(
        expire_fixed_batch(&rig.janitor, 10, at(90 * DAY)).await.unwrap(),
        0
    );
    assert_eq!(
        expire_batch(&rig.janitor, 10, at(60 * DAY + HOUR)).await.unwrap(),
        2,
        "nobody came for thirty days"
    );
    rig.check_invariants().await;
}

#[tokio::test]
async fn an_end_that_is_said_afterwards_holds() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    set(&rig, expiry("30d"), None, None).await;
    let row = publish(&rig, owner, 0, 30, true).await;
    let id: String = rig
        .owner
        .query_one("SELECT public_id FROM image", &[])
        .await
        .unwrap()
        .get(0);
    let id = id.parse().unwrap();
    assert!(find_live_by_id(&rig.serve, id).await.unwrap().unwrap().slides);
    let patch = ImagePatch {
        expiry: Some(Expiry::At(at(DAY))),
        ..ImagePatch::default()
    };
    patch_image(&rig.upload, owner, id, &patch, &|_| true, None, noon())
        .await
        .unwrap();
    view(&rig, row, at(DAY - 1)).await;
    let live = find_live_by_id(&rig.serve, id).await.unwrap().unwrap();
    assert_eq!(
        (live.slides, live.expiry),
        (false, Expiry::At(noon() + SignedDuration::from_hours(24)))
    );
    assert_eq!(expire_batch(&rig.janitor, 10, at(DAY)).await.unwrap(), 1);
    let other = rig.database.connect_as(ServiceRole::Serve).await;
    assert!(
        other
            .execute("SELECT slide_expiries(now(), 1)", &[])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn sql_reads_durations_as_domain_does_up_to_a_hundred_years() {
    let rig = Rig::new().await;
    for said in [
        "0",
        "7",
        " 90s ",
        "15m",
        "36h",
        "30d",
        "2w",
        "\t1d\n",
        "0000000000030d",
        "36525d",
        "36526d",
        "999999999w",
        "18446744073709551615",
        "20000000000w",
        "",
        "soon",
        "-1d",
        "1 d",
        "1.5d",
        "1y",
        "d",
        "99999999999999999999",
    ] {
        let expected = domain::parse_duration(said)
            .ok()
            .map(|duration| duration.as_secs().min(36_525 * DAY.unsigned_abs()));
        let sql = "SELECT extract(epoch FROM lifetime($1::text))::bigint";
        let read: Option<i64> = rig.owner.query_one(sql, &[&said]).await.unwrap().get(0);
        assert_eq!(read.map(i64::unsigned_abs), expected, "{said:?}");
    }
}

#[tokio::test]
async fn a_policy_that_lets_views_keep_an_image_for_ever_stops_neither_it_nor_others() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let lasting = publish(&rig, owner, 0, 30, true).await;
    set(&rig, expiry("999999999w"), None, None).await;
    view(&rig, lasting, at(DAY)).await;
    let soon = at(30 * DAY) - SignedDuration::from_secs(HOUR / 2);
    assert_eq!(slide_expiries(&rig.janitor, 10, soon).await.unwrap(), 1);
    let found = find_live_by_id(&rig.serve, image(owner, 0).public_id).await;
    assert!(found.is_ok(), "{found:?}");
}
