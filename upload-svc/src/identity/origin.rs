use http::{HeaderMap, header::ORIGIN};
use url::Url;

/// Whether the browser vouches that a page of our own sent this request.
///
/// SECURITY: a browser adds its cookie to what any page makes it send. Neither header can be written by a page; a request
/// that has neither comes from no browser of these years, and has no business with a cookie.
pub(super) fn is_own_page(headers: &HeaderMap, base_url: &str) -> bool {
    match site(headers) {
        Some(site) => site == "same-origin",
        None => origin(headers).is_some_and(|origin| is_ours(origin, base_url)),
    }
}

/// Whether the browser says that a page of another site sent this request: it gets no cookie, or that page could sign its reader in
/// as somebody else.
pub(crate) fn is_foreign_page(headers: &HeaderMap, base_url: &str) -> bool {
    match site(headers) {
        Some(site) => !matches!(site, "same-origin" | "none"),
        None => origin(headers).is_some_and(|origin| !is_ours(origin, base_url)),
    }
}

fn site(headers: &HeaderMap) -> Option<&str> {
    // What is no text is no word that we know, but it is there.
    headers
        .get("sec-fetch-site")
        .map(|value| value.to_str().unwrap_or_default())
}

fn origin(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(ORIGIN)
        .map(|value| value.to_str().unwrap_or_default())
}

fn is_ours(origin: &str, base_url: &str) -> bool {
    match (Url::parse(origin), Url::parse(base_url)) {
        (Ok(origin), Ok(base)) => origin.origin().is_tuple() && origin.origin() == base.origin(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_our_own_page_may_change_things_with_a_cookie() {
        for (origin, site, own, foreign) in [
            ("", "", false, false),
            ("https://img.example", "", true, false),
            ("https://img.example:443", "", true, false),
            ("https://IMG.example", "", true, false),
            ("http://img.example", "", false, true),
            ("https://img.example:8443", "", false, true),
            ("https://img.example.evil.example", "", false, true),
            ("https://evil.example", "", false, true),
            ("https://a.img.example", "", false, true),
            ("null", "", false, true),
            ("", "same-origin", true, false),
            ("", "same-site", false, true),
            ("", "cross-site", false, true),
            ("", "none", false, false),
            ("https://img.example", "cross-site", false, true),
            ("https://img.example", "same-origin", true, false),
        ] {
            let mut headers = HeaderMap::new();
            if !origin.is_empty() {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            if !site.is_empty() {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            let base = "https://img.example/pictures";
            let found = (is_own_page(&headers, base), is_foreign_page(&headers, base));
            assert_eq!(found, (own, foreign), "Origin: {origin}, Sec-Fetch-Site: {site}");
        }
    }
}
