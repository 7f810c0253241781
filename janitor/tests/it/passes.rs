//! What a round does to rows and bytes, by a clock that is moved by hand.

use std::{
    fs::File,
    time::{Duration, SystemTime},
};

use catalog::{ServiceRole, find_image, find_live_by_id};
use http_kit::Metrics;
use janitor::{Done, Pass, Service};
use tokio_util::sync::CancellationToken;

use crate::rig::{Rig, metric, seconds};

const HOUR: i64 = 60 * 60;

#[tokio::test]
async fn an_expired_image_is_written_off_and_its_bytes_go_after_the_grace() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let passing = rig.upload(owner, 1, Some(60)).await;
    let lasting = rig.upload(owner, 2, None).await;
    rig.clock.advance(seconds(59));
    assert_eq!(rig.clean().await, Done::default(), "a second too early");
    rig.clock.advance(seconds(1));
    let written_off = Done {
        images_expired: 1,
        ..Done::default()
    };
    assert_eq!(rig.clean().await, written_off);
    assert!(
        find_image(&rig.upload, passing.public_id)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        rig.number("SELECT used_files FROM account").await,
        1,
        "its owner has the room again"
    );
    rig.clock.advance(seconds(HOUR - 1));
    assert_eq!(rig.clean().await, Done::default(), "the grace is not over");
    assert!(rig.has_bytes(&passing));
    rig.clock.advance(seconds(1));
    let swept = Done {
        blobs_swept: 1,
        bytes_swept: passing.size_bytes,
        ..Done::default()
    };
    assert_eq!(rig.clean().await, swept);
    assert!(!rig.has_bytes(&passing));
    assert!(rig.has_bytes(&lasting));
    assert_eq!(rig.clean().await, Done::default(), "there is nothing left to do");
    assert_eq!(rig.number("SELECT count(*) FROM blob").await, 1);
}

#[tokio::test]
async fn a_withdrawn_image_keeps_its_bytes_for_the_grace_and_those_that_are_shared_for_ever() {
    let rig = Rig::new().await;
    let (one, other) = (rig.account("one").await, rig.account("other").await);
    let alone = rig.upload(one, 1, None).await;
    let shared = rig.upload(one, 2, None).await;
    rig.upload(other, 2, None).await;
    rig.withdraw(&alone).await;
    rig.withdraw(&shared).await;
    rig.clock.advance(seconds(HOUR - 1));
    assert_eq!(rig.clean().await, Done::default());
    rig.clock.advance(seconds(1));
    let done = rig.clean().await;
    assert_eq!((done.blobs_swept, done.images_forgotten), (1, 1));
    assert!(!rig.has_bytes(&alone));
    assert!(rig.has_bytes(&shared));
}

#[tokio::test]
async fn an_upload_during_the_grace_saves_the_bytes() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let first = rig.upload(owner, 1, Some(60)).await;
    rig.clock.advance(seconds(60));
    rig.clean().await;
    rig.clock.advance(seconds(HOUR - 1));
    let second = rig.upload(owner, 1, None).await;
    assert_ne!(second.public_id, first.public_id);
    rig.clock.advance(seconds(24 * HOUR));
    assert_eq!(rig.clean().await.blobs_swept, 0);
    assert!(rig.has_bytes(&second));
    let serve = rig.database.catalog_as(ServiceRole::Serve);
    assert!(find_live_by_id(&serve, second.public_id).await.unwrap().is_some());
}

#[tokio::test]
async fn without_a_grace_one_round_expires_and_sweeps() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let image = rig.upload(owner, 1, Some(60)).await;
    rig.clock.advance(seconds(60));
    let mut settings = rig.settings();
    settings.sweep_grace = Duration::ZERO;
    let done = rig.clean_with(&settings).await;
    assert_eq!((done.images_expired, done.blobs_swept), (1, 1));
    assert!(!rig.has_bytes(&image));
}

#[tokio::test]
async fn a_pass_goes_on_until_nothing_is_left_however_many_batches_that_takes() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    rig.upload(owner, 1, None).await;
    // Rows are enough here: a file that is gone already is as good as removed.
    let rows = "
        INSERT INTO blob (sha256, md5, key, size_bytes, media_type, links, created_at)
        SELECT sha256(n::text::bytea), decode(md5(n::text), 'hex'),
               substring(md5(n::text), 1, 2) || '/' || substring(md5(n::text), 3) || '.png', 10, 'image/png', 1, '2026-07-01T12:00Z'
        FROM generate_series(1, 2500) AS n;
        INSERT INTO image (public_id, account_id, album_id, blob_id, name, kind, created_at, updated_at, expires_at)
        SELECT lpad(blob.id::text, 12, 'x'), album.account_id, album.id, blob.id, 'a', 'image', '2026-07-01T12:00Z',
               '2026-07-01T12:00Z', '2026-07-01T12:01Z'
        FROM blob, album WHERE size_bytes = 10;
        UPDATE account SET used_files = used_files + 2500, used_bytes = used_bytes + 25000";
    rig.owner.batch_execute(rows).await.unwrap();
    rig.clock.advance(seconds(60));
    assert_eq!(rig.clean().await.images_expired, 2_500);
    rig.clock.advance(seconds(HOUR));
    let done = rig.clean().await;
    assert_eq!((done.blobs_swept, done.bytes_swept), (2_500, 25_000));
    assert_eq!(rig.number("SELECT count(*) FROM blob").await, 1);
    assert_eq!(rig.number("SELECT used_files FROM account").await, 1);
}

#[tokio::test]
async fn what_can_not_be_removed_stays_doomed_and_holds_nothing_else_up() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let stuck = rig.upload(owner, 1, None).await;
    let loose = rig.upload(owner, 2, None).await;
    rig.withdraw(&stuck).await;
    rig.withdraw(&loose).await;
    let path = rig.data().join("blobs").join(&stuck.key);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    rig.clock.advance(seconds(HOUR));
    assert_eq!(rig.clean().await.blobs_swept, 1);
    assert_eq!(rig.clean().await.blobs_swept, 0);
    assert_eq!(
        rig.number("SELECT count(*) FROM blob WHERE doomed_at IS NOT NULL")
            .await,
        1
    );
    std::fs::remove_dir(&path).unwrap();
    assert_eq!(rig.clean().await.blobs_swept, 1);
}

#[tokio::test]
async fn abandoned_uploads_are_purged_and_those_under_way_left_alone() {
    let rig = Rig::new().await;
    let now = SystemTime::from(rig.clock.now());
    for (name, age) in [("abandoned", 2 * 3_600 + 1), ("slow", 2 * 3_600), ("young", 1)] {
        let path = rig.data().join("blobs/.staging").join(name);
        std::fs::write(&path, name).unwrap();
        let file = File::options().append(true).open(&path).unwrap();
        file.set_modified(now - Duration::from_secs(age)).unwrap();
    }
    let done = rig.clean().await;
    assert_eq!((done.staging_purged, done.staging_bytes), (1, 9));
    assert!(!rig.data().join("blobs/.staging/abandoned").exists());
    assert!(rig.data().join("blobs/.staging/slow").exists());
}

#[tokio::test]
async fn events_are_forgotten_once_they_were_kept_for_as_long_as_they_should() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    rig.upload(owner, 1, None).await;
    assert_eq!(rig.number("SELECT count(*) FROM event").await, 1);
    rig.clock.advance(seconds(90 * 24 * HOUR - 1));
    assert_eq!(rig.clean().await.records_forgotten, 0);
    rig.clock.advance(seconds(2));
    assert_eq!(rig.clean().await.records_forgotten, 1);
    assert_eq!(rig.number("SELECT count(*) FROM event").await, 0);
}

#[tokio::test]
async fn a_dry_run_counts_and_changes_nothing() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let withdrawn = rig.upload(owner, 1, None).await;
    rig.withdraw(&withdrawn).await;
    rig.upload(owner, 2, Some(60)).await;
    rig.clock.advance(seconds(HOUR));
    let abandoned = rig.data().join("blobs/.staging/abandoned");
    std::fs::write(&abandoned, "bytes").unwrap();
    let file = File::options().append(true).open(&abandoned).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let mut settings = rig.settings();
    settings.pretend = true;
    let expected = Done {
        images_expired: 1,
        blobs_swept: 1,
        bytes_swept: withdrawn.size_bytes,
        images_forgotten: 0,
        staging_purged: 1,
        staging_bytes: 5,
        records_forgotten: 0,
        variants_wished: 0,
    };
    for _ in 0..2 {
        assert_eq!(rig.clean_with(&settings).await, expected);
    }
    assert!(abandoned.exists() && rig.has_bytes(&withdrawn));
    assert_eq!(rig.number("SELECT count(*) FROM blob").await, 2);
    assert_eq!(rig.clean().await, expected, "it told the truth");
}

#[tokio::test]
async fn what_is_done_is_counted_for_prometheus() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let image = rig.upload(owner, 1, Some(60)).await;
    rig.clock.advance(seconds(60));
    let metrics = Metrics::new();
    let service = Service::new(&rig.settings(), rig.clock.clock(), &metrics).unwrap();
    service.run_once(&CancellationToken::new()).await;
    let now = rig.clock.advance(seconds(HOUR));
    service.run_once(&CancellationToken::new()).await;
    let bytes = f64::from(u32::try_from(image.size_bytes).unwrap());
    for (name, value) in [
        ("berth_janitor_images_expired_total", 1.0),
        ("berth_janitor_blobs_swept_total", 1.0),
        ("berth_janitor_bytes_swept_total", bytes),
        ("berth_janitor_staging_purged_total", 0.0),
        ("berth_janitor_passes_total{outcome=\"ok\",pass=\"sweep\"}", 2.0),
        (
            "berth_janitor_passes_total{outcome=\"failed\",pass=\"sweep\"}",
            0.0,
        ),
        (
            "berth_janitor_last_success_timestamp_seconds",
            f64::from(i32::try_from(now.as_second()).unwrap()),
        ),
    ] {
        let found = metric(&metrics, name);
        assert!((found - value).abs() < f64::EPSILON, "{name}: {found}");
    }
}

#[tokio::test]
async fn a_pass_that_fails_is_told_and_the_others_run() {
    let rig = Rig::new().await;
    let staging = rig.data().join("blobs/.staging");
    std::fs::remove_dir(&staging).unwrap();
    std::fs::write(&staging, "no folder").unwrap();
    rig.owner
        .batch_execute("REVOKE SELECT ON image, blob FROM berth_janitor")
        .await
        .unwrap();
    let round = rig
        .service(&rig.settings())
        .run_once(&CancellationToken::new())
        .await;
    let failed: Vec<Pass> = round.failures.iter().map(|(pass, _)| *pass).collect();
    let mut looking_at_images = Pass::ALL.to_vec();
    looking_at_images.retain(|pass| *pass != Pass::Rollup);
    assert_eq!(failed, looking_at_images, "the roll-up looks at none, and runs");
    rig.owner
        .batch_execute("GRANT SELECT ON image, blob TO berth_janitor")
        .await
        .unwrap();
    let round = rig
        .service(&rig.settings())
        .run_once(&CancellationToken::new())
        .await;
    let failed: Vec<Pass> = round.failures.iter().map(|(pass, _)| *pass).collect();
    assert_eq!(failed, [Pass::PurgeUploads]);
}

#[tokio::test]
async fn an_upload_in_pieces_that_nobody_goes_on_with_goes_with_its_bytes_and_one_that_is_written_to_stays() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let folder = rig.data().join("blobs/.uploads");
    std::fs::create_dir_all(&folder).unwrap();
    let ids = ["a".repeat(12), "b".repeat(12), "c".repeat(12)];
    for (id, expires, held) in [
        (&ids[0], 60, "NULL"),
        (&ids[1], 60, "'2100-01-01'"),
        (&ids[2], 61, "NULL"),
    ] {
        std::fs::write(folder.join(id), b"bytes").unwrap();
        let expires_at = rig.clock.clock().now() + seconds(expires);
        let insert = format!(
            "INSERT INTO upload (id, account_id, shape, length_bytes, offset_bytes, held_until, created_at, expires_at)
             VALUES ('{id}', {owner}, 'whole', 9, 5, {held}, '2026-01-01', '{expires_at}')"
        );
        rig.owner.batch_execute(&insert).await.unwrap();
    }
    rig.clock.advance(seconds(60));
    let purged = Done {
        staging_purged: 1,
        staging_bytes: 5,
        ..Done::default()
    };
    assert_eq!(rig.clean().await, purged);
    assert!(!folder.join(&ids[0]).exists());
    assert!(folder.join(&ids[1]).exists() && folder.join(&ids[2]).exists());
    assert_eq!(rig.number("SELECT count(*) FROM upload").await, 2);
}

#[tokio::test]
async fn days_on_which_images_were_last_seen_become_months_once_they_are_long_past() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let today = rig.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let seen: Vec<_> = [1, 40, 100, 400]
        .map(|days| today - jiff::Span::new().days(days))
        .into();
    for (seed, day) in (1..).zip(&seen) {
        let image = rig.upload(owner, seed, None).await;
        let viewed = "INSERT INTO view_count SELECT id, 1, 1, ($2::text || 'T10:00:00Z')::timestamptz FROM image WHERE public_id = $1";
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
            [&image.public_id.as_str(), &day.to_string()];
        rig.owner.execute(viewed, &parameters).await.unwrap();
    }
    rig.clean().await;
    let row = rig
        .owner
        .query_one(
            "SELECT array_agg(seen_period::text ORDER BY seen_period DESC) FROM image_seen",
            &[],
        )
        .await
        .unwrap();
    let periods: Vec<String> = row.get(0);
    let month = |day: &jiff::civil::Date| day.first_of_month().to_string();
    let last_month = month(&today.first_of_month().yesterday().unwrap());
    let expected: Vec<_> = seen
        .iter()
        .map(|day| {
            if month(day) < last_month {
                month(day)
            } else {
                day.to_string()
            }
        })
        .collect();
    assert_eq!(periods, expected);
}
