//! What a list of images is asked for.

use catalog::{ImageFilter, ImageSort};
use domain::{Kind, Refusal};
use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};

/// Images of a page when nothing is said, and at most.
const USUAL: i64 = 50;
const MOST: i64 = 200;
/// What is searched for, in characters: more finds nothing that this doesn't.
const LONGEST_TEXT: usize = 200;

/// The query of `GET /v1/images`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ListQuery {
    pub(super) filter: ImageFilter,
    pub(super) sort: ImageSort,
    pub(super) limit: i64,
    pub(super) after: Option<String>,
    /// Everybody's images.
    pub(super) all: bool,
}

/// Reads a query; names that it doesn't know are passed over, an empty value is none.
pub(super) fn read(query: &str) -> Result<ListQuery, Refusal> {
    let mut list = ListQuery {
        filter: ImageFilter::default(),
        sort: ImageSort::default(),
        limit: USUAL,
        after: None,
        all: false,
    };
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if !value.is_empty() {
            read_one(&mut list, &name, &value)?;
        }
    }
    Ok(list)
}

fn read_one(list: &mut ListQuery, name: &str, value: &str) -> Result<(), Refusal> {
    let filter = &mut list.filter;
    match name {
        "album" => filter.album_id = Some(number("album", value, 1..=i64::MAX)?),
        "q" => filter.text = Some(text(value)?),
        "kind" => {
            filter.kind = Some(one_of(
                "kind",
                value,
                &[("image", Kind::Image), ("video", Kind::Video)],
            )?);
        }
        "visibility" => {
            let visibility = value.parse();
            filter.visibility = Some(
                visibility
                    .map_err(|error: domain::InvalidVisibility| invalid("visibility", error.to_string()))?,
            );
        }
        // A day is that of the clock on the wall; an instant is one everywhere.
        "taken_from" if is_day(value) => filter.taken_day_from = Some(begin("taken_from", value)?),
        "taken_to" if is_day(value) => filter.taken_day_to = Some(end("taken_to", value)?),
        "taken_from" => filter.taken_from = Some(begin("taken_from", value)?),
        "taken_to" => filter.taken_to = Some(end("taken_to", value)?),
        "no_date" => filter.no_date = yes("no_date", value)?,
        "uploaded_from" => filter.uploaded_from = Some(begin("uploaded_from", value)?),
        "uploaded_to" => filter.uploaded_to = Some(end("uploaded_to", value)?),
        "unused_since" => filter.unused_since = Some(begin("unused_since", value)?),
        "expiring_before" => filter.expiring_before = Some(begin("expiring_before", value)?),
        "ended" => filter.ended = yes("ended", value)?,
        "all" => list.all = yes("all", value)?,
        "sort" => list.sort = sort(value)?,
        "limit" => list.limit = number("limit", value, 1..=MOST)?,
        "after" => list.after = Some(value.to_owned()),
        _ => {}
    }
    Ok(())
}

fn sort(value: &str) -> Result<ImageSort, Refusal> {
    let sorts = [
        ("newest", ImageSort::Newest),
        ("oldest", ImageSort::Oldest),
        ("taken", ImageSort::Taken),
        ("name", ImageSort::Name),
        ("size", ImageSort::Size),
    ];
    one_of("sort", value, &sorts)
}

fn invalid(field: &'static str, reason: String) -> Refusal {
    Refusal::InvalidField { field, reason }
}

fn number(field: &'static str, value: &str, range: std::ops::RangeInclusive<i64>) -> Result<i64, Refusal> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        invalid(
            field,
            format!("expected a number from {} to {}", range.start(), range.end()),
        )
    })
}

fn one_of<T: Copy>(field: &'static str, value: &str, words: &[(&str, T)]) -> Result<T, Refusal> {
    let found = words.iter().find(|(word, _)| *word == value);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        invalid(field, format!("expected one of {}", words.join(", ")))
    })
}

fn yes(field: &'static str, value: &str) -> Result<bool, Refusal> {
    let words = [("true", true), ("1", true), ("false", false), ("0", false)];
    one_of(field, value, &words)
}

fn text(value: &str) -> Result<String, Refusal> {
    if value.contains('\0') {
        return Err(invalid("q", "it holds a NUL character".to_owned()));
    }
    Ok(value.chars().take(LONGEST_TEXT).collect())
}

fn is_day(value: &str) -> bool {
    value.len() == "2024-05-01".len()
}

/// An instant, or the beginning of a day (in UTC).
fn begin(field: &'static str, value: &str) -> Result<Timestamp, Refusal> {
    instant(field, value, 0)
}

/// An instant, or the end of a day (in UTC): `to=2024-05-01` means with that day.
fn end(field: &'static str, value: &str) -> Result<Timestamp, Refusal> {
    instant(field, value, 1)
}

fn instant(field: &'static str, value: &str, days: i64) -> Result<Timestamp, Refusal> {
    if let Ok(at) = value.parse::<Timestamp>() {
        return Ok(at);
    }
    let at = value.parse::<Date>().and_then(|date| {
        let date = date.checked_add(Span::new().days(days))?;
        Ok(date.to_zoned(TimeZone::UTC)?.timestamp())
    });
    at.map_err(|_| {
        invalid(
            field,
            "expected a time as 2024-05-01T12:00:00Z, or a day as 2024-05-01".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_can_be_asked_is_read() {
        let list = read(
            "album=7&q=%E6%88%AA%E5%9B%BE&kind=video&visibility=private&taken_from=2024-05-01&taken_to=2024-05-01\
             &uploaded_to=2024-05-01T12:00:00Z&ended=true&all=1&sort=size&limit=200&after=abc&utm=1&unused_since=",
        )
        .unwrap();
        let at = |text: &str| text.parse().ok();
        let expected = ImageFilter {
            album_id: Some(7),
            text: Some("截图".to_owned()),
            kind: Some(Kind::Video),
            visibility: Some(domain::Visibility::Private),
            taken_day_from: at("2024-05-01T00:00:00Z"),
            taken_day_to: at("2024-05-02T00:00:00Z"),
            uploaded_to: at("2024-05-01T12:00:00Z"),
            ended: true,
            ..ImageFilter::default()
        };
        assert_eq!(list.filter, expected);
        assert_eq!((list.sort, list.limit, list.all), (ImageSort::Size, 200, true));
        assert_eq!(list.after.as_deref(), Some("abc"));
        assert_eq!(read("").unwrap().limit, 50);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=many", "limit"),
            ("album=x", "album"),
            ("kind=audio", "kind"),
            ("sort=views", "sort"),
            ("visibility=secret", "visibility"),
            ("taken_from=yesterday", "taken_from"),
            ("uploaded_to=9999-12-31", "uploaded_to"),
            ("ended=maybe", "ended"),
            ("q=%00", "q"),
        ] {
            match read(query) {
                Err(Refusal::InvalidField { field: named, .. }) => assert_eq!(named, field, "{query}"),
                other => panic!("{query}: {other:?}"),
            }
        }
    }
}
