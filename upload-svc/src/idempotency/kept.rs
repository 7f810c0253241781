use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response as HttpResponse, StatusCode,
    header::{CONTENT_LANGUAGE, CONTENT_TYPE, ETAG, LOCATION, SET_COOKIE},
};
use serde::{Deserialize, Serialize};
use warp::{Reply as _, reply::Response};

/// What of an answer's head is given again; the rest is of the moment, or stands in every answer.
const HEADERS: [HeaderName; 9] = [
    CONTENT_TYPE,
    CONTENT_LANGUAGE,
    ETAG,
    LOCATION,
    SET_COOKIE,
    HeaderName::from_static("tus-resumable"),
    HeaderName::from_static("upload-offset"),
    HeaderName::from_static("upload-expires"),
    HeaderName::from_static("upload-result"),
];

/// An answer as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Kept {
    /// None of an answer that must not be given again: what failed here may go well next time, and so may what came too often or
    /// too slowly.
    pub(super) fn of(head: &http::response::Parts, body: &Bytes) -> Option<Self> {
        let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
        if head.status.is_server_error() || passing.contains(&head.status) {
            return None;
        }
        let text = |name: &HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
        let names = HEADERS;
        let headers = names
            .iter()
            .filter_map(|name| Some((name.to_string(), text(name)?.to_owned())));
        Some(Self {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body: String::from_utf8(body.to_vec()).ok()?,
        })
    }

    /// The answer once more; none when it is none of our making.
    pub(super) fn response(self) -> Option<Response> {
        let mut response = HttpResponse::new(self.body).into_response();
        *response.status_mut() = StatusCode::from_u16(self.status).ok()?;
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            headers.insert(
                HeaderName::try_from(name).ok()?,
                HeaderValue::try_from(value).ok()?,
            );
        }
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        Some(response)
    }
}
