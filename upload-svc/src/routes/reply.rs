use http::{HeaderName, HeaderValue, StatusCode, header};
use http_kit::{Language, Route};
use serde_json::Value;
use warp::{Reply as _, reply::Response};

use crate::problem::Failure;

/// What a handler of the native API gives back.
pub(crate) type Outcome = Result<(StatusCode, Option<Value>), Failure>;

/// Turns an outcome into an answer: JSON, or a problem document in the client's language.
pub(crate) fn answer(route: &'static str, language: Language, outcome: Outcome) -> Response {
    let response = match outcome {
        Ok((status, Some(body))) => {
            warp::reply::with_status(warp::reply::json(&body), status).into_response()
        }
        Ok((status, None)) => status.into_response(),
        Err(failure) => failure.problem(language).into_response(),
    };
    finish(route, response)
}

/// What every answer of the native API carries, whatever is in it.
pub(crate) fn finish(route: &'static str, response: Response) -> Response {
    let mut response = with_cors(response);
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(Route(route));
    response
}

/// The headers that such a page may read.
const EXPOSED: &str = "x-request-id, retry-after, ratelimit, ratelimit-policy, location, etag, idempotency-replayed, tus-resumable, tus-version, tus-extension, tus-max-size, tus-checksum-algorithm, upload-offset, upload-length, upload-metadata, upload-concat, upload-expires, upload-result";

/// What lets pages of other sites read an answer: editors run in browsers, too. It is safe for any site, because the
/// credential is one that the page must already have: with `*`, browsers keep an answer to a request with cookies to themselves.
pub(crate) const CORS: [(HeaderName, HeaderValue); 2] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(EXPOSED),
    ),
];

/// Lets pages of other sites read the answer, and nobody guess what is in it.
pub(crate) fn with_cors(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in CORS {
        headers.insert(name, value);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
