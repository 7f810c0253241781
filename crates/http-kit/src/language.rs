//! The language of the words a person may read, chosen from `Accept-Language`.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use warp::Filter;
use warp::filters::BoxedFilter;

/// A language berth speaks. English where the client asks for neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese, in simplified characters.
    Zh,
}

impl Language {
    /// The better of our languages for a request with these headers.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        headers
            .get(ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .map_or_else(Self::default, Self::from_accept_language)
    }

    /// The better of our languages for an `Accept-Language` value (RFC 9110, 12.5.4): the greater quality
    /// wins, then the one named first; `*` stands for whatever is not named; elements with a malformed
    /// quality are passed over.
    #[must_use]
    pub fn from_accept_language(value: &str) -> Self {
        let english = preference(value, "en");
        let chinese = preference(value, "zh");
        match (english, chinese) {
            (english, Some(chinese)) if english.is_none_or(|english| chinese.better_than(english)) => {
                Self::Zh
            }
            _ => Self::En,
        }
    }

    /// The tag for `Content-Language`: `en` or `zh-CN`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }

    /// Chooses between the two wordings of one text.
    #[must_use]
    pub fn pick(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Self::En => english,
            Self::Zh => chinese,
        }
    }
}

/// A filter that extracts the request's [`Language`] and never rejects.
#[must_use]
pub fn language() -> BoxedFilter<(Language,)> {
    warp::header::value(ACCEPT_LANGUAGE.as_str())
        .map(|value: http::HeaderValue| {
            value
                .to_str()
                .map_or_else(|_| Language::default(), Language::from_accept_language)
        })
        .or(warp::any().map(Language::default))
        .unify()
        .boxed()
}

#[derive(Clone, Copy)]
struct Preference {
    thousandths: u16,
    position: usize,
}

impl Preference {
    fn better_than(self, other: Self) -> bool {
        (self.thousandths, other.position) > (other.thousandths, self.position)
    }
}

/// How much the client wants `primary`; none where it does not, or said `q=0`.
fn preference(value: &str, primary: &str) -> Option<Preference> {
    let mut named: Option<Preference> = None;
    let mut wildcard: Option<Preference> = None;
    for (position, element) in value.split(',').enumerate() {
        let mut parts = element.split(';');
        let range = parts.next().unwrap_or_default().trim();
        let Some(thousandths) = quality(parts) else {
            continue;
        };
        let slot = match range.split('-').next() {
            Some("*") => &mut wildcard,
            Some(first) if first.eq_ignore_ascii_case(primary) => &mut named,
            _ => continue,
        };
        let found = Preference {
            thousandths,
            position,
        };
        if slot.is_none_or(|before| found.better_than(before)) {
            *slot = Some(found);
        }
    }
    named.or(wildcard).filter(|found| found.thousandths > 0)
}

/// The quality in thousandths: 1000 where none is given, none where it is malformed.
fn quality<'a>(parameters: impl Iterator<Item = &'a str>) -> Option<u16> {
    for parameter in parameters {
        let Some((name, digits)) = parameter.split_once('=') else {
            continue;
        };
        if !name.trim().eq_ignore_ascii_case("q") {
            continue;
        }
        let (whole, fraction) = digits.trim().split_once('.').unwrap_or((digits.trim(), ""));
        if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
        return match whole {
            "0" => Some(thousandths),
            "1" if thousandths == 0 => Some(1000),
            _ => None,
        };
    }
    Some(1000)
}

#[cfg(test)]
mod tests {
    use super::Language::{self, En, Zh};

    #[test]
    fn the_wanted_language_is_chosen() {
        let cases: &[(&str, Language)] = &[
            ("", En),
            ("en", En),
            ("zh", Zh),
            ("zh-CN,zh;q=0.9,en;q=0.8", Zh),
            ("en-GB,en;q=0.9,zh;q=0.8", En),
            ("en;q=0.5, zh;q=0.8", Zh),
            ("ZH-hant", Zh),
            ("fr, de", En),
            ("fr, zh;q=0.1", Zh),
            ("*", En),
            ("*, en;q=0.2", Zh),
            ("zh;q=0, *", En),
            ("zh;q=0", En),
            ("en;q=0, zh;q=0", En),
            ("en;q=0, *", Zh),
            ("zh;q=1.0,en;q=1.000", Zh),
            ("en,zh", En),
            ("zh;q=1.5, en;q=0.1", En),
            ("zh;q=banana, en;q=0.1", En),
            ("zh ; q=0.9 , en ; Q=0.95", En),
            ("zhx", En),
            (",,;;=,", En),
        ];
        for (value, expected) in cases {
            assert_eq!(Language::from_accept_language(value), *expected, "{value}");
        }
    }
}
