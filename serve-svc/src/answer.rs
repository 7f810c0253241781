//! What a request for an image that its asker may have is answered with: pure arithmetic of headers. The order is
//! that of RFC 9110, 13.2.2: `If-Match`, else `If-Unmodified-Since`; `If-None-Match`, else `If-Modified-Since`;
//! then `Range` with `If-Range`.

pub(crate) mod caching;
pub(crate) mod conditional;
pub(crate) mod disposition;
pub(crate) mod range;

use http::{HeaderMap, Method, header};

use conditional::{Precondition, Validators};
use range::{ByteRange, Selection};

/// What to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 200.
    Whole,
    /// 206.
    Part(ByteRange),
    /// 304.
    NotModified,
    /// 412.
    PreconditionFailed,
    /// 416.
    NotSatisfiable,
}

impl Answer {
    /// The answer to a GET or HEAD with these headers.
    pub(crate) fn to(
        method: &Method,
        headers: &HeaderMap,
        validators: Validators<'_>,
        size_bytes: u64,
    ) -> Self {
        match conditional::judge(headers, validators) {
            Precondition::NotModified => return Self::NotModified,
            Precondition::Failed => return Self::PreconditionFailed,
            Precondition::Passed => {}
        }
        // RFC 9110, 14.2: `Range` means nothing to a HEAD.
        if method != Method::GET || !range::applies(headers, validators) {
            return Self::Whole;
        }
        match range::select(headers, size_bytes) {
            Selection::Whole => Self::Whole,
            Selection::Part(part) => Self::Part(part),
            Selection::NotSatisfiable => Self::NotSatisfiable,
        }
    }
}

/// Whether nginx, given the whole file and these request headers, comes to the same [`Answer`] as we do. Where it does
/// not, we send the bytes ourselves.
///
/// nginx judges `If-Match` and `If-Unmodified-Since` by the file's own time, which is not ours; it answers 416 to a
/// `Range` that makes no sense, and cuts a range out of a HEAD.
pub(crate) fn nginx_agrees(method: &Method, headers: &HeaderMap, answer: Answer) -> bool {
    if headers.contains_key(header::IF_MATCH) || headers.contains_key(header::IF_UNMODIFIED_SINCE) {
        return false;
    }
    match answer {
        Answer::Part(_) => true,
        // A `Range` that If-Range made void is void for nginx too; one that was ignored for its form is not.
        Answer::Whole => {
            !headers.contains_key(header::RANGE)
                || (method == Method::GET
                    && headers.contains_key(header::IF_RANGE)
                    && range::is_plain(headers))
        }
        Answer::NotModified | Answer::PreconditionFailed | Answer::NotSatisfiable => false,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const ETAG: &str = "\"0123456789abcdef0123456789abcdef\"";
    const LATER: &str = "Sat, 21 Nov 2026 10:00:00 GMT";
    const EARLIER: &str = "Sat, 21 Nov 2026 08:00:00 GMT";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn validators() -> Validators<'static> {
        // 2026-11-21T09:00:00Z
        Validators {
            etag: ETAG,
            modified: 1_795_251_600,
        }
    }

    #[test]
    fn conditions_come_before_ranges_and_matches_before_dates() {
        let part = Answer::Part(ByteRange { first: 0, last: 9 });
        for (method, pairs, expected, nginx) in [
            ("GET", &[][..], Answer::Whole, true),
            ("HEAD", &[], Answer::Whole, true),
            ("GET", &[("range", "bytes=0-9")], part, true),
            ("HEAD", &[("range", "bytes=0-9")], Answer::Whole, false),
            ("GET", &[("range", "bytes=0-9"), ("if-range", ETAG)], part, true),
            (
                "GET",
                &[("range", "bytes=0-9"), ("if-range", "\"other\"")],
                Answer::Whole,
                true,
            ),
            (
                "GET",
                &[("range", "bytes=0-1,3-4"), ("if-range", "\"other\"")],
                Answer::Whole,
                false,
            ),
            ("GET", &[("range", "bytes=0-1,3-4")], Answer::Whole, false),
            ("GET", &[("range", "bytes=nonsense")], Answer::Whole, false),
            ("GET", &[("range", "bytes=100-")], Answer::NotSatisfiable, false),
            (
                "GET",
                &[("range", "bytes=0-9"), ("if-none-match", ETAG)],
                Answer::NotModified,
                false,
            ),
            (
                "GET",
                &[("range", "bytes=900-"), ("if-none-match", ETAG)],
                Answer::NotModified,
                false,
            ),
            (
                "HEAD",
                &[("if-modified-since", LATER)],
                Answer::NotModified,
                false,
            ),
            (
                "GET",
                &[("if-match", "\"other\""), ("if-none-match", ETAG)],
                Answer::PreconditionFailed,
                false,
            ),
            (
                "GET",
                &[("if-match", ETAG), ("if-none-match", ETAG)],
                Answer::NotModified,
                false,
            ),
            ("GET", &[("if-match", ETAG), ("range", "bytes=0-9")], part, false),
            (
                "GET",
                &[("if-unmodified-since", EARLIER)],
                Answer::PreconditionFailed,
                false,
            ),
            (
                "GET",
                &[("if-match", ETAG), ("if-unmodified-since", EARLIER)],
                Answer::Whole,
                false,
            ),
            (
                "GET",
                &[("if-none-match", "\"other\""), ("if-modified-since", LATER)],
                Answer::Whole,
                true,
            ),
        ] {
            let (method, headers) = (method.parse().unwrap(), headers(pairs));
            let answer = Answer::to(&method, &headers, validators(), 100);
            assert_eq!(answer, expected, "{method} {pairs:?}");
            assert_eq!(
                nginx_agrees(&method, &headers, answer),
                nginx,
                "nginx: {method} {pairs:?}"
            );
        }
    }
}
