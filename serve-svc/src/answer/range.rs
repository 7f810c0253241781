use http::{HeaderMap, header};

use super::conditional::{self, Validators};

/// Some of a file's bytes; never none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteRange {
    /// The first of them.
    pub(crate) first: u64,
    /// The last of them.
    pub(crate) last: u64,
}

impl ByteRange {
    /// All bytes of a file that has some.
    pub(crate) fn whole(size_bytes: u64) -> Self {
        Self {
            first: 0,
            last: size_bytes.saturating_sub(1),
        }
    }

    /// How many bytes.
    pub(crate) fn length(self) -> u64 {
        self.last - self.first + 1
    }
}

/// What of a file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection {
    /// All of it: no `Range`, or one that is ignored because it makes no sense, counts in something other than bytes, or
    /// wants several parts. (A server may always send the whole; a reply of many parts is a lever for attackers and
    /// no browser asks for pictures so.)
    Whole,
    /// A part.
    Part(ByteRange),
    /// Only bytes that are not there.
    NotSatisfiable,
}

/// Whether `Range` is to be heeded: without `If-Range`, or with one that names exactly what is here. Weak tags never do.
pub(crate) fn applies(headers: &HeaderMap, validators: Validators<'_>) -> bool {
    let Some(value) = headers.get(header::IF_RANGE) else {
        return true;
    };
    value.to_str().is_ok_and(|value| {
        let value = value.trim();
        value == validators.etag || conditional::seconds(value) == Some(validators.modified)
    })
}

/// What a request's `Range` asks of a file of so many bytes.
pub(crate) fn select(headers: &HeaderMap, size_bytes: u64) -> Selection {
    match single(headers) {
        None => Selection::Whole,
        Some(single) => single
            .of(size_bytes)
            .map_or(Selection::NotSatisfiable, Selection::Part),
    }
}

/// Whether `Range` is one well-formed range of bytes.
pub(crate) fn is_plain(headers: &HeaderMap) -> bool {
    single(headers).is_some()
}

/// One range as it was asked for.
#[derive(Debug, Clone, Copy)]
enum Single {
    /// From a byte on, up to another, both included, or to the end.
    From(u64, Option<u64>),
    /// So many bytes at the end.
    Last(u64),
}

impl Single {
    fn of(self, size_bytes: u64) -> Option<ByteRange> {
        let end = size_bytes.checked_sub(1)?;
        match self {
            Self::From(first, last) => (first <= end).then(|| ByteRange {
                first,
                last: last.map_or(end, |last| last.min(end)),
            }),
            Self::Last(0) => None,
            Self::Last(count) => Some(ByteRange {
                first: size_bytes.saturating_sub(count),
                last: end,
            }),
        }
    }
}

fn single(headers: &HeaderMap) -> Option<Single> {
    let mut lines = headers.get_all(header::RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return None;
    };
    let text = line.to_str().ok()?;
    let (unit, set) = text.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = set.trim_matches([' ', '\t']).split_once('-')?;
    match (first, last) {
        ("", count) => Some(Single::Last(number(count)?)),
        (first, "") => Some(Single::From(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Single::From(first, Some(last)))
        }
    }
}

/// Digits alone; a number past the end of counting is the greatest there is, and so past the end of any file.
fn number(digits: &str) -> Option<u64> {
    let well_formed = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::Selection::{NotSatisfiable, Whole};
    use super::*;

    fn part(first: u64, last: u64) -> Selection {
        Selection::Part(ByteRange { first, last })
    }

    fn of(lines: &[&str], size_bytes: u64) -> Selection {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::RANGE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        select(&headers, size_bytes)
    }

    #[test]
    fn a_single_range_is_cut_and_everything_odd_is_the_whole() {
        for (value, expected) in [
            ("bytes=0-9", part(0, 9)),
            ("bytes=0-", part(0, 99)),
            ("bytes=0-99", part(0, 99)),
            ("bytes=0-100", part(0, 99)),
            ("bytes=99-", part(99, 99)),
            ("bytes=5-5", part(5, 5)),
            ("bytes=-1", part(99, 99)),
            ("bytes=-100", part(0, 99)),
            ("bytes=-1000", part(0, 99)),
            ("BYTES=0-9", part(0, 9)),
            ("bytes= 0-9 ", part(0, 9)),
            ("bytes=10-99999999999999999999999", part(10, 99)),
            ("bytes=-99999999999999999999999", part(0, 99)),
            ("bytes=100-", NotSatisfiable),
            ("bytes=100-200", NotSatisfiable),
            ("bytes=99999999999999999999999-", NotSatisfiable),
            ("bytes=-0", NotSatisfiable),
            ("bytes=0-1,3-4", Whole),
            ("bytes=0-1,", Whole),
            ("bytes=9-5", Whole),
            ("bytes=", Whole),
            ("bytes=-", Whole),
            ("bytes=--5", Whole),
            ("bytes=a-b", Whole),
            ("bytes=+1-2", Whole),
            ("bytes=1 - 2", Whole),
            ("bytes=0x1-2", Whole),
            ("bytes=1-2-3", Whole),
            ("bytes:0-9", Whole),
            ("0-9", Whole),
            ("items=0-9", Whole),
            ("bytes =0-9", Whole),
            ("", Whole),
            ("bytes=0-\u{e9}", Whole),
        ] {
            assert_eq!(of(&[value], 100), expected, "{value:?}");
        }
        assert_eq!(of(&[], 100), Whole);
        assert_eq!(of(&["bytes=0-1", "bytes=3-4"], 100), Whole);
        assert_eq!(of(&["bytes=0-"], 1), part(0, 0));
    }

    #[test]
    fn if_range_compares_strongly() {
        let validators = Validators {
            etag: "\"abc\"",
            modified: conditional::seconds("Sat, 21 Nov 2026 09:00:00 GMT").unwrap(),
        };
        for (value, expected) in [
            ("\"abc\"", true),
            (" \"abc\" ", true),
            ("W/\"abc\"", false),
            ("\"x\"", false),
            ("abc", false),
            ("*", false),
            ("Sat, 21 Nov 2026 09:00:00 GMT", true),
            ("Sat, 21 Nov 2026 09:00:01 GMT", false),
            ("Sat, 21 Nov 2026 08:59:59 GMT", false),
            ("soon", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_RANGE, HeaderValue::from_str(value).unwrap());
            assert_eq!(applies(&headers, validators), expected, "{value:?}");
        }
        assert!(applies(&HeaderMap::new(), validators));
    }

    #[test]
    fn a_range_knows_its_length() {
        assert_eq!(ByteRange { first: 5, last: 5 }.length(), 1);
        assert_eq!(ByteRange::whole(100).length(), 100);
    }
}
