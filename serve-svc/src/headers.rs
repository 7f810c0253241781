//! The headers that stand on every answer of this service, whatever it says.

use std::convert::Infallible;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_kit::RequestBody;
use tower::{Service, ServiceExt as _};

pub(crate) const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// SECURITY: whatever a file turns out to be, opened as a document it runs nothing, loads nothing and is framed by nobody.
pub(crate) const SANDBOX: HeaderValue =
    HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
/// Pictures are for pages of other sites; which of them may show one is the hotlink policy's to say.
const SAME_SITE: HeaderValue = HeaderValue::from_static("same-site");
const CROSS_ORIGIN: HeaderValue = HeaderValue::from_static("cross-origin");

/// Adds what is missing of the headers that protect whoever gets the answer.
fn protect(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, NOSNIFF),
        (header::CONTENT_SECURITY_POLICY, SANDBOX),
        (header::REFERRER_POLICY, NO_REFERRER),
        (CROSS_ORIGIN_RESOURCE_POLICY, CROSS_ORIGIN),
    ] {
        headers.entry(name).or_insert(value);
    }
}

/// The same for an answer that has none of them yet.
pub(crate) fn protect_new(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    headers.insert(header::REFERRER_POLICY, NO_REFERRER);
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, CROSS_ORIGIN);
}

/// Keeps an answer from pages of other sites, whatever the referer says: a private picture is embedded by our own alone.
pub(crate) fn keep_to_site(headers: &mut HeaderMap) {
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, SAME_SITE);
}

/// Puts `X-Content-Type-Options`, `Content-Security-Policy`, `Referrer-Policy` and `Cross-Origin-Resource-Policy` on every
/// answer that does not carry its own: problems and refusals of the stack too. It goes around [`http_kit::stack`].
#[must_use]
pub fn protected<S, B>(
    service: S,
) -> impl Service<Request<RequestBody>, Response = Response<B>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    tower::service_fn(move |request| {
        let answer = service.clone().oneshot(request);
        async move {
            let mut response = answer.await?;
            protect(response.headers_mut());
            Ok(response)
        }
    })
}
