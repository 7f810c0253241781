use std::time::UNIX_EPOCH;

use http::{HeaderMap, HeaderName, header};

/// By what a client's copy is compared with ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Validators<'a> {
    /// The strong entity tag, in its quotation marks.
    pub(crate) etag: &'a str,
    /// `Last-Modified`, in seconds since 1970.
    pub(crate) modified: i64,
}

/// What the conditions of a request come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Go on.
    Passed,
    /// 304: the client has it.
    NotModified,
    /// 412: what the client speaks of is not what is here.
    Failed,
}

/// Judges the conditions of a GET or HEAD.
pub(crate) fn judge(headers: &HeaderMap, validators: Validators<'_>) -> Precondition {
    if headers.contains_key(header::IF_MATCH) {
        if !any_tag(headers, &header::IF_MATCH, |tag| {
            !tag.weak && tag.text == validators.etag
        }) {
            return Precondition::Failed;
        }
    } else if date(headers, &header::IF_UNMODIFIED_SINCE).is_some_and(|date| validators.modified > date) {
        return Precondition::Failed;
    }
    let unchanged = if headers.contains_key(header::IF_NONE_MATCH) {
        any_tag(headers, &header::IF_NONE_MATCH, |tag| tag.text == validators.etag)
    } else {
        date(headers, &header::IF_MODIFIED_SINCE).is_some_and(|date| validators.modified <= date)
    };
    if unchanged {
        Precondition::NotModified
    } else {
        Precondition::Passed
    }
}

/// A date in a header, in seconds since 1970; none where there is none, or one that can't be read (which RFC 9110 has
/// us ignore).
pub(super) fn date(headers: &HeaderMap, name: &HeaderName) -> Option<i64> {
    seconds(headers.get(name)?.to_str().ok()?)
}

/// One of the three forms of a date in HTTP, in seconds since 1970.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(text.trim()).ok()?;
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

struct Tag<'a> {
    weak: bool,
    /// With its quotation marks.
    text: &'a str,
}

/// Whether `*` or a tag that fits stands in a list. What follows something malformed is not read.
fn any_tag(headers: &HeaderMap, name: &HeaderName, fits: impl Fn(&Tag<'_>) -> bool) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .any(|line| line.trim() == "*" || Tags(line).any(|tag| fits(&tag)))
}

/// Reads `"a", W/"b", "c,d"`.
struct Tags<'a>(&'a str);

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        let rest = self.0.trim_start_matches([' ', '\t', ',']);
        let (weak, rest) = match rest.strip_prefix("W/") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let end = rest.strip_prefix('"')?.find('"')? + 2;
        let (text, rest) = rest.split_at(end);
        self.0 = rest;
        Some(Tag { weak, text })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::Precondition::{Failed, NotModified, Passed};
    use super::*;

    const MODIFIED: &str = "Sat, 21 Nov 2026 09:00:00 GMT";

    fn verdict(pairs: &[(&'static str, &str)]) -> Precondition {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let validators = Validators {
            etag: "\"abc\"",
            modified: seconds(MODIFIED).unwrap(),
        };
        judge(&headers, validators)
    }

    #[test]
    fn if_none_match_compares_weakly_over_whole_lists() {
        for (value, expected) in [
            ("\"abc\"", NotModified),
            ("W/\"abc\"", NotModified),
            ("*", NotModified),
            (" * ", NotModified),
            ("\"x\", \"abc\"", NotModified),
            ("\"x\",W/\"y\" ,\t\"abc\"", NotModified),
            ("\"x,y\", \"abc\"", NotModified),
            (",,\"abc\"", NotModified),
            ("\"ab\"", Passed),
            ("\"abcd\"", Passed),
            ("abc", Passed),
            ("\"abc", Passed),
            ("\"x\", abc\", \"abc\"", Passed),
            ("w/\"abc\"", Passed),
            ("", Passed),
            ("\"*\"", Passed),
        ] {
            assert_eq!(verdict(&[("if-none-match", value)]), expected, "{value:?}");
        }
        assert_eq!(
            verdict(&[("if-none-match", "\"x\""), ("if-none-match", "\"abc\"")]),
            NotModified
        );
    }

    #[test]
    fn if_match_compares_strongly_and_fails_with_412() {
        for (value, expected) in [
            ("\"abc\"", Passed),
            ("*", Passed),
            ("\"x\", \"abc\"", Passed),
            ("W/\"abc\"", Failed),
            ("\"x\"", Failed),
            ("abc", Failed),
            ("", Failed),
        ] {
            assert_eq!(verdict(&[("if-match", value)]), expected, "{value:?}");
        }
    }

    #[test]
    fn dates_are_compared_by_the_second_in_all_three_forms() {
        for (value, modified_since, unmodified_since) in [
            (MODIFIED, NotModified, Passed),
            ("Sat, 21 Nov 2026 09:00:01 GMT", NotModified, Passed),
            ("Sat, 21 Nov 2026 08:59:59 GMT", Passed, Failed),
            ("Saturday, 21-Nov-26 09:00:00 GMT", NotModified, Passed),
            ("Sat Nov 21 09:00:00 2026", NotModified, Passed),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Passed, Failed),
            ("yesterday", Passed, Passed),
            ("", Passed, Passed),
            ("1795251600", Passed, Passed),
        ] {
            assert_eq!(
                verdict(&[("if-modified-since", value)]),
                modified_since,
                "{value:?}"
            );
            assert_eq!(
                verdict(&[("if-unmodified-since", value)]),
                unmodified_since,
                "{value:?}"
            );
        }
    }

    #[test]
    fn a_date_counts_only_where_no_tag_was_sent() {
        for (pairs, expected) in [
            (
                &[("if-none-match", "\"x\""), ("if-modified-since", MODIFIED)],
                Passed,
            ),
            (
                &[
                    ("if-match", "\"abc\""),
                    ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
                ],
                Passed,
            ),
            (&[("if-match", "\"x\""), ("if-none-match", "\"abc\"")], Failed),
        ] {
            assert_eq!(verdict(pairs), expected, "{pairs:?}");
        }
    }
}
