//! Lists of what nobody has looked at for long: in each order the same as by looking at every image.

use catalog::{
    ImageFilter, ImagePosition, ImageQuery, ImageSort, ServiceRole, explain_list, list_images, merge_periods,
};
use jiff::{Timestamp, civil::date};
use test_kit::TestDatabase;
use tokio_postgres::Client;

use crate::large_table::SORTS;

const NOW: &str = "2026-11-21T12:00:00Z";

/// Two thousand images: every seventh was seen on some day of the last three years, every hundredth never, all others today.
async fn seen_on_many_days(database: &TestDatabase) -> (i64, Client) {
    let owner = test_kit::account(database, "ann").await;
    let client = database.connect().await;
    let fill = format!(
        "INSERT INTO blob (sha256, md5, key, size_bytes, media_type, links, created_at)
         SELECT sha256(n::text::bytea), substring(sha256(n::text::bytea) for 16), 'k' || n, 1 + n % 61, 'image/png', 1, '2026-01-01'
         FROM generate_series(1, 2000) AS n;
         INSERT INTO image (public_id, account_id, album_id, blob_id, name, visibility, kind, taken_at, created_at, updated_at)
         SELECT translate(lpad(n::text, 12, '0'), '0', 'A'), {owner}, (SELECT min(id) FROM album WHERE account_id = {owner}), blob.id,
                CASE WHEN n % 2 = 0 THEN 'Holiday ' ELSE 'café ' END || n % 97, 'public', 'image',
                CASE WHEN n % 3 > 0 THEN '2020-01-01'::timestamptz + n % 53 * interval '1 day' END,
                '2023-01-01'::timestamptz + n % 701 * interval '1 minute', '2026-01-01'
         FROM generate_series(1, 2000) AS n JOIN blob ON blob.key = 'k' || n;
         INSERT INTO view_count
         SELECT id, 1, 1, CASE WHEN id % 7 = 0 THEN '{NOW}'::timestamptz - id * 37 % 1100 * interval '23 hours' ELSE '{NOW}' END
         FROM image WHERE id % 100 > 0;"
    );
    client.batch_execute(&fill).await.unwrap();
    client.batch_execute("VACUUM ANALYZE").await.unwrap();
    (owner, client)
}

/// Every page of twenty, and how Postgres finds the first.
async fn pages(
    database: &TestDatabase,
    owner: i64,
    sort: ImageSort,
    since: Timestamp,
) -> (Vec<String>, String) {
    let catalog = database.catalog_as(ServiceRole::Upload);
    let filter = ImageFilter {
        unused_since: Some(since),
        ..ImageFilter::default()
    };
    let mut query = ImageQuery {
        owner: Some(owner),
        filter,
        sort,
        after: None,
        limit: 20,
        grace_began: Timestamp::UNIX_EPOCH,
    };
    let now = NOW.parse().unwrap();
    let plan = explain_list(&catalog, &query, now).await.unwrap();
    let mut shown = Vec::new();
    loop {
        let page = list_images(&catalog, &query, now).await.unwrap();
        shown.extend(page.iter().map(|image| image.public_id.to_string()));
        let last: Option<ImagePosition> = page.last().map(|last| sort.position(last));
        match last {
            Some(last) => query.after = Some(last),
            None => return (shown, plan),
        }
    }
}

async fn all_by_looking_at_each(client: &Client, sort: ImageSort, since: Timestamp) -> Vec<String> {
    let order = match sort {
        ImageSort::Newest => "created_at DESC, id DESC",
        ImageSort::Oldest => "created_at, id",
        ImageSort::Taken => "coalesce(taken_at, '-infinity') DESC, id DESC",
        ImageSort::Name => "lower(name COLLATE \"C\"), id",
        ImageSort::Size => "size_bytes DESC, id DESC",
    };
    let sql = format!(
        "SELECT public_id FROM image LEFT JOIN view_count ON view_count.image_id = image.id
         WHERE ended_at IS NULL AND coalesce(last_viewed_at, '-infinity') < $1 ORDER BY {order}"
    );
    let rows = client.query(&sql, &[&since]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Half a day, a day within a month, the first of one, long ago, before anything was seen.
const SINCES: [&str; 5] = [
    "2026-11-19T13:30:00Z",
    "2026-10-17T00:00:00Z",
    "2026-09-01T00:00:00Z",
    "2024-04-09T10:00:00Z",
    "2020-01-01T00:00:00Z",
];

async fn every_list_is_whole(database: &TestDatabase, owner: i64, client: &Client) {
    for since in SINCES.map(|since| since.parse::<Timestamp>().unwrap()) {
        for sort in SORTS {
            let (shown, _) = pages(database, owner, sort, since).await;
            let expected = all_by_looking_at_each(client, sort, since).await;
            assert!(!expected.is_empty());
            assert_eq!(shown, expected, "{sort:?} since {since}");
        }
    }
}

#[tokio::test]
async fn unused_images_are_listed_whole_in_every_order_by_days_and_by_months() {
    let database = TestDatabase::create().await;
    let (owner, client) = seen_on_many_days(&database).await;
    every_list_is_whole(&database, owner, &client).await;
    let periods = "SELECT count(DISTINCT seen_period) FROM image_seen";
    let days: i64 = client.query_one(periods, &[]).await.unwrap().get(0);

    let janitor = database.catalog_as(ServiceRole::Janitor);
    let today = date(2026, 11, 21);
    let mut merged = 0;
    loop {
        let some = merge_periods(&janitor, today, 100).await.unwrap();
        merged += some;
        if some < 100 {
            break;
        }
    }
    assert!(merged > 200, "{merged}");
    assert_eq!(merge_periods(&janitor, today, 100).await.unwrap(), 0);
    let months: i64 = client.query_one(periods, &[]).await.unwrap().get(0);
    assert!(days > 200 && months < 90, "{days} days became {months} periods");
    let still_days =
        "SELECT count(*) FROM image_seen WHERE seen_period >= '2026-10-01' AND seen_period <> seen_on";
    let lost: i64 = client.query_one(still_days, &[]).await.unwrap().get(0);
    assert_eq!(lost, 0, "days of this month and the last are told apart");

    every_list_is_whole(&database, owner, &client).await;
    let (_, plan) = pages(&database, owner, ImageSort::Newest, SINCES[3].parse().unwrap()).await;
    assert!(
        plan.contains("image_seen_by_upload"),
        "few are unused, so the periods are asked: {plan}"
    );
}

#[tokio::test]
async fn an_unused_image_that_changes_its_place_or_is_seen_is_listed_where_it_belongs() {
    let database = TestDatabase::create().await;
    let (owner, client) = seen_on_many_days(&database).await;
    let janitor = database.catalog_as(ServiceRole::Janitor);
    merge_periods(&janitor, date(2026, 11, 21), 10_000).await.unwrap();
    client
        .batch_execute(
            "UPDATE image SET name = 'ÄAb ' || id WHERE id % 14 = 0;
             UPDATE image SET taken_at = CASE WHEN id % 6 = 0 THEN NULL ELSE '2021-06-01'::timestamptz END WHERE id % 21 = 0;
             UPDATE blob SET size_bytes = size_bytes + 1000 WHERE id IN (SELECT blob_id FROM image WHERE id % 35 = 0);
             UPDATE image SET blob_id = blob_id WHERE id % 35 = 0;
             UPDATE image SET ended_at = '2026-11-20', ended_by = 'withdrawn' WHERE id % 49 = 0;
             UPDATE view_count SET last_viewed_at = '2026-11-18' WHERE image_id % 56 = 0;
             INSERT INTO view_count SELECT id, 1, 1, '2026-11-17' FROM image WHERE id % 200 = 0;",
        )
        .await
        .unwrap();
    every_list_is_whole(&database, owner, &client).await;
    let differ = "SELECT count(*) FROM image JOIN image_seen ON image_seen.image_id = image.id
                  WHERE (image.created_at, coalesce(image.taken_at, '-infinity'), image.size_bytes, lower(image.name COLLATE \"C\"))
                     IS DISTINCT FROM (image_seen.created_at, image_seen.taken_at, image_seen.size_bytes, image_seen.name)";
    let differ: i64 = client.query_one(differ, &[]).await.unwrap().get(0);
    assert_eq!(differ, 0);
}
