//! The page (`web/`), which nginx serves elsewhere: here it is part of the program. Its names carry a hash of what is in them,
//! so they are kept for ever; only `/` is asked for again each time.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use warp::{Filter, Reply as _, filters::BoxedFilter, reply::Response};

/// A file of the page.
struct File {
    /// As it stands in URLs: `/assets/index-1a2b3c4d.js`.
    path: &'static str,
    plain: &'static [u8],
    /// Compressed with gzip, where that is worth it.
    packed: Option<&'static [u8]>,
}

mod embedded {
    use super::File;

    include!(concat!(env!("OUT_DIR"), "/page.rs"));
}

/// SECURITY: only our own files run and nothing is asked of another host, whatever finds its way into the page. The same stands
/// in `nginx/snippets/page-headers.conf`; a test compares them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// The page's routes; none when it was not there while berthd was built.
pub(crate) fn routes() -> Option<BoxedFilter<(Response,)>> {
    if embedded::FILES.is_empty() {
        return None;
    }
    let files = warp::path::full()
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and_then(
            async |path: warp::path::FullPath, method: Method, headers: HeaderMap| {
                let wanted = match path.as_str() {
                    "/" => "/index.html",
                    other => other,
                };
                let file = embedded::FILES.iter().find(|file| file.path == wanted);
                match file.filter(|_| matches!(method, Method::GET | Method::HEAD)) {
                    Some(file) => Ok(answer(file, &headers)),
                    None => Err(warp::reject::not_found()),
                }
            },
        );
    Some(http_kit::route("GET page", files))
}

fn answer(file: &File, asked: &HeaderMap) -> Response {
    let packed = file.packed.filter(|_| takes_gzip(asked));
    let mut response = packed.unwrap_or(file.plain).into_response();
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    let cache = if file.path.starts_with("/assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    for (name, value) in [
        (header::CONTENT_TYPE, media_type(file.path)),
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Pictures are judged by the page that shows them.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        "cross-origin-opener-policy",
        HeaderValue::from_static("same-origin"),
    );
    if file.packed.is_some() {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if packed.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let accepted = asked
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .any(|coding| match coding.trim().split_once(';') {
            None => coding.trim().eq_ignore_ascii_case("gzip"),
            Some((coding, weight)) => {
                coding.trim().eq_ignore_ascii_case("gzip")
                    && weight
                        .trim()
                        .trim_start_matches("q=")
                        .parse()
                        .is_ok_and(|q: f32| q > 0.0)
            }
        })
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SCRIPT: File = File {
        path: "/assets/index-1a2b3c4d.js",
        plain: b"let a = 1",
        packed: Some(b"packed"),
    };

    fn asked(encoding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding))])
    }

    #[test]
    fn who_takes_gzip_gets_it_and_nobody_else() {
        for (encoding, packed) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("br", false),
            ("x-gzip-not", false),
            ("", false),
        ] {
            let response = answer(&SCRIPT, &asked(encoding));
            let said = response.headers().get(header::CONTENT_ENCODING);
            assert_eq!(said.is_some(), packed, "{encoding}");
            assert_eq!(response.headers()[header::VARY], "accept-encoding");
        }
    }

    #[test]
    fn hashed_names_are_kept_for_ever_and_the_page_itself_is_not() {
        let script = answer(&SCRIPT, &HeaderMap::new());
        assert!(
            script.headers()[header::CACHE_CONTROL]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        let index = File {
            path: "/index.html",
            plain: b"<!doctype html>",
            packed: None,
        };
        let index = answer(&index, &HeaderMap::new());
        assert_eq!(index.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(index.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    }

    #[test]
    fn nginx_says_the_same_of_what_may_run() {
        let snippet = include_str!("../../nginx/snippets/page-headers.conf");
        assert!(snippet.contains(&format!("\"{POLICY}\"")), "{POLICY}");
    }
}
