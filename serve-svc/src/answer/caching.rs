//! What may be kept, where, and for how long.
//!
//! | embedding | `Cache-Control` |
//! |---|---|
//! | everyone may | `public, max-age=300, s-maxage=0, must-revalidate` |
//! | the referer decides | `private, max-age=300, must-revalidate` |
//! | placeholders and problems | `no-store` |
//!
//! **Five minutes.** A withdrawn picture must be gone at once in every layer that berth controls. A browser's cache is
//! not one of them, so what it is allowed is short; within the five minutes a page is read it loads each picture once.
//! After that it asks again and a 304 costs no bytes.
//!
//! **`s-maxage=0`.** A CDN may keep the bytes of a public picture, but asks us before each use: the decision, the count
//! and the withdrawal stay ours.
//!
//! **No `Vary: Referer`.** An answer that depends on the referer is `private`: only the browser of somebody who was allowed
//! to see the picture has it, and a page elsewhere that shows it from there takes nothing from us. `Vary` would make
//! that browser fetch the picture again for every page of the same blog.

use domain::Expiry;
use http::HeaderValue;
use jiff::Timestamp;

/// How long a browser may show a picture without asking again, in seconds.
const LONGEST_SECONDS: i64 = 300;

/// Whom an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Whoever asks, from wherever.
    Everyone,
    /// Whoever comes from where the rules allow.
    ByReferer,
}

/// `Cache-Control` of a picture that was shown. It never reaches past the expiry.
pub(crate) fn cache_control(audience: Audience, expiry: Expiry, now: Timestamp) -> HeaderValue {
    // Whole seconds, rounded down: a cache must not be a fraction of one too late.
    let left = expiry
        .at()
        .map_or(LONGEST_SECONDS, |at| at.duration_since(now).as_secs().max(0));
    match audience {
        Audience::Everyone if left >= LONGEST_SECONDS => {
            HeaderValue::from_static("public, max-age=300, s-maxage=0, must-revalidate")
        }
        Audience::ByReferer if left >= LONGEST_SECONDS => {
            HeaderValue::from_static("private, max-age=300, must-revalidate")
        }
        Audience::Everyone => text(&format!("public, max-age={left}, s-maxage=0, must-revalidate")),
        Audience::ByReferer => text(&format!("private, max-age={left}, must-revalidate")),
    }
}

fn text(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("no-store"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cache_outlives_the_image() {
        let now: Timestamp = "2026-11-21T00:00:00.9Z".parse().unwrap();
        for (expiry, public, private) in [
            (
                None,
                "public, max-age=300, s-maxage=0, must-revalidate",
                "private, max-age=300, must-revalidate",
            ),
            (
                Some("2027-11-21T00:00:00Z"),
                "public, max-age=300, s-maxage=0, must-revalidate",
                "private, max-age=300, must-revalidate",
            ),
            (
                Some("2026-11-21T00:05:00.9Z"),
                "public, max-age=300, s-maxage=0, must-revalidate",
                "private, max-age=300, must-revalidate",
            ),
            (
                Some("2026-11-21T00:05:00Z"),
                "public, max-age=299, s-maxage=0, must-revalidate",
                "private, max-age=299, must-revalidate",
            ),
            (
                Some("2026-11-21T00:00:02Z"),
                "public, max-age=1, s-maxage=0, must-revalidate",
                "private, max-age=1, must-revalidate",
            ),
            (
                Some("2026-11-21T00:00:01Z"),
                "public, max-age=0, s-maxage=0, must-revalidate",
                "private, max-age=0, must-revalidate",
            ),
            (
                Some("2026-11-20T00:00:00Z"),
                "public, max-age=0, s-maxage=0, must-revalidate",
                "private, max-age=0, must-revalidate",
            ),
        ] {
            let at = Expiry::from_option(expiry.map(|at| at.parse().unwrap()));
            assert_eq!(cache_control(Audience::Everyone, at, now), public, "{expiry:?}");
            assert_eq!(cache_control(Audience::ByReferer, at, now), private, "{expiry:?}");
        }
    }
}
