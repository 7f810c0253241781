//! Lists of images over a table large enough that Postgres must choose.

use std::fmt::Write as _;

use catalog::{ImageFilter, ImageQuery, ImageSort, ServiceRole, explain_list, list_images};
use domain::{Kind, Visibility};
use jiff::{SignedDuration, Timestamp};
use test_kit::TestDatabase;

const ROWS: i64 = 200_000;
const SORTS: [ImageSort; 5] = [
    ImageSort::Newest,
    ImageSort::Oldest,
    ImageSort::Taken,
    ImageSort::Name,
    ImageSort::Size,
];
/// More than any page below takes with an index, and far less than any that reads the whole table.
const MOST_MILLISECONDS: f64 = 250.0;

/// Two accounts: one with most of the images, one with few. 3 % are videos, one in a thousand is private, one in 20,000 is named
/// `needle`, every second has a date, one in 50 will expire, all but one in 100 were seen lately.
async fn large_table(database: &TestDatabase) -> i64 {
    let owner = test_kit::account(database, "ann").await;
    let other = test_kit::account(database, "bob").await;
    let client = database.connect().await;
    let fill = format!(
        "INSERT INTO blob (sha256, md5, key, size_bytes, media_type, links, created_at)
         SELECT sha256(n::text::bytea), substring(sha256(n::text::bytea) for 16), 'k' || n, 1 + n % 9973, 'image/png', 1, '2026-01-01'
         FROM generate_series(1, {ROWS}) AS n;
         INSERT INTO image (public_id, account_id, album_id, blob_id, name, visibility, kind, taken_at, created_at, updated_at, expires_at)
         SELECT translate(lpad(n::text, 12, '0'), '0', 'A'), owner, (SELECT id FROM album WHERE account_id = owner), blob.id,
                CASE WHEN n % 20000 = 7 THEN 'needle ' || n ELSE 'IMG_' || n || '.png' END,
                CASE WHEN n % 1000 = 3 THEN 'private' ELSE 'public' END, CASE WHEN n % 33 = 0 THEN 'video' ELSE 'image' END,
                CASE WHEN n % 2 = 0 THEN '2020-01-01'::timestamptz + n * interval '7 minutes' END,
                '2026-01-01'::timestamptz + n * interval '1 minute', '2026-01-01',
                CASE WHEN n % 50 = 0 THEN '2027-01-01'::timestamptz + n * interval '1 minute' END
         FROM generate_series(1, {ROWS}) AS n JOIN blob ON blob.key = 'k' || n,
              LATERAL (SELECT CASE WHEN n % 100 = 1 THEN {other} ELSE {owner} END AS owner) AS whose;
         INSERT INTO view_count SELECT id, 1, 1, '2026-11-01' FROM image WHERE id % 100 <> 0;
         ANALYZE;"
    );
    client.batch_execute(&fill).await.unwrap();
    owner
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn filters(album_id: i64) -> Vec<(&'static str, ImageFilter)> {
    let with = |name, change: &dyn Fn(&mut ImageFilter)| {
        let mut filter = ImageFilter::default();
        change(&mut filter);
        (name, filter)
    };
    let word = |filter: &mut ImageFilter, text: &str| filter.text = Some(text.to_owned());
    vec![
        with("nothing", &|_| {}),
        with("album", &|filter| filter.album_id = Some(album_id)),
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
            filter.taken_from = Some(at("2021-05-01T00:00:00Z"));
            filter.taken_to = Some(at("2021-05-02T00:00:00Z"));
        }),
        with("an hour of uploads", &|filter| {
            filter.uploaded_from = Some(at("2026-02-01T00:00:00Z"));
            filter.uploaded_to = Some(at("2026-02-01T01:00:00Z"));
        }),
        with("expiring", &|filter| {
            filter.expiring_before = Some(at("2027-01-08T00:00:00Z"));
        }),
        with("unused", &|filter| {
            filter.unused_since = Some(at("2026-10-01T00:00:00Z"));
        }),
        with("ended", &|filter| filter.ended = true),
        with("several together", &|filter| {
            word(filter, "needle");
            filter.kind = Some(Kind::Image);
            filter.uploaded_from = Some(at("2026-02-01T00:00:00Z"));
        }),
    ]
}

#[tokio::test]
async fn no_filter_and_no_sort_reads_the_table_from_end_to_end() {
    let database = TestDatabase::create().await;
    let owner = large_table(&database).await;
    let catalog = database.catalog_as(ServiceRole::Upload);
    let now = "2026-11-21T00:00:00Z".parse().unwrap();
    let client = database.connect().await;
    let album: i64 = client
        .query_one("SELECT id FROM album WHERE account_id = $1", &[&owner])
        .await
        .unwrap()
        .get(0);
    let (mut slowest, mut table) = (0.0f64, String::new());
    for owner in [Some(owner), None] {
        for sort in SORTS {
            for (name, filter) in filters(album) {
                let query = ImageQuery {
                    owner,
                    filter,
                    sort,
                    after: None,
                    limit: 51,
                };
                let first = list_images(&catalog, &query, now).await.unwrap();
                let after = first.last().map(|last| sort.position(last));
                for query in [query.clone(), ImageQuery { after, ..query }] {
                    let plan = explain_list(&catalog, &query, now).await.unwrap();
                    assert!(
                        !plan.contains("Seq Scan on image"),
                        "{name} by {sort:?} of {owner:?}:\n{plan}"
                    );
                    let milliseconds = execution_milliseconds(&plan);
                    slowest = slowest.max(milliseconds);
                    writeln!(table, "{milliseconds:8.2} ms  {name} by {sort:?} of {owner:?}").unwrap();
                    assert!(
                        milliseconds < MOST_MILLISECONDS,
                        "{name} by {sort:?} of {owner:?}:\n{plan}"
                    );
                }
            }
        }
    }
    println!("{table}slowest: {slowest} ms");
}

fn execution_milliseconds(plan: &str) -> f64 {
    let line = plan
        .lines()
        .find_map(|line| line.trim().strip_prefix("Execution Time: "));
    line.and_then(|line| line.trim_end_matches(" ms").parse().ok())
        .unwrap()
}

#[tokio::test]
async fn a_rare_word_is_found_and_the_pages_of_a_list_make_up_the_whole() {
    let database = TestDatabase::create().await;
    let owner = large_table(&database).await;
    let catalog = database.catalog_as(ServiceRole::Upload);
    let now: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
    let text = Some("NEEDLE".to_owned());
    let mut query = ImageQuery {
        owner: Some(owner),
        filter: ImageFilter {
            text,
            ..ImageFilter::default()
        },
        sort: ImageSort::Taken,
        after: None,
        limit: 3,
    };
    let mut found = 0;
    loop {
        let page = list_images(&catalog, &query, now + SignedDuration::from_secs(1))
            .await
            .unwrap();
        found += page.len();
        match page.last() {
            Some(last) => query.after = Some(query.sort.position(last)),
            None => break,
        }
    }
    assert_eq!(found, 10);
}
