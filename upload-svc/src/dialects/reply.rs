//! How a dialect answers: JSON in UTF-8, readable by pages of any site, kept by no cache.

use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION},
};
use http_kit::Route;
use serde_json::Value;
use warp::{Reply as _, reply::Response};

use crate::routes::with_cors;

/// JSON with a status.
pub(super) fn json(route: &'static str, status: StatusCode, body: &Value) -> Response {
    let response = warp::reply::with_status(warp::reply::json(body), status).into_response();
    finish(route, response)
}

/// JSON with 200, as most dialects answer success and failure alike.
pub(super) fn ok(route: &'static str, body: &Value) -> Response {
    json(route, StatusCode::OK, body)
}

/// Plain text with 200: a URL alone.
pub(super) fn text(route: &'static str, text: String) -> Response {
    let mut response = text.into_response();
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    finish(route, response)
}

/// 302 to somewhere of our own.
pub(super) fn found(route: &'static str, url: &str) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(url) = HeaderValue::from_str(url) {
        response.headers_mut().insert(LOCATION, url);
    }
    finish(route, response)
}

pub(super) fn finish(route: &'static str, response: Response) -> Response {
    let mut response = with_cors(response);
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(Route(route));
    response
}
