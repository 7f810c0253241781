//! What a page of fifty takes of a small and of a large table, for every filter and sort: the median of several, in turns.
//!
//! Usage: `cargo run --release -p catalog --example lists -- [--rows 1000000] [--rounds 15]`. It ends with 1 when a page of the large table takes more
//! than twice as long as one of the small, or when Postgres would read a table from end to end for it.

#![allow(
    clippy::unwrap_used,
    reason = "a bench says that something is wrong by panicking"
)]

#[path = "../tests/it/large_table.rs"]
mod large_table;

use std::{process::ExitCode, time::Instant};

use catalog::{Catalog, ImageFilter, ImageQuery, ImageSort, ServiceRole, explain_list, list_images};
use jiff::Timestamp;
use test_kit::TestDatabase;

use large_table::{NOW, SORTS, filters, large_table, middle};

const SMALL: i64 = 10_000;
/// How much longer a page of the large table may take.
const MOST: f64 = 2.0;
/// A difference that nobody can see, and that a busy machine makes by itself.
const UNSEEN_MILLISECONDS: f64 = 1.0;

struct Table {
    #[allow(dead_code, reason = "dropping it drops the database")]
    database: TestDatabase,
    catalog: Catalog,
    rows: i64,
    owner: i64,
    filters: Vec<(&'static str, ImageFilter)>,
}

impl Table {
    async fn make(rows: i64) -> Self {
        let began = Instant::now();
        let database = TestDatabase::create().await;
        let owner = large_table(&database, rows).await;
        let client = database.connect().await;
        let album = "SELECT id FROM album WHERE account_id = $1";
        let album: i64 = client.query_one(album, &[&owner]).await.unwrap().get(0);
        println!("{rows} rows made in {:.0?}", began.elapsed());
        Self {
            catalog: database.catalog_as(ServiceRole::Upload),
            database,
            rows,
            owner,
            filters: filters(album),
        }
    }

    fn query(&self, filter: usize, sort: ImageSort, is_deep: bool) -> ImageQuery {
        ImageQuery {
            owner: Some(self.owner),
            filter: self.filters[filter].1.clone(),
            sort,
            after: is_deep.then(|| middle(sort, self.rows)),
            limit: 51,
            grace_began: Timestamp::UNIX_EPOCH,
        }
    }

    async fn milliseconds(&self, query: &ImageQuery) -> f64 {
        let began = Instant::now();
        list_images(&self.catalog, query, now()).await.unwrap();
        began.elapsed().as_secs_f64() * 1000.0
    }

    async fn reads_from_end_to_end(&self, query: &ImageQuery) -> bool {
        let plan = explain_list(&self.catalog, query, now()).await.unwrap();
        ["image", "image_seen", "view_count", "blob"].iter().any(|table| {
            plan.lines()
                .any(|line| line.contains(&format!("Seq Scan on {table} ")))
        })
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn option(name: &str, usual: i64) -> i64 {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1).map_or(usual, |text| text.parse().unwrap())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let rounds = option("--rounds", 15);
    let small = Table::make(SMALL).await;
    let large = Table::make(option("--rows", 1_000_000)).await;
    println!(
        "\nA page of 50, median of {rounds} in ms: of {} rows, of {} rows, and how much longer (at most {MOST})",
        small.rows, large.rows
    );
    println!(
        "{:20} {:8} {:6} {:>9} {:>9} {:>6}",
        "filter", "sort", "page", "small", "large", "ratio"
    );
    let (mut measured, mut over, mut worst) = (0, Vec::new(), 0.0f64);
    for (filter, (name, _)) in small.filters.iter().enumerate() {
        for sort in SORTS {
            for is_deep in [false, true] {
                let queries = [&small, &large].map(|table| (table, table.query(filter, sort, is_deep)));
                let mut times = [Vec::new(), Vec::new()];
                for _ in 0..rounds {
                    for ((table, query), times) in queries.iter().zip(&mut times) {
                        times.push(table.milliseconds(query).await);
                    }
                }
                let [few, many] = times.map(median);
                let ratio = many / few;
                let scans = large.reads_from_end_to_end(&queries[1].1).await;
                let is_over = scans || ratio > MOST && many - few > UNSEEN_MILLISECONDS;
                let verdict = match (scans, is_over) {
                    (true, _) => "  READS ALL",
                    (_, true) => "  OVER",
                    _ => "",
                };
                let page = if is_deep { "deep" } else { "first" };
                let line = format!(
                    "{name:20} {:8} {page:6} {few:9.2} {many:9.2} {ratio:6.2}{verdict}",
                    format!("{sort:?}")
                );
                println!("{line}");
                measured += 1;
                worst = worst.max(ratio);
                over.extend(is_over.then_some(line));
            }
        }
    }
    println!(
        "\n{measured} pages, the worst ratio {worst:.2}; over the bar: {}",
        over.len()
    );
    for line in &over {
        println!("{line}");
    }
    if over.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
