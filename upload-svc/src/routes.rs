//! Every URL of the service.

mod account;
mod albums;
mod delete_page;
mod events;
mod images;
mod page;
mod people;
mod policy;
mod reply;
pub(crate) mod session;
mod small_body;
mod table;
mod tokens;
mod uploads;
mod usage;
mod users;

pub(crate) use images::{IfMatch, image_url, tag_of, thumbnail_url};
pub(crate) use page::Page;
pub(crate) use reply::{CORS, answer, finish, with_cors};
pub(crate) use small_body::read_body;
pub(crate) use table::Row;
#[cfg(test)]
pub(crate) use table::template;

use std::pin::Pin;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt as _};
use http::{HeaderMap, Method};
use http_kit::{Allowances, ClientAddress, Route, delete, get_or_head, one_of, patch, post, put};
use warp::{
    Filter, Reply as _,
    filters::{BoxedFilter, body},
    path,
    reply::Response,
};

use crate::{Service, dialects, idempotency::once, identity::Caller, openapi};

/// A body as it comes in, whoever reads it.
pub(crate) type Body = Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send>>;

/// What a handler is told about the request beside its body.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) query: String,
    pub(crate) client: ClientAddress,
    /// Who asks, where somebody has found that out already.
    pub(crate) caller: Option<Caller>,
    /// Where it is noted what limits leave to them.
    pub(crate) allowances: Allowances,
}

/// The routes of the service, ready to be mounted.
#[must_use]
pub fn routes(service: Service) -> BoxedFilter<(Response,)> {
    let about = openapi::routes(service.base_url());
    let dialects = service.dialects().clone();
    let with = move || {
        let service = service.clone();
        warp::any().map(move || service.clone())
    };
    let native = table(&with).into_iter().map(|row| row.filter);
    let mut all: Vec<_> = native.chain(about).collect();
    all.extend(vec![
        path!("v1" / ..)
            .and(asks_first())
            .and(path::full())
            .and(with())
            .map(|path: path::FullPath, service: Service| preflight_of(path.as_str(), &service))
            .boxed(),
        path!("api" / ..).and(asks_first()).map(preflight).boxed(),
    ]);
    all.extend(delete_page::routes(&with));
    all.extend(dialects::routes(&dialects, &with().boxed()));
    one_of(all)
}

/// The URLs of the native API. INVARIANT: each stands in the OpenAPI document, and nothing else does (`openapi/tests.rs`).
pub(crate) fn table<F, W>(with: &F) -> Vec<Row>
where
    F: Fn() -> W,
    W: Filter<Extract = (Service,), Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
{
    let mut table = image_routes(with);
    table.extend(policy::routes(with));
    table.extend(people::routes(with));
    table
}

/// The URLs of images and albums: `path, method [and body], handler`.
fn image_routes<F, W>(with: &F) -> Vec<Row>
where
    F: Fn() -> W,
    W: Filter<Extract = (Service,), Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
{
    macro_rules! row {
        (once $path:expr, $handler:path) => {
            Row::new("post", stringify!($path), done_once($path, with(), $handler))
        };
        (named $path:expr, $handler:path) => {
            Row::new("post", stringify!($path), named_once($path, with(), $handler))
        };
        ($path:expr, $method:ident $(+ $body:ident)?, $handler:path) => {{
            let filter = $path.and($method()).and(with()).and(asked())$(.and($body()))?.then($handler);
            Row::new(stringify!($method), stringify!($path), filter.boxed())
        }};
    }
    vec![
        row!(once path!("v1" / "images"), images::upload),
        row!(path!("v1" / "images"), get_or_head, images::list),
        row!(once path!("v1" / "images" / "bulk"), images::bulk),
        row!(path!("v1" / "images" / "exists"), get_or_head, images::exists),
        row!(path!("v1" / "images" / String), get_or_head, images::describe),
        row!(path!("v1" / "images" / String), patch + sent, images::patch),
        row!(path!("v1" / "images" / String), delete, images::withdraw),
        row!(named path!("v1" / "images" / String / "restore"), images::restore),
        row!(
            path!("v1" / "images" / String / "content"),
            put + sent,
            images::replace
        ),
        row!(
            path!("v1" / "images" / String / "usage"),
            get_or_head,
            usage::of_image
        ),
        row!(path!("v1" / "stats"), get_or_head, usage::stats),
        row!(named path!("v1" / "images" / String / "signed-links"), images::sign),
        row!(
            path!("v1" / "images" / String / "signed-links"),
            delete,
            images::revoke
        ),
        row!(once path!("v1" / "uploads"), uploads::create),
        row!(path!("v1" / "uploads" / String), get_or_head, uploads::describe),
        row!(path!("v1" / "uploads" / String), patch + sent, uploads::append),
        row!(path!("v1" / "uploads" / String), delete, uploads::terminate),
        row!(path!("v1" / "albums"), get_or_head, albums::list),
        row!(once path!("v1" / "albums"), albums::create),
        row!(path!("v1" / "albums" / String), get_or_head, albums::describe),
        row!(path!("v1" / "albums" / String), patch + sent, albums::patch),
        row!(path!("v1" / "albums" / String), delete, albums::remove),
    ]
}

/// A POST, done once for each `Idempotency-Key`.
fn done_once<P, W, H, R>(path: P, with: W, handler: H) -> BoxedFilter<(Response,)>
where
    P: Filter<Extract = (), Error = warp::Rejection> + Clone + Send + Sync + 'static,
    W: Filter<Extract = (Service,), Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
    H: Fn(Service, Asked, Body) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    path.and(post())
        .and(with)
        .and(asked())
        .and(sent())
        .then(move |service, asked, body| once(service, asked, body, handler.clone()))
        .boxed()
}

/// The same for a POST that names something in its path.
fn named_once<P, W, H, R>(path: P, with: W, handler: H) -> BoxedFilter<(Response,)>
where
    P: Filter<Extract = (String,), Error = warp::Rejection> + Clone + Send + Sync + 'static,
    W: Filter<Extract = (Service,), Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
    H: Fn(String, Service, Asked, Body) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    path.and(post())
        .and(with)
        .and(asked())
        .and(sent())
        .then(move |id: String, service, asked, body| {
            let handler = handler.clone();
            once(service, asked, body, move |service, asked, body| {
                handler(id, service, asked, body)
            })
        })
        .boxed()
}

/// The body of a request.
pub(crate) fn sent() -> BoxedFilter<(Body,)> {
    body::stream().map(boxed).boxed()
}

fn boxed<B: Buf>(body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static) -> Body {
    Box::pin(body.map(|piece| piece.map(|mut piece| piece.copy_to_bytes(piece.remaining()))))
}

/// The head of a request, as every handler wants it.
pub(crate) fn asked() -> BoxedFilter<(Asked,)> {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::method()
        .and(path::full())
        .and(warp::header::headers_cloned())
        .and(query)
        .and(warp::ext::get::<ClientAddress>())
        .and(warp::ext::optional::<Allowances>())
        .map(
            |method, path: path::FullPath, headers, query, client, allowances: Option<Allowances>| Asked {
                method,
                path: path.as_str().to_owned(),
                headers,
                query,
                client,
                caller: None,
                allowances: allowances.unwrap_or_default(),
            },
        )
        .boxed()
}

/// Passes OPTIONS. Any other method is no 405 here: whether the path is there at all is for the other routes to say.
pub(crate) fn asks_first() -> BoxedFilter<()> {
    warp::method()
        .and_then(async |method: Method| {
            if method == Method::OPTIONS {
                Ok(())
            } else {
                Err(warp::reject::not_found())
            }
        })
        .untuple_one()
        .boxed()
}

/// The same, and what there is of tus where that is asked.
fn preflight_of(path: &str, service: &Service) -> Response {
    let mut response = preflight();
    if path.starts_with("/v1/uploads") {
        uploads::add_capabilities(service, response.headers_mut());
    }
    response
}

/// What a browser asks before it lets a page of another site post to us. No credential comes with it.
pub(crate) fn preflight() -> Response {
    let mut response = with_cors(http::StatusCode::NO_CONTENT.into_response());
    let headers = response.headers_mut();
    let methods = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ]
    .map(|method| method.to_string())
    .join(", ");
    if let Ok(methods) = methods.parse() {
        headers.insert(http::header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    let allowed = "authorization, content-type, token, api-key, x-api-key, idempotency-key, if-match, if-none-match, content-md5, digest, content-digest, tus-resumable, upload-length, upload-offset, upload-metadata, upload-concat, upload-checksum";
    headers.insert(
        http::header::ACCESS_CONTROL_ALLOW_HEADERS,
        http::HeaderValue::from_static(allowed),
    );
    headers.insert(
        http::header::ACCESS_CONTROL_MAX_AGE,
        http::HeaderValue::from_static("86400"),
    );
    response.extensions_mut().insert(Route("preflight"));
    response
}
