//! How pictures are used: one of them, or all.

use catalog::{DamagedImages, Expiring, ImageUse, Period, Referrer, SiteUse, Stats, TopImage, Use};
use domain::{MediaType, PublicId, Refusal, Scope};
use http::StatusCode;
use http_kit::Language;
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use warp::reply::Response;

use super::{Asked, answer, images::find_any};
use crate::{
    Service,
    identity::{authenticate, authenticate_in_album, require},
};

/// Days that are told of when nothing is said, today among them.
const USUAL_DAYS: i32 = 30;
/// Days that are told of at most.
const MOST_DAYS: i32 = 400;
/// Sites that are named at most; the others are summed up.
const MOST_SITES: usize = 100;
/// Damaged images that are named at most.
const MOST_DAMAGED: i64 = 20;
/// What ends within so long ends soon.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// `GET /v1/images/{id}/usage`: views, bots and refusals by day, and the sites that show it.
pub(super) async fn of_image(id: String, service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Read)?;
        let image = find_any(&service, &bearer, &id).await?;
        let Wanted { period, .. } = read(&asked.query, service.now())?;
        let used = catalog::image_use(service.catalog(), image.id, period).await?;
        Ok((
            StatusCode::OK,
            Some(image_use_json(&image.public_id, period, &used)),
        ))
    };
    answer("GET /v1/images/{id}/usage", language, outcome.await)
}

/// `GET /v1/stats`: what one has and how it is used; with `all=true` what everybody has.
pub(super) async fn stats(service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        let bearer = authenticate(&service, &asked).await?;
        require(&bearer, Scope::Read)?;
        let now = service.now();
        let Wanted { period, all } = read(&asked.query, now)?;
        if all {
            require(&bearer, Scope::Admin)?;
        }
        let owner = (!all).then_some(bearer.account_id);
        let soon = now.checked_add(SOON).unwrap_or(Timestamp::MAX);
        let stats = catalog::stats(service.catalog(), owner, period, now, soon).await?;
        let damaged = catalog::find_damaged_images(service.catalog(), owner, MOST_DAMAGED).await?;
        let mut body = stats_json(&service, period, soon, &stats);
        body["damaged"] = damaged_json(&service, &damaged);
        Ok((StatusCode::OK, Some(body)))
    };
    answer("GET /v1/stats", language, outcome.await)
}

fn image_use_json(id: &PublicId, period: Period, used: &ImageUse) -> Value {
    let mut body = json!({
        "id": id.as_str(),
        "from": period.from.to_string(),
        "to": period.to.to_string(),
        "total": use_json(used.ever),
        "last_viewed_at": used.last_viewed_at,
        "days": days_json(&used.days),
    });
    add_sites(&mut body, &used.sites);
    body
}

fn stats_json(service: &Service, period: Period, soon: Timestamp, stats: &Stats) -> Value {
    let mut totals = use_json(sum(&stats.days));
    totals["images"] = stats.images.into();
    totals["stored_bytes"] = stats.bytes.into();
    let storage: Vec<Value> = stats
        .storage
        .iter()
        .map(|stored| {
            json!({
                "media_type": stored.media_type,
                "kind": stored.kind,
                "images": stored.images,
                "bytes": stored.bytes,
            })
        })
        .collect();
    let top: Vec<Value> = stats
        .top_images
        .iter()
        .map(|image| top_json(service, image))
        .collect();
    let first: Vec<Value> = stats
        .expiring_first
        .iter()
        .map(|image| expiring_json(service, image))
        .collect();
    let mut body = json!({
        "from": period.from.to_string(),
        "to": period.to.to_string(),
        "totals": totals,
        "days": days_json(&stats.days),
        "top_images": top,
        "storage": storage,
        "expiring_soon": { "before": soon, "count": stats.expiring, "images": first },
    });
    add_sites(&mut body, &stats.sites);
    body
}

fn top_json(service: &Service, image: &TopImage) -> Value {
    json!({
        "id": image.public_id.as_str(),
        "url": url(service, image.public_id, image.media_type),
        "name": image.name,
        "views": image.views,
        "bytes": image.bytes,
    })
}

fn expiring_json(service: &Service, image: &Expiring) -> Value {
    json!({
        "id": image.public_id.as_str(),
        "url": url(service, image.public_id, image.media_type),
        "name": image.name,
        "expires_at": image.expires_at,
    })
}

fn damaged_json(service: &Service, damaged: &DamagedImages) -> Value {
    let image = |(id, name, media_type): &(PublicId, String, MediaType)| json!({ "id": id.as_str(), "url": url(service, *id, *media_type), "name": name });
    let images: Vec<Value> = damaged.first.iter().map(image).collect();
    json!({ "count": damaged.count, "images": images })
}

fn url(service: &Service, id: PublicId, media_type: MediaType) -> String {
    format!("{}/i/{id}.{}", service.base_url(), media_type.extension())
}

fn days_json(days: &[(Date, Use)]) -> Vec<Value> {
    let day = |(day, used): &(Date, Use)| {
        let mut told = json!({ "day": day.to_string() });
        if let (Value::Object(told), Value::Object(used)) = (&mut told, use_json(*used)) {
            told.extend(used);
        }
        told
    };
    days.iter().map(day).collect()
}

fn use_json(used: Use) -> Value {
    json!({
        "views": used.views,
        "bytes": used.bytes,
        "bots": used.bots,
        "bot_bytes": used.bot_bytes,
        "refusals": used.refusals,
    })
}

fn sum(days: &[(Date, Use)]) -> Use {
    days.iter().fold(Use::default(), |sum, (_, day)| Use {
        views: sum.views + day.views,
        bytes: sum.bytes + day.bytes,
        bots: sum.bots + day.bots,
        bot_bytes: sum.bot_bytes + day.bot_bytes,
        refusals: sum.refusals + day.refusals,
    })
}

/// `sites`, most views first, `refused_sites`, most refusals first, and `other_sites`, the sum of those that are not named.
fn add_sites(body: &mut Value, sites: &[SiteUse]) {
    let name = |site: &Referrer| match site {
        Referrer::Host(host) => json!(host),
        Referrer::Unnamed | Referrer::Other => Value::Null,
    };
    let (other, named): (Vec<&SiteUse>, Vec<&SiteUse>) =
        sites.iter().partition(|used| used.site == Referrer::Other);
    let shown = named.iter().filter(|used| used.views > 0).take(MOST_SITES);
    let shown: Vec<Value> = shown
        .map(|used| json!({ "site": name(&used.site), "views": used.views, "bytes": used.bytes, "refusals": used.refusals }))
        .collect();
    let mut refused: Vec<&SiteUse> = named.iter().copied().filter(|used| used.refusals > 0).collect();
    refused.sort_by_key(|used| std::cmp::Reverse(used.refusals));
    let refused: Vec<Value> = refused
        .iter()
        .take(MOST_SITES)
        .map(|used| json!({ "site": name(&used.site), "refusals": used.refusals, "views": used.views }))
        .collect();
    let beyond = named.iter().filter(|used| used.views > 0).skip(MOST_SITES);
    let rest: Vec<&SiteUse> = other.into_iter().chain(beyond.copied()).collect();
    body["sites"] = shown.into();
    body["refused_sites"] = refused.into();
    body["other_sites"] = json!({
        "views": rest.iter().map(|used| used.views).sum::<u64>(),
        "bytes": rest.iter().map(|used| used.bytes).sum::<u64>(),
        "refusals": rest.iter().map(|used| used.refusals).sum::<u64>(),
    });
}

/// What is asked about.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    period: Period,
    all: bool,
}

/// Reads `from`, `to` and `all`; names that it doesn't know are passed over, an empty value is none.
fn read(query: &str, now: Timestamp) -> Result<Wanted, Refusal> {
    let (mut from, mut to, mut all) = (None, None, false);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match (name.as_ref(), value.as_ref()) {
            (_, "") => {}
            ("from", day) => from = Some(read_day("from", day)?),
            ("to", day) => to = Some(read_day("to", day)?),
            ("all", "true" | "1") => all = true,
            ("all", "false" | "0") => all = false,
            ("all", _) => return Err(invalid("all", "expected true or false".to_owned())),
            _ => {}
        }
    }
    let to = to.unwrap_or_else(|| now.to_zoned(TimeZone::UTC).date());
    let earliest = |days: i32| to.checked_sub((days - 1).days()).unwrap_or(Date::MIN);
    let from = from.unwrap_or_else(|| earliest(USUAL_DAYS));
    if from > to || from < earliest(MOST_DAYS) {
        let reason = format!("expected a day up to {MOST_DAYS} days before `to`, and not after it");
        return Err(invalid("from", reason));
    }
    Ok(Wanted {
        period: Period { from, to },
        all,
    })
}

fn read_day(field: &'static str, text: &str) -> Result<Date, Refusal> {
    let is_day = text.len() == "2026-11-21".len();
    let day = is_day.then(|| text.parse().ok()).flatten();
    // Years that Postgres has, too, and that are written with four digits.
    day.filter(|day: &Date| day.year() >= 1)
        .ok_or_else(|| invalid(field, "expected a day as 2026-11-21".to_owned()))
}

fn invalid(field: &'static str, reason: String) -> Refusal {
    Refusal::InvalidField { field, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_read_from_the_query() {
        let now: Timestamp = "2026-11-21T23:59:59Z".parse().unwrap();
        for (query, from, to) in [
            ("", "2026-10-23", "2026-11-21"),
            ("from=&to=", "2026-10-23", "2026-11-21"),
            ("to=2024-03-01", "2024-02-01", "2024-03-01"),
            ("from=2026-11-21", "2026-11-21", "2026-11-21"),
            ("from=2026-01-01&to=2026-02-01&x=y", "2026-01-01", "2026-02-01"),
            ("from=2025-10-18", "2025-10-18", "2026-11-21"),
            ("to=9999-12-31", "9999-12-02", "9999-12-31"),
        ] {
            let wanted = read(query, now).unwrap();
            let period = Period {
                from: from.parse().unwrap(),
                to: to.parse().unwrap(),
            };
            assert_eq!(wanted, Wanted { period, all: false }, "{query}");
        }
        assert!(read("all=1", now).unwrap().all);
        for (query, field) in [
            ("from=yesterday", "from"),
            ("from=2026-11-22", "from"),
            ("from=2025-10-17", "from"),
            ("to=2026-13-01", "to"),
            ("to=2026-11-21T00:00:00Z", "to"),
            ("to=0000-01-01", "to"),
            ("to=-002026-01-01", "to"),
            ("all=maybe", "all"),
        ] {
            match read(query, now) {
                Err(Refusal::InvalidField { field: named, .. }) => assert_eq!(named, field, "{query}"),
                other => panic!("{query}: {other:?}"),
            }
        }
    }
}
