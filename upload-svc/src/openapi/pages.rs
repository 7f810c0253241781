//! `GET /openapi.json`.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY},
};
use http_kit::{Language, Route, get_or_head};
use sha2::{Digest as _, Sha256};
use warp::{Filter, Reply as _, filters::BoxedFilter, path, reply::Response};

use super::document;
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
    fn answer(&self, headers: &HeaderMap) -> Response {
        let language = Language::of(headers);
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

/// The routes of the document and of its pages. Everything is written when the service starts.
pub(crate) fn routes(base_url: &str) -> Vec<BoxedFilter<(Response,)>> {
    let json = |language| Text::new(document(base_url, language).to_string());
    let json = Arc::new(Written {
        route: "GET /openapi.json",
        media_type: "application/json",
        english: json(Language::En),
        chinese: json(Language::Zh),
    });
    let document = path!("openapi.json")
        .and(get_or_head())
        .and(warp::header::headers_cloned())
        .map(move |headers: HeaderMap| with_cors(json.answer(&headers)));
    vec![document.boxed()]
}
