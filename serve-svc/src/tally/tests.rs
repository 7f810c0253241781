use http_kit::Metrics;
use test_kit::TestDatabase;

use super::{fold::fold, *};
use crate::shelf::tests::nowhere;

fn figures() -> Figures {
    Figures::new(&Metrics::new()).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn noon() -> Timestamp {
    at("2026-11-21T12:00:00Z")
}

fn see(tally: &Tally, image: i64, bytes: u64) {
    tally.count(image, Counted::View, &ReferringSite::Unnamed, noon(), bytes);
}

/// Everything that would be folded now; it stays.
fn counted(tally: &Tally) -> Counts {
    tally
        .seal()
        .map(|sealed| sealed.counts().unwrap())
        .unwrap_or_default()
}

#[test]
fn views_are_summed_by_image_and_by_day_in_utc() {
    let folder = tempfile::tempdir().unwrap();
    let tally = Tally::open(Some(folder.path()), figures()).unwrap();
    let see = |image, counted, time: &str, bytes| {
        tally.count(image, counted, &ReferringSite::Unnamed, at(time), bytes);
    };
    see(1, Counted::View, "2026-11-20T23:59:59.9Z", 10);
    see(1, Counted::View, "2026-11-21T00:00:00Z", 20);
    see(1, Counted::View, "2026-11-21T12:00:00Z", 0);
    see(1, Counted::View, "2026-11-21T08:00:00Z", 5);
    see(1, Counted::Part, "2026-11-21T13:00:00Z", 7);
    see(1, Counted::Bot, "2026-11-21T14:00:00Z", 100);
    see(1, Counted::Refusal, "2026-11-21T15:00:00Z", 0);
    see(17, Counted::View, "1969-12-31T23:00:00Z", 1);
    see(-1, Counted::View, "2026-11-21T12:00:00Z", 1);
    let none = |image, day: &str| catalog::DayCount::none(image, day.parse().unwrap());
    assert_eq!(
        counted(&tally).days,
        [
            catalog::DayCount {
                views: 1,
                bytes: 10,
                last_viewed_at: Some(at("2026-11-20T23:59:59.9Z")),
                ..none(1, "2026-11-20")
            },
            catalog::DayCount {
                views: 3,
                bytes: 32,
                bots: 1,
                bot_bytes: 100,
                refusals: 1,
                last_viewed_at: Some(at("2026-11-21T12:00:00Z")),
                ..none(1, "2026-11-21")
            },
            catalog::DayCount {
                views: 1,
                bytes: 1,
                ..none(17, "1969-12-31")
            },
        ]
    );
}

#[test]
fn sites_are_told_apart_and_bots_are_none_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let tally = Tally::open(Some(folder.path()), figures()).unwrap();
    for (counted, site) in [
        (
            Counted::View,
            ReferringSite::of(Some("https://blog.example/"), None),
        ),
        (
            Counted::View,
            ReferringSite::of(Some("https://blog.example/"), None),
        ),
        (
            Counted::Refusal,
            ReferringSite::of(Some("https://evil.example/"), None),
        ),
        (
            Counted::Bot,
            ReferringSite::of(Some("https://search.example/"), None),
        ),
        (Counted::View, ReferringSite::Unnamed),
        (Counted::Refusal, ReferringSite::Unreadable),
    ] {
        tally.count(1, counted, &site, noon(), 10);
    }
    let sums: Vec<_> = counted(&tally)
        .referrers
        .into_iter()
        .map(|count| (count.referrer, count.views, count.bytes, count.refusals))
        .collect();
    let host = |host: &str| catalog::Referrer::Host(host.to_owned());
    assert_eq!(
        sums,
        [
            (catalog::Referrer::Other, 0, 0, 1),
            (catalog::Referrer::Unnamed, 1, 10, 0),
            (host("blog.example"), 2, 20, 0),
            (host("evil.example"), 0, 0, 1),
        ]
    );
}

#[test]
fn many_threads_lose_no_view_while_halves_are_sealed_and_journals_fill_up() {
    let folder = tempfile::tempdir().unwrap();
    let tally = Tally::open(Some(folder.path()), figures()).unwrap();
    let mut total = 0;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let tally = &tally;
                scope.spawn(move || (0..60_000).for_each(|n| see(tally, 1 + (n * (thread + 1)) % 150_000, 1)))
            })
            .collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            if let Some(sealed) = tally.seal() {
                let views: u64 = sealed
                    .counts()
                    .unwrap()
                    .days
                    .iter()
                    .map(|count| count.views)
                    .sum();
                if tally.unseal(&sealed) {
                    total += views;
                }
            }
        }
    });
    while let Some(sealed) = tally.seal() {
        total += sealed
            .counts()
            .unwrap()
            .days
            .iter()
            .map(|count| count.views)
            .sum::<u64>();
        assert!(tally.unseal(&sealed));
    }
    let journals = lock(&tally.journals);
    for journal in &journals.waiting {
        for half in 0..HALVES {
            for shard in 0..SHARDS {
                let entries = journal.page(shard, half).read_all().unwrap();
                total += entries.iter().map(|entry| entry.times).sum::<u64>();
            }
        }
    }
    assert_eq!(total, 240_000);
}

#[tokio::test]
async fn a_full_journal_waits_and_is_folded_when_the_database_is_there() {
    let database = TestDatabase::create().await;
    let serve = database.catalog_as(catalog::ServiceRole::Serve);
    let folder = tempfile::tempdir().unwrap();
    let tally = Tally::open(Some(folder.path()), figures()).unwrap();
    see(&tally, 16, 1);
    assert!(
        fold(&tally, &nowhere(), noon()).await.is_err(),
        "sealed, and in doubt"
    );
    // Of one shard, so that it is full soon.
    for image in 1..=20_000 {
        see(&tally, image * 16, 1);
    }
    assert!(lock(&tally.journals).waiting.len() >= 2);
    assert_eq!(tally.figures.journal_lost.get(), 0);
    fold(&tally, &serve, noon()).await.unwrap();
    assert!(tally.is_empty());
    assert_eq!(
        Journal::list(folder.path()).unwrap().len(),
        1,
        "the one that is counted into"
    );
    // 16 stands twice: it was counted before and after its half was sealed.
    assert_eq!(tally.figures.fold_rows.get(), 20_001);
}

#[tokio::test]
async fn journals_that_nobody_can_read_are_set_aside_and_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let of_old = Journal::create(folder.path(), [7; 16]).unwrap();
    let path = of_old.path().unwrap().to_owned();
    drop(of_old);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    std::fs::write(folder.path().join("views-0.journal"), b"nonsense").unwrap();
    let metrics = Metrics::new();
    let tally = Tally::open(Some(folder.path()), Figures::new(&metrics).unwrap()).unwrap();
    tally.adopt().unwrap();
    assert_eq!(Journal::list(folder.path()).unwrap().len(), 1);
    assert!(lock(&tally.journals).waiting.is_empty());
    let text = metrics.text();
    for reason in ["version", "corrupt"] {
        let line = format!("berth_journals_set_aside_total{{reason=\"{reason}\"}} 1");
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn where_no_journal_can_be_made_views_are_counted_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let no_folder = folder.path().join("file");
    std::fs::write(&no_folder, b"").unwrap();
    let tally = Tally::open(Some(&no_folder), figures()).unwrap();
    assert!(!tally.is_durable());
    assert_eq!(tally.figures.journal_in_memory.get(), 1);
    see(&tally, 1, 10);
    assert_eq!(counted(&tally).days.len(), 1);
}
