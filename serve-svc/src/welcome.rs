//! What stands at `/`: a page that says that berth is here and how to send it a first picture. It runs no script and loads
//! nothing but its own stylesheet.

use http::{HeaderValue, header};
use http_kit::{Language, escape_html};
use warp::{Reply as _, reply::Response};

const ENGLISH: &str = include_str!("welcome/en.html");
const CHINESE: &str = include_str!("welcome/zh.html");
const STYLE: &str = include_str!("welcome/welcome.css");

/// SECURITY: a page that somebody else frames could be made to look like theirs.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page, in the language of who asks.
pub(crate) fn page(base_url: &str, language: Language) -> Response {
    let text = language
        .pick(ENGLISH, CHINESE)
        .replace("{base_url}", &escape_html(base_url));
    let mut response = answer(text, "text/html; charset=utf-8", "no-cache");
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("accept-language"));
    response
}

/// Its stylesheet.
pub(crate) fn style() -> Response {
    answer(STYLE.to_owned(), "text/css; charset=utf-8", "public, max-age=300")
}

fn answer(text: String, media_type: &'static str, cache: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_its_own_address_and_nothing_can_be_smuggled_into_it() {
        let response = page("https://img.example", Language::Zh);
        assert!(
            response.headers()[header::CONTENT_TYPE]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
        assert!(ENGLISH.contains("{base_url}") && CHINESE.contains("{base_url}"));
        assert_eq!(
            escape_html("https://x/<script>\"&"),
            "https://x/&lt;script&gt;&quot;&amp;"
        );
    }
}
