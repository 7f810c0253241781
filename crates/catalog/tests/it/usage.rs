//! What the answers about usage are read from.

use catalog::{
    Catalog, DayCount, Fold, Period, Referrer, ReferrerCount, explain_stats, fold_counts, forget_usage,
    image_use, keep_top_images, make_room_for_sites, stats, withdraw,
};
use jiff::civil::{Date, date};

use crate::rig::{Rig, at, image, noon};

const TODAY: Date = date(2026, 7, 1);

async fn fold(serve: &Catalog, epoch: u64, days: Vec<DayCount>, referrers: Vec<ReferrerCount>) {
    let fold = Fold {
        journal: [1; 16],
        epoch,
        days,
        referrers,
    };
    assert!(fold_counts(serve, fold, noon()).await.unwrap());
}

fn shown(image_id: i64, number: u64, views: u64) -> ReferrerCount {
    ReferrerCount {
        image_id,
        day: TODAY,
        referrer: Referrer::Host(format!("{number}.example")),
        views,
        bytes: views,
        refusals: 0,
    }
}

#[tokio::test]
async fn a_site_that_comes_late_finds_room_and_no_view_is_lost() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    rig.publish(&image(owner, 1)).await;
    fold(
        &rig.serve,
        1,
        Vec::new(),
        (1..=60).map(|number| shown(1, number, number)).collect(),
    )
    .await;
    let hosts = "SELECT count(*) FROM image_site_day WHERE site NOT IN ('', '*')";
    assert_eq!(rig.number(hosts).await, 50);
    assert_eq!(
        make_room_for_sites(&rig.janitor, date(2026, 6, 30))
            .await
            .unwrap(),
        25
    );
    assert_eq!(rig.number(hosts).await, 25);
    assert_eq!(
        make_room_for_sites(&rig.janitor, date(2026, 6, 30))
            .await
            .unwrap(),
        0
    );
    fold(&rig.serve, 2, Vec::new(), vec![shown(1, 1_000, 500)]).await;
    let period = Period {
        from: TODAY,
        to: TODAY,
    };
    let used = image_use(&rig.upload, 1, period).await.unwrap();
    // The others have the most views of all together, then comes the late one.
    assert_eq!(used.sites[0].site, Referrer::Other);
    assert_eq!(used.sites[1].site, Referrer::Host("1000.example".to_owned()));
    let views: u64 = used.sites.iter().map(|site| site.views).sum();
    assert_eq!(views, (1..=60).sum::<u64>() + 500);
    let of_account = "SELECT sum(views)::bigint FROM account_site_day";
    assert_eq!(rig.number(of_account).await, i64::try_from(views).unwrap());
    let forgotten = forget_usage(&rig.janitor, date(2026, 7, 2), date(2026, 7, 1), noon(), 1_000).await;
    assert_eq!(forgotten.unwrap(), 27, "the image's sites; nothing else is old");
    assert_eq!(rig.number("SELECT count(*) FROM account_site_day").await, 61);
}

#[tokio::test]
async fn the_most_viewed_of_a_day_are_kept_and_the_others_go() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    for content in 0..120 {
        rig.publish(&image(owner, content)).await;
    }
    let views = |image_id: i64, views: u64| DayCount {
        views,
        bytes: views,
        last_viewed_at: Some(noon()),
        ..DayCount::none(image_id, TODAY)
    };
    // Two folds, each with its own best: the sum of a day is what counts.
    for (epoch, images) in [(1, 1..=60_i64), (2, 61..=120), (3, 30..=31)] {
        let days = images.map(|id| views(id, id.unsigned_abs())).collect();
        fold(&rig.serve, epoch, days, Vec::new()).await;
    }
    assert_eq!(rig.number("SELECT count(*) FROM account_top_image").await, 120);
    assert_eq!(keep_top_images(&rig.janitor, TODAY).await.unwrap(), 20);
    assert_eq!(
        rig.number("SELECT views FROM account_top_image WHERE image_id = 30")
            .await,
        60
    );
    let period = Period {
        from: date(2026, 6, 1),
        to: TODAY,
    };
    let told = stats(&rig.upload, Some(owner), period, noon(), at(60))
        .await
        .unwrap();
    let best: Vec<u64> = told.top_images.iter().map(|image| image.views).collect();
    assert_eq!(best, (101..=120).rev().collect::<Vec<_>>());
    assert_eq!((told.images, told.storage[0].images), (120, 120));
    assert_eq!(told.storage[0].bytes, told.bytes);
}

#[tokio::test]
async fn storage_by_format_is_always_what_live_images_take() {
    let rig = Rig::new().await;
    let (ann, bob) = (rig.account("ann").await, rig.account("bob").await);
    let first = rig.publish(&image(ann, 1)).await.image.public_id;
    for (owner, content) in [(ann, 2), (ann, 3), (bob, 1)] {
        rig.publish(&image(owner, content)).await;
    }
    assert!(withdraw(&rig.upload, ann, first, None, noon()).await.unwrap());
    let sql = "UPDATE image SET expires_at = '2026-07-01T12:00:01Z' WHERE id = 2";
    rig.owner.execute(sql, &[]).await.unwrap();
    assert_eq!(catalog::expire_batch(&rig.janitor, 10, at(2)).await.unwrap(), 1);
    let wrong = "
        SELECT count(*) FROM account_storage FULL JOIN (
            SELECT account_id, blob.media_type, kind, count(*) AS images, sum(blob.size_bytes) AS bytes
            FROM image JOIN blob ON blob.id = blob_id WHERE ended_at IS NULL GROUP BY 1, 2, 3
        ) AS live USING (account_id, media_type, kind)
        WHERE (coalesce(account_storage.images, 0), coalesce(account_storage.bytes, 0)) <> (coalesce(live.images, 0), coalesce(live.bytes, 0))";
    assert_eq!(rig.number(wrong).await, 0);
    assert_eq!(
        rig.number("SELECT sum(images)::bigint FROM account_storage")
            .await,
        2
    );
}

#[tokio::test]
async fn no_statement_about_usage_reads_images_one_by_one() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    rig.publish(&image(owner, 1)).await;
    // Figures of a large table, without its rows: the planner believes them.
    rig.owner
        .batch_execute(
            "INSERT INTO blob (sha256, md5, key, size_bytes, media_type, links, created_at)
             SELECT sha256(n::text::bytea), substring(sha256(n::text::bytea) for 16), 'k' || n, 1, 'image/png', 1, '2026-01-01'
             FROM generate_series(1, 20000) AS n;
             INSERT INTO image (public_id, account_id, album_id, blob_id, name, kind, created_at, updated_at, expires_at)
             SELECT translate(lpad(n::text, 12, '0'), '0', 'A'), account_id, album_id, blob.id, 'a.png', 'image', '2026-01-01', '2026-01-01',
                    '2026-08-01'::timestamptz + n * interval '1 minute'
             FROM generate_series(1, 20000) AS n JOIN blob ON blob.key = 'k' || n, (SELECT account_id, album_id FROM image LIMIT 1) AS of_one;
             INSERT INTO view_count_day SELECT id, '2026-07-01', 1, 1 FROM image;
             ANALYZE",
        )
        .await
        .unwrap();
    let period = Period {
        from: date(2026, 6, 1),
        to: TODAY,
    };
    for whose in [Some(owner), None] {
        for plan in explain_stats(&rig.upload, whose, period, noon(), at(60))
            .await
            .unwrap()
        {
            for table in ["image", "blob", "view_count", "view_count_day"] {
                let walk = format!("Seq Scan on {table} ");
                assert!(!plan.contains(&walk), "{whose:?}:\n{plan}");
                assert!(!plan.ends_with(walk.trim_end()), "{whose:?}:\n{plan}");
            }
        }
    }
}
