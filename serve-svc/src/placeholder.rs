//! The two pictures that stand in for one that is not shown, and the headers around them.

use bytes::Bytes;
use domain::hotlink::RefusalAnswer;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use crate::{delivery::Payload, headers::protect_new};

/// 非法读取图片: a site that may not embed.
const REFUSED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/refused.png"));
/// 图片没有找到: no such image, or not any more.
const MISSING: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/missing.png"));

/// What a video is shown as where a picture is asked for.
const POSTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/video.png"));

/// A video's poster: an answer like any other, in caches for as long as the video may be.
pub(crate) fn poster(method: &Method, cache_control: HeaderValue) -> Response<Payload> {
    let mut response = placeholder(method, StatusCode::OK, POSTER);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, cache_control);
    response
}

/// What a site that may not embed is answered with.
pub(crate) fn refused(method: &Method, answer: &RefusalAnswer) -> Response<Payload> {
    match answer {
        RefusalAnswer::Placeholder => placeholder(method, StatusCode::FORBIDDEN, REFUSED),
        RefusalAnswer::Bare => bare(StatusCode::FORBIDDEN),
        RefusalAnswer::Redirect(page) => {
            let mut response = bare(StatusCode::FOUND);
            // INVARIANT: a redirect is a URL as a browser writes it, plain ASCII.
            let location = HeaderValue::from_str(page.as_str()).unwrap_or(HeaderValue::from_static("/"));
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
    }
}

fn bare(status: StatusCode) -> Response<Payload> {
    let mut response = Response::new(Payload::Empty);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    protect_new(headers);
    response
}

/// 404 with its picture.
pub(crate) fn missing(method: &Method) -> Response<Payload> {
    placeholder(method, StatusCode::NOT_FOUND, MISSING)
}

fn placeholder(method: &Method, status: StatusCode, picture: &'static [u8]) -> Response<Payload> {
    let payload = if method == Method::HEAD {
        Payload::Empty
    } else {
        Payload::Bytes(Bytes::from_static(picture))
    };
    let mut response = Response::new(payload);
    *response.status_mut() = status;
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(picture.len()));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
    // The next request may be an allowed one, and the image may be there by then.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    protect_new(&mut headers);
    *response.headers_mut() = headers;
    response
}
