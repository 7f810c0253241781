//! `GET /openapi.json`, `/docs` and `/redoc`: all written once, when the service starts.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
        REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};
use http_kit::{Language, Route, get_or_head};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use warp::{Filter, Reply as _, filters::BoxedFilter, path, reply::Response};

use super::{document, page};
use crate::routes::with_cors;

/// Something that is written once, in each language.
#[derive(Debug)]
struct Written {
    route: &'static str,
    media_type: &'static str,
    english: Text,
    chinese: Text,
}

#[derive(Debug)]
struct Text {
    bytes: Bytes,
    etag: String,
}

impl Text {
    fn new(text: String) -> Self {
        let digest = domain::Sha256(Sha256::digest(&text).into()).to_string();
        Self {
            etag: format!("\"{}\"", &digest[..32]),
            bytes: text.into(),
        }
    }
}

impl Written {
    fn answer(&self, headers: &HeaderMap, query: &str) -> Response {
        let asked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "lang");
        let language = match asked.as_ref().map(|(_, value)| value.as_ref()) {
            Some("en") => Language::En,
            Some("zh") => Language::Zh,
            _ => Language::of(headers),
        };
        let text = match language {
            Language::En => &self.english,
            Language::Zh => &self.chinese,
        };
        let known = headers.get_all(IF_NONE_MATCH).iter().any(|value| {
            let value = value.to_str().unwrap_or_default();
            value
                .split(',')
                .any(|tag| tag.trim().trim_start_matches("W/") == text.etag)
        });
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            http::Response::new(text.bytes.clone()).into_response()
        };
        let answer = response.headers_mut();
        answer.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        answer.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        answer.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answer.insert(VARY, HeaderValue::from_static("accept-language"));
        if let Ok(etag) = HeaderValue::from_str(&text.etag) {
            answer.insert(ETAG, etag);
        }
        response.extensions_mut().insert(Route(self.route));
        response
    }
}

/// The routes of the document and of its pages.
pub(crate) fn routes(base_url: &str) -> Vec<BoxedFilter<(Response,)>> {
    let written = |route, media_type, write: &dyn Fn(&Value, Language) -> String| {
        let text = |language| Text::new(write(&document(base_url, language), language));
        Arc::new(Written {
            route,
            media_type,
            english: text(Language::En),
            chinese: text(Language::Zh),
        })
    };
    let json = written("GET /openapi.json", "application/json", &|document, _| {
        document.to_string()
    });
    let html = written("GET /docs", "text/html; charset=utf-8", &page::page);
    let policy =
        HeaderValue::from_str(&page::policy()).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let shown = move |headers: HeaderMap, query: String| {
        let mut response = html.answer(&headers, &query);
        let answer = response.headers_mut();
        answer.insert(CONTENT_SECURITY_POLICY, policy.clone());
        answer.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        answer.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    };
    let head = || {
        let query = warp::query::raw().or(warp::any().map(String::new)).unify();
        get_or_head().and(warp::header::headers_cloned()).and(query)
    };
    let document = path!("openapi.json")
        .and(head())
        .map(move |headers: HeaderMap, query: String| with_cors(json.answer(&headers, &query)));
    vec![
        document.boxed(),
        path!("docs").and(head()).map(shown.clone()).boxed(),
        path!("redoc").and(head()).map(shown).boxed(),
    ]
}
