//! From warp's filters to one service: folding the routes, methods, and the answers of URLs that are not there.
//!
//! **Path first, then method.** A route that begins with a method turns every unknown URL into a 405. And use
//! the method filters of this module, not `warp::get()` and its sisters: warp's cannot say which other methods
//! a URL answers, and a 405 must carry `Allow`.
//!
//! ```
//! use warp::Filter;
//!
//! let ping = warp::path!("v1" / "ping").and(http_kit::get_or_head()).then(|| async { "pong" });
//! let routes = http_kit::one_of(vec![http_kit::route("ping", ping)]);
//! # drop(routes);
//! ```

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use tower::{Service, ServiceExt};
use warp::filters::BoxedFilter;
use warp::reject::{self, Reject, Rejection};
use warp::{Filter, Reply};

use crate::access_log::Route;
use crate::language::Language;
use crate::lingering::RequestBody;
use crate::problem::Problem;

/// Folds routes into one: the first that does not reject answers.
///
/// Each is boxed, so compile time stays linear; a flat chain of `or` stops compiling at some thirty routes.
/// A miss runs every route's filters: group long tables by their first path segment.
///
/// # Panics
/// When the list is empty.
#[must_use]
pub fn one_of(routes: Vec<BoxedFilter<(warp::reply::Response,)>>) -> BoxedFilter<(warp::reply::Response,)> {
    routes
        .into_iter()
        .reduce(|first, next| first.or(next).unify().boxed())
        .expect("at least one route")
}

/// One row of a route table: the filter, its label in metrics and access log, boxed for [`one_of`].
#[must_use]
pub fn route<F, R>(label: &'static str, filter: F) -> BoxedFilter<(warp::reply::Response,)>
where
    F: Filter<Extract = (R,)> + Send + Sync + 'static,
    F::Error: Into<Rejection>,
    R: Reply + 'static,
{
    filter
        .map(move |reply: R| {
            let mut response = reply.into_response();
            response.extensions_mut().insert(Route(label));
            response
        })
        .boxed()
}

/// The methods that the routes of one request's URL would have answered.
#[derive(Clone, Debug, Default)]
struct AllowedMethods(Arc<AtomicU16>);

/// A URL that is there, asked with another method.
#[derive(Debug)]
struct WrongMethod;

impl Reject for WrongMethod {}

/// The methods a route may name, in the order `Allow` lists them.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

impl AllowedMethods {
    fn add(&self, methods: u16) {
        self.0.fetch_or(methods, Ordering::Relaxed);
    }

    fn text(&self) -> String {
        let set = self.0.load(Ordering::Relaxed);
        let named = METHODS
            .iter()
            .enumerate()
            .filter(|(place, _)| set & (1 << place) != 0);
        named
            .map(|(_, method)| method.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// A filter that passes one of `methods` and makes the others a 405 that says so.
///
/// # Panics
/// When a method is not one of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS.
#[must_use]
pub fn method_of(methods: &[Method]) -> BoxedFilter<()> {
    let place = |method: &Method| METHODS.iter().position(|known| known == method);
    let set = methods.iter().fold(0, |set, method| {
        set | 1 << place(method).expect("a method of METHODS")
    });
    warp::method()
        .and(warp::ext::optional::<AllowedMethods>())
        .and_then(move |method: Method, allowed: Option<AllowedMethods>| {
            let passes = METHODS
                .iter()
                .position(|known| *known == method)
                .is_some_and(|at| set & (1 << at) != 0);
            if !passes && let Some(allowed) = allowed {
                allowed.add(set);
            }
            std::future::ready(if passes {
                Ok(())
            } else {
                Err(reject::custom(WrongMethod))
            })
        })
        .untuple_one()
        .boxed()
}

macro_rules! method_filters {
    ($($name:ident: $methods:expr, $text:literal;)+) => {$(
        #[doc = concat!("A filter that passes ", $text, ".")]
        #[must_use]
        pub fn $name() -> BoxedFilter<()> {
            method_of(&$methods)
        }
    )+};
}

method_filters! {
    get: [Method::GET], "GET alone";
    get_or_head: [Method::GET, Method::HEAD], "GET and HEAD (the reply's body is left out by the server)";
    head: [Method::HEAD], "HEAD";
    post: [Method::POST], "POST";
    put: [Method::PUT], "PUT";
    patch: [Method::PATCH], "PATCH";
    delete: [Method::DELETE], "DELETE";
    options: [Method::OPTIONS], "OPTIONS";
}

/// Marks an answer that no handler gave, so that it can be given again with what only the request tells: its
/// language and the methods its URL knows.
#[derive(Clone, Copy, Debug)]
enum Unmatched {
    NotFound,
    WrongMethod,
    Other(fn(Language) -> Problem),
}

impl Unmatched {
    fn problem(self, language: Language, allow: &str) -> Problem {
        match self {
            Self::NotFound => Problem::not_found(language),
            Self::WrongMethod => Problem::method_not_allowed(language, allow),
            Self::Other(problem) => problem(language),
        }
    }
}

/// Rides on the answer to a request that no route took, for whoever would say it in other words.
#[derive(Clone, Debug)]
pub(crate) struct Unanswered(pub(crate) Problem);

/// Gives every rejection an answer, so that the routes never reject.
fn answer_rejections(routes: BoxedFilter<(warp::reply::Response,)>) -> BoxedFilter<(warp::reply::Response,)> {
    routes
        .recover(|rejection: Rejection| {
            let unmatched = judge(&rejection);
            let mut response = unmatched.problem(Language::En, "").into_response();
            response.extensions_mut().insert(unmatched);
            std::future::ready(Ok::<_, Infallible>(response))
        })
        .unify()
        .boxed()
}

/// What a rejection means. A route that matched path and method but not its headers or body tells more than
/// one that did not match at all.
fn judge(rejection: &Rejection) -> Unmatched {
    let malformed = rejection.find::<reject::InvalidHeader>().is_some()
        || rejection.find::<reject::MissingHeader>().is_some()
        || rejection.find::<reject::MissingCookie>().is_some()
        || rejection.find::<reject::InvalidQuery>().is_some()
        || rejection.find::<warp::body::BodyDeserializeError>().is_some();
    if malformed {
        Unmatched::Other(Problem::bad_request)
    } else if rejection.find::<reject::PayloadTooLarge>().is_some() {
        Unmatched::Other(|language| Problem::too_large(language, None))
    } else if rejection.find::<reject::LengthRequired>().is_some() {
        Unmatched::Other(Problem::length_required)
    } else if rejection.find::<reject::UnsupportedMediaType>().is_some() {
        Unmatched::Other(Problem::unsupported_media_type)
    } else if rejection.find::<WrongMethod>().is_some()
        || rejection.find::<reject::MethodNotAllowed>().is_some()
    {
        Unmatched::WrongMethod
    } else if rejection.is_not_found() {
        Unmatched::NotFound
    } else if rejection.find::<warp::ext::MissingExtension>().is_some() {
        tracing::error!("a route wants a request extension that nothing has put there");
        Unmatched::Other(Problem::internal)
    } else {
        // What is left are warp's private body errors: a body that could not be read.
        tracing::debug!(?rejection, "rejected");
        Unmatched::Other(Problem::bad_request)
    }
}

/// The routes as a service that answers every request: what no route takes gets a 404 or a 405 with `Allow`,
/// as a problem in the client's language.
#[must_use]
pub fn warp_service(
    routes: BoxedFilter<(warp::reply::Response,)>,
) -> impl Service<
    Request<RequestBody>,
    Response = Response<impl Body<Data = Bytes, Error = warp::Error> + Send + 'static>,
    Error = Infallible,
    Future: Send,
> + Clone
+ Send
+ Sync
+ 'static {
    let service = warp::service(answer_rejections(routes));
    tower::service_fn(move |mut request: Request<RequestBody>| {
        let service = service.clone();
        let allowed = AllowedMethods::default();
        let accept_language = request.headers().get(http::header::ACCEPT_LANGUAGE).cloned();
        request.extensions_mut().insert(allowed.clone());
        async move {
            let response = service.oneshot(request).await?;
            let Some(unmatched) = response.extensions().get::<Unmatched>().copied() else {
                return Ok(response);
            };
            let language = accept_language
                .and_then(|value| value.to_str().map(Language::from_accept_language).ok())
                .unwrap_or_default();
            let problem = unmatched.problem(language, &allowed.text());
            let mut response = problem.clone().into_response();
            response.extensions_mut().insert(Unanswered(problem));
            Ok(response)
        }
    })
}
