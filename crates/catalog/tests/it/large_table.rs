//! A table large enough that Postgres must choose, and every way to list it. `examples/lists.rs` measures with it, too.

use catalog::{ImageFilter, ImagePosition, ImageSort, SortKey};
use domain::{Kind, Visibility};
use jiff::{SignedDuration, Timestamp};
use test_kit::TestDatabase;

pub(crate) const SORTS: [ImageSort; 5] = [
    ImageSort::Newest,
    ImageSort::Oldest,
    ImageSort::Taken,
    ImageSort::Name,
    ImageSort::Size,
];

/// The moment at which the tables are read.
pub(crate) const NOW: &str = "2026-11-21T00:00:00Z";

/// The rows of a batch, each a statement.
const BATCH: i64 = 100_000;

/// Who has most of the images, and the albums they are in: nearly all, and 3 %.
#[derive(Clone, Copy)]
pub(crate) struct Large {
    pub(crate) owner: i64,
    pub(crate) albums: [i64; 2],
}

/// Two accounts: one with most of the images, one with few. 3 % are in an album of their own, 3 % are videos, one in a thousand is private, every second has
/// a date, one in 50 will expire, all but one in 100 were seen lately. A hundred, of however many, are named `needle`, and a hundred others were never seen.
pub(crate) async fn large_table(database: &TestDatabase, rows: i64) -> Large {
    let owner = test_kit::account(database, "ann").await;
    let other = test_kit::account(database, "bob").await;
    let client = database.connect().await;
    let rare = rows / 100;
    let album = "INSERT INTO album (account_id, name, created_at, updated_at) VALUES ($1, 'holidays', '2026-01-01', '2026-01-01') RETURNING id";
    let small: i64 = client.query_one(album, &[&owner]).await.unwrap().get(0);
    let album = "SELECT min(id) FROM album WHERE account_id = $1";
    let album: i64 = client.query_one(album, &[&owner]).await.unwrap().get(0);
    for first in (1..=rows).step_by(usize::try_from(BATCH).unwrap()) {
        let last = rows.min(first + BATCH - 1);
        let fill = format!(
            "INSERT INTO blob (sha256, md5, key, size_bytes, media_type, links, created_at)
             SELECT sha256(n::text::bytea), substring(sha256(n::text::bytea) for 16), 'k' || n, 1 + n % 9973, 'image/png', 1, '2026-01-01'
             FROM generate_series({first}, {last}) AS n;
             INSERT INTO image (public_id, account_id, album_id, blob_id, name, visibility, kind, taken_at, created_at, updated_at, expires_at)
             SELECT translate(lpad(n::text, 12, '0'), '0', 'A'), owner, CASE WHEN n % 33 = 5 AND n % 100 <> 1 THEN {small} ELSE (SELECT min(id) FROM album WHERE account_id = owner) END, blob.id,
                    CASE WHEN n % {rare} = 7 THEN 'needle ' || n ELSE 'IMG_' || n || '.png' END,
                    CASE WHEN n % 1000 = 3 THEN 'private' ELSE 'public' END, CASE WHEN n % 33 = 0 THEN 'video' ELSE 'image' END,
                    CASE WHEN n % 2 = 0 THEN '2020-01-01'::timestamptz + n * interval '7 minutes' END,
                    '2026-01-01'::timestamptz + n * interval '1 minute', '2026-01-01',
                    CASE WHEN n % 50 = 0 THEN '2027-01-01'::timestamptz + n * interval '1 minute' END
             FROM generate_series({first}, {last}) AS n JOIN blob ON blob.key = 'k' || n,
                  LATERAL (SELECT CASE WHEN n % 100 = 1 THEN {other} ELSE {owner} END AS owner) AS whose;"
        );
        client.batch_execute(&fill).await.unwrap();
    }
    let seen = format!(
        "
        INSERT INTO view_count SELECT id, 1, 1, CASE WHEN id % 100 <> 0 THEN '2026-11-01' ELSE '2026-09-01' END::timestamptz FROM image WHERE id % {rare} <> 11;
        VACUUM ANALYZE image; VACUUM ANALYZE image_seen; ANALYZE;"
    );
    for statement in seen.split_inclusive(';') {
        client.batch_execute(statement).await.unwrap();
    }
    Large {
        owner,
        albums: [album, small],
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Every filter, with its name.
pub(crate) fn filters([album, small]: [i64; 2]) -> Vec<(&'static str, ImageFilter)> {
    let with = |name, change: &dyn Fn(&mut ImageFilter)| {
        let mut filter = ImageFilter::default();
        change(&mut filter);
        (name, filter)
    };
    let word = |filter: &mut ImageFilter, text: &str| filter.text = Some(text.to_owned());
    vec![
        with("nothing", &|_| {}),
        with("album", &|filter| filter.album_id = Some(album)),
        with("small album", &|filter| filter.album_id = Some(small)),
        with("a rare word", &|filter| word(filter, "needle")),
        with("a common word", &|filter| word(filter, "IMG")),
        with("no such word", &|filter| word(filter, "zzzz")),
        with("videos", &|filter| filter.kind = Some(Kind::Video)),
        with("pictures", &|filter| filter.kind = Some(Kind::Image)),
        with("private ones", &|filter| {
            filter.visibility = Some(Visibility::Private);
        }),
        with("unlisted ones", &|filter| {
            filter.visibility = Some(Visibility::Unlisted);
        }),
        with("a day taken", &|filter| {
            filter.taken_from = Some(at("2020-01-11T00:00:00Z"));
            filter.taken_to = Some(at("2020-01-12T00:00:00Z"));
        }),
        with("no date", &|filter| filter.no_date = true),
        with("an hour of uploads", &|filter| {
            filter.uploaded_from = Some(at("2026-01-03T00:00:00Z"));
            filter.uploaded_to = Some(at("2026-01-03T01:00:00Z"));
        }),
        with("expiring", &|filter| {
            filter.expiring_before = Some(at("2027-01-08T00:00:00Z"));
        }),
        with("unused", &|filter| {
            filter.unused_since = Some(at("2026-10-01T00:00:00Z"));
        }),
        with("hardly unused", &|filter| {
            filter.unused_since = Some(at("2026-05-01T00:00:00Z"));
        }),
        with("ended", &|filter| filter.ended = true),
        with("several together", &|filter| {
            word(filter, "needle");
            filter.kind = Some(Kind::Image);
            filter.uploaded_from = Some(at("2026-01-01T00:00:00Z"));
        }),
    ]
}

/// Half-way down a list of a table of so many rows.
#[allow(dead_code, reason = "the tests go on from a first page")]
pub(crate) fn middle(sort: ImageSort, rows: i64) -> ImagePosition {
    let half = rows / 2;
    let after = |start: &str, minutes: i64| at(start) + SignedDuration::from_mins(minutes);
    let key = match sort {
        ImageSort::Newest | ImageSort::Oldest => SortKey::Uploaded(after("2026-01-01T00:00:00Z", half)),
        ImageSort::Taken => SortKey::Taken(Some(after("2020-01-01T00:00:00Z", half * 7))),
        ImageSort::Name => SortKey::Name("img_5".to_owned()),
        ImageSort::Size => SortKey::Size(4_986.min(half)),
    };
    ImagePosition { key, id: half }
}

/// The blocks of the tables and their indexes that a page touched: what a busy machine can't change.
pub(crate) fn blocks(plan: &str) -> u64 {
    // The first line of a plan tells what all of it touched; a page may take two statements.
    let of_statement = |plan: &str| -> u64 {
        let line = plan
            .lines()
            .find(|line| line.trim().starts_with("Buffers: shared"));
        let counts = line.unwrap_or_default().split_whitespace();
        let touched = counts.filter_map(|word| word.strip_prefix("hit=").or(word.strip_prefix("read=")));
        touched.map(|count| count.parse::<u64>().unwrap()).sum()
    };
    plan.split("\n\n").map(of_statement).sum()
}
