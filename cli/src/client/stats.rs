//! `berth stats`: how much is looked at, when, what, and from where.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::civil::Date;
use process::Person;
use serde::Deserialize;
use serde_json::Value;

use super::{
    api::Ask,
    args::StatsArgs,
    session::connect,
    table::Table,
    words::{Words, plain, size},
};
use crate::Failure;

#[derive(Deserialize)]
struct Stats {
    from: String,
    to: String,
    totals: Totals,
    days: Vec<Day>,
    top_images: Vec<Top>,
    storage: Vec<Stored>,
    sites: Vec<Site>,
    refused_sites: Vec<Site>,
    expiring_soon: Expiring,
}

#[derive(Deserialize)]
struct Totals {
    views: u64,
    bytes: u64,
    bots: u64,
    refusals: u64,
    images: u64,
    stored_bytes: u64,
}

#[derive(Deserialize)]
struct Day {
    day: String,
    views: u64,
}

#[derive(Deserialize)]
struct Top {
    id: String,
    name: String,
    views: u64,
}

#[derive(Deserialize)]
struct Stored {
    media_type: String,
    images: u64,
    bytes: u64,
}

#[derive(Deserialize)]
struct Site {
    #[serde(rename = "site")]
    host: Option<String>,
    views: u64,
    refusals: u64,
}

#[derive(Deserialize)]
struct Expiring {
    count: u64,
}

/// Rows of each list.
const ROWS: usize = 10;

/// `berth stats`.
pub(crate) async fn run(person: &Person, words: Words, args: StatsArgs) -> Result<(), Failure> {
    let api = connect(person, words)?;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let all = args.everybody.then(|| "true".to_owned());
    for (name, value) in [("from", args.from), ("to", args.to), ("all", all)] {
        if let Some(value) = value {
            query.append_pair(name, &value);
        }
    }
    let answer = api.ask(Ask::get(format!("/v1/stats?{}", query.finish()))).await?;
    if args.json {
        say!("{}", serde_json::to_string_pretty(&answer.json::<Value>()?)?);
        return Ok(());
    }
    say_as_is!("{}", render(words, &answer.json()?));
    Ok(())
}

fn render(words: Words, stats: &Stats) -> String {
    let Totals {
        views,
        bytes,
        bots,
        refusals,
        images,
        stored_bytes,
    } = &stats.totals;
    let (bytes, stored) = (size(*bytes), size(*stored_bytes));
    let (from, to) = (&stats.from, &stats.to);
    let mut text = words.pick(
        format!(
            "{images} images, {stored}; {} end within a week\n{from} to {to}: {views} views ({bytes}), {bots} by bots, {refusals} refused\n",
            stats.expiring_soon.count
        ),
        format!(
            "共 {images} 张图片，{stored}；一周内到期 {} 张\n{from} 至 {to}：访问 {views} 次（{bytes}），爬虫 {bots} 次，拒绝 {refusals} 次\n",
            stats.expiring_soon.count
        ),
    );
    let by_day = each_day(stats);
    let most = by_day.iter().max().copied().unwrap_or(0);
    let plot = (most > 0).then(|| {
        words.pick(
            format!("\n{}  views a day, {most} at most\n", spark(&by_day)),
            format!("\n{}  每日访问，最多 {most} 次\n", spark(&by_day)),
        )
    });
    text.extend(plot);
    let mut section = |title: &str, table: &Table| {
        if table.len() > 0 {
            let _ = write!(text, "\n{title}\n{}", table.render(None));
        }
    };
    let mut top = Table::new(&words.pick([">VIEWS", "ID", "NAME"], [">访问", "ID", "名称"]));
    for image in stats.top_images.iter().take(ROWS) {
        top.row([image.views.to_string(), image.id.clone(), plain(&image.name)]);
    }
    section(words.pick("Most viewed", "访问最多"), &top);
    let nobody = words.pick("(no referer)", "（无来源）");
    let name = |site: &Site| site.host.as_deref().map_or_else(|| nobody.to_owned(), plain);
    let mut sites = Table::new(&words.pick([">VIEWS", "SITE"], [">访问", "来源站点"]));
    for site in stats.sites.iter().take(ROWS) {
        sites.row([site.views.to_string(), name(site)]);
    }
    section(words.pick("Seen on", "来源"), &sites);
    let mut refused = Table::new(&words.pick([">REFUSED", "SITE"], [">拒绝", "来源站点"]));
    for site in stats.refused_sites.iter().take(ROWS) {
        refused.row([site.refusals.to_string(), name(site)]);
    }
    section(words.pick("Who hotlinks", "盗链"), &refused);
    let mut stored = Table::new(&words.pick([">IMAGES", ">BYTES", "TYPE"], [">图片", ">大小", "类型"]));
    for kind in &stats.storage {
        stored.row([kind.images.to_string(), size(kind.bytes), kind.media_type.clone()]);
    }
    section(words.pick("Stored", "存储"), &stored);
    text
}

/// The views of each day of the period, those of days without any, too.
fn each_day(stats: &Stats) -> Vec<u64> {
    let told: BTreeMap<&str, u64> = stats
        .days
        .iter()
        .map(|day| (day.day.as_str(), day.views))
        .collect();
    let (Ok(from), Ok(to)) = (stats.from.parse::<Date>(), stats.to.parse::<Date>()) else {
        return told.into_values().collect();
    };
    let days = from.series(jiff::ToSpan::day(1)).take_while(|day| *day <= to);
    days.map(|day| told.get(day.to_string().as_str()).copied().unwrap_or(0))
        .collect()
}

/// Figures as bars of one line, the largest as high as the line. Of more than 100, several share a bar.
fn spark(figures: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let share = figures.len().div_ceil(100).max(1);
    let sums: Vec<u64> = figures.chunks(share).map(|part| part.iter().sum()).collect();
    let most = sums.iter().max().copied().unwrap_or(0).max(1);
    sums.iter()
        .map(|sum| match sum {
            0 => ' ',
            // What is little is still something.
            sum => BARS[usize::try_from((sum * 8).div_ceil(most) - 1).unwrap_or(7).min(7)],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_what_is_little_and_what_is_nothing() {
        assert_eq!(spark(&[0, 1, 50, 100]), " ▁▄█");
        assert_eq!(spark(&[]), "");
        assert_eq!(spark(&[3]), "█");
        assert_eq!(spark(&vec![1; 400]).chars().count(), 100);
    }

    #[test]
    fn days_without_views_have_their_place() {
        let json = serde_json::json!({ "from": "2026-02-27", "to": "2026-03-02", "top_images": [], "storage": [], "sites": [],
            "refused_sites": [], "expiring_soon": { "count": 0 }, "days": [{ "day": "2026-03-01", "views": 5 }],
            "totals": { "views": 5, "bytes": 1, "bots": 0, "refusals": 0, "images": 1, "stored_bytes": 1 } });
        let stats: Stats = serde_json::from_value(json).unwrap();
        assert_eq!(each_day(&stats), [0, 0, 5, 0]);
    }
}
