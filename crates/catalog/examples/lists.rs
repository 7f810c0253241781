//! What a page of fifty takes of a small and of a large table, for every filter and sort: the median of several, in turns.
//!
//! Usage: `cargo run --release -p catalog --example lists -- [--rows 1000000] [--rounds 15]`. It ends with 1 when a page of the large table takes more
//! than twice as long as one of the small, or when Postgres would read a table from end to end for it. The blocks that a page touches stand beside its
//! time: another program that keeps the machine busy changes the one and not the other.

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

use large_table::{Large, NOW, SORTS, blocks, filters, large_table, middle};

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
        let Large { owner, albums } = large_table(&database, rows).await;
        println!("{rows} rows made in {:.0?}", began.elapsed());
        Self {
            catalog: database.catalog_as(ServiceRole::Upload),
            database,
            rows,
            owner,
            filters: filters(albums),
        }
    }

    /// The first page, or one half-way down. Of a span of time that is the second: a cursor stands where an image of the list was.
    async fn query(&self, filter: usize, sort: ImageSort, is_deep: bool) -> ImageQuery {
        let filter = self.filters[filter].1.clone();
        let is_span = filter.taken_from.is_some() || filter.uploaded_from.is_some();
        let mut query = ImageQuery {
            owner: Some(self.owner),
            filter,
            sort,
            after: None,
            limit: 51,
            grace_began: Timestamp::UNIX_EPOCH,
        };
        if is_deep && is_span {
            let first = list_images(&self.catalog, &query, now()).await.unwrap();
            query.after = first.get(49).map(|last| sort.position(last));
        } else if is_deep {
            query.after = Some(middle(sort, self.rows));
        }
        query
    }

    async fn milliseconds(&self, query: &ImageQuery) -> f64 {
        let began = Instant::now();
        list_images(&self.catalog, query, now()).await.unwrap();
        began.elapsed().as_secs_f64() * 1000.0
    }

    async fn plan(&self, query: &ImageQuery) -> String {
        explain_list(&self.catalog, query, now()).await.unwrap()
    }
}

fn reads_from_end_to_end(plan: &str) -> bool {
    ["image", "image_seen", "view_count", "blob"].iter().any(|table| {
        plan.lines()
            .any(|line| line.contains(&format!("Seq Scan on {table} ")))
    })
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

/// A page of both tables, in turns.
struct Compared {
    line: String,
    ratio: f64,
    is_over: bool,
}

async fn compare(
    tables: [&Table; 2],
    filter: usize,
    sort: ImageSort,
    is_deep: bool,
    rounds: i64,
) -> Compared {
    let [small, large] = tables;
    let queries = [
        (small, small.query(filter, sort, is_deep).await),
        (large, large.query(filter, sort, is_deep).await),
    ];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for ((table, query), times) in queries.iter().zip(&mut times) {
            times.push(table.milliseconds(query).await);
        }
    }
    let [few, many] = times.map(median);
    let ratio = many / few;
    let plans = [small.plan(&queries[0].1).await, large.plan(&queries[1].1).await];
    let scans = reads_from_end_to_end(&plans[1]);
    let [few_blocks, many_blocks] = plans.map(|plan| blocks(&plan));
    let is_over = scans || ratio > MOST && many - few > UNSEEN_MILLISECONDS;
    let verdict = match (scans, is_over) {
        (true, _) => "  READS ALL",
        (_, true) => "  OVER",
        _ => "",
    };
    let (name, page) = (small.filters[filter].0, if is_deep { "deep" } else { "first" });
    let line = format!(
        "{name:20} {:8} {page:6} {few:9.2} {many:9.2} {ratio:6.2} {few_blocks:6} {many_blocks:7}{verdict}",
        format!("{sort:?}")
    );
    Compared { line, ratio, is_over }
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
        "{:20} {:8} {:6} {:>9} {:>9} {:>6} {:>14}",
        "filter", "sort", "page", "small", "large", "ratio", "blocks"
    );
    let (mut measured, mut over, mut worst) = (0, Vec::new(), 0.0f64);
    for filter in 0..small.filters.len() {
        for sort in SORTS {
            for is_deep in [false, true] {
                let compared = compare([&small, &large], filter, sort, is_deep, rounds).await;
                println!("{}", compared.line);
                measured += 1;
                worst = worst.max(compared.ratio);
                over.extend(compared.is_over.then_some(compared.line));
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
