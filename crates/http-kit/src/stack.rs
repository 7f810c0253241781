//! What stands between the connection and the routes, in the order a request meets it:
//!
//! 1. the client's address ([`ClientAddress`]) and the request's name ([`RequestId`]), put into its extensions;
//! 2. the length of its URL (414);
//! 3. a place among the requests under way (503), kept until the reply is sent to its end;
//! 4. the client's rate (429);
//! 5. the declared size of its body (413), and the watch over the body while it is read;
//! 6. the handler, within its timeout (503), its panics caught (500).
//!
//! It is one `async` block rather than a tower of layers: a layer a step costs a box or a clone a step, and the
//! view of an image is a few microseconds in all.

mod reply_body;

use std::convert::Infallible;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use http::request::Parts;
use http::{Request, Response, Uri};
use http_body::Body;
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt};
use warp::filters::BoxedFilter;

pub use self::reply_body::ReplyBody;

use crate::access_log::{self, Entry, Ledger, Route};
use crate::body_limits::BodyLimits;
use crate::client_address::{ClientAddress, TrustedProxies, client_address};
use crate::language::Language;
use crate::lingering::RequestBody;
use crate::listen::Peer;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::rate_limit::{Allowance, Allowances, RateLimit};
use crate::request_id::{RequestId, RequestIds, X_REQUEST_ID};
use crate::routes::{Unanswered, warp_service};

/// What a refused client is asked to wait: long enough to matter, short enough to be forgotten.
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// Stands for a connection that is not one of [`crate::serve`]: no list of proxies names it.
const UNKNOWN_PEER: Peer = Peer::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));

/// How long a handler may take for this request until its reply's head; none for no limit. Uploads have none:
/// their bodies have limits of their own.
pub type HandlerTimeout = fn(&Parts) -> Option<Duration>;

/// How a problem is told to the client of this URL, where that client knows another way than problem details.
pub type Reword = fn(&Uri, Problem) -> Problem;

/// The settings of one service's stack.
#[derive(Clone, Debug)]
pub struct StackSettings {
    /// Which peers' `X-Forwarded-For` and `X-Request-Id` are believed.
    pub trusted: TrustedProxies,
    /// Where names for requests come from.
    pub request_ids: Arc<RequestIds>,
    /// The most requests under way at once, replies being sent included; above it 503. 0 is no limit.
    pub in_flight: usize,
    /// The longest URL in bytes, path and query; above it 414.
    pub url_bytes: usize,
    /// The limits of request bodies.
    pub body: BodyLimits,
    /// The rate limit, made by [`RateLimit::per_minute`].
    pub rate_limit: Option<RateLimit>,
    /// Requests whose handlers count by limits of their own: they find [`Allowances`] in the extensions.
    pub handler_limits: fn(&Parts) -> bool,
    /// How long handlers may take.
    pub handler_timeout: HandlerTimeout,
    /// How what the stack refuses, and what no route takes, is told; none for problem details everywhere.
    pub reword: Option<Reword>,
}

impl StackSettings {
    /// The product's defaults: 1,024 requests under way, URLs of 4 KiB, the body limits of [`BodyLimits`],
    /// no rate limit, no handler timeout, Unix peers trusted, problem details.
    #[must_use]
    pub fn new(request_ids: Arc<RequestIds>) -> Self {
        Self {
            trusted: TrustedProxies::default(),
            request_ids,
            in_flight: 1024,
            url_bytes: 4 << 10,
            body: BodyLimits::default(),
            rate_limit: None,
            handler_limits: |_| false,
            handler_timeout: |_| None,
            reword: None,
        }
    }
}

/// The stack around warp routes, ready for [`crate::serve`].
#[must_use]
pub fn stack(
    routes: BoxedFilter<(warp::reply::Response,)>,
    settings: StackSettings,
    metrics: &Metrics,
) -> impl Service<
    Request<RequestBody>,
    Response = Response<impl Body<Data = Bytes, Error = Box<dyn Error + Send + Sync>> + Send + 'static>,
    Error = Infallible,
    Future: Send,
> + Clone
+ Send
+ Sync
+ 'static {
    stack_service(warp_service(routes), settings, metrics)
}

/// The stack around any tower service: serve-svc puts a thin one before [`crate::warp_service`], so that a
/// view does not pay for warp's boxes. Build it once and clone it: the clones share the limits.
#[must_use]
pub fn stack_service<S, B>(
    service: S,
    settings: StackSettings,
    metrics: &Metrics,
) -> impl Service<Request<RequestBody>, Response = Response<ReplyBody<B>>, Error = Infallible, Future: Send>
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
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let places = (settings.in_flight > 0).then(|| Arc::new(Semaphore::new(settings.in_flight)));
    let stack = Arc::new(Stack {
        settings,
        metrics: metrics.clone(),
        places,
    });
    tower::service_fn(move |request| exchange(stack.clone(), service.clone(), request))
}

struct Stack {
    settings: StackSettings,
    metrics: Metrics,
    places: Option<Arc<Semaphore>>,
}

/// One request and its reply.
async fn exchange<S, B>(
    stack: Arc<Stack>,
    service: S,
    request: Request<RequestBody>,
) -> Result<Response<ReplyBody<B>>, Infallible>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes>,
{
    let (mut head, body) = request.into_parts();
    let mut ledger = stack.open(&mut head);
    let allowances = (stack.settings.handler_limits)(&head).then(Allowances::default);
    let reword = stack.settings.reword.map(|reword| (reword, head.uri.clone()));
    let (reply, allowances) = match stack.admit(&head, &body, &mut ledger) {
        Ok(allowance) => {
            let allowances = told(&mut head, allowances, allowance);
            let body = body.limited(&stack.settings.body);
            (
                stack.run(service, Request::from_parts(head, body), &ledger).await,
                allowances,
            )
        }
        Err(problem) => {
            drop(body); // What the client still sends is drained from now on.
            (Err(problem), None)
        }
    };
    let mut response = match (reply, reword) {
        (Err(problem), Some((reword, uri))) => say(reword(&uri, problem)),
        (Err(problem), None) => say(problem),
        (Ok(mut response), Some((reword, uri))) => match response.extensions_mut().remove() {
            Some(Unanswered(problem)) => say(reword(&uri, problem)),
            None => response.map(ReplyBody::of_service),
        },
        (Ok(response), None) => response.map(ReplyBody::of_service),
    };
    if let Some(allowances) = allowances {
        allowances.announce(response.headers_mut());
    }
    response
        .headers_mut()
        .insert(X_REQUEST_ID, ledger.entry.request_id.header_value());
    ledger.status = response.status();
    ledger.route = response
        .extensions()
        .get::<Route>()
        .map_or("other", |route| route.0);
    stack
        .metrics
        .observe(ledger.route, ledger.status, ledger.entry.began.elapsed());
    Ok(response.map(|body| body.accounted(ledger)))
}

/// What the answer will say of limits: what is left for the client's address, and what the handler adds.
fn told(head: &mut Parts, handlers: Option<Allowances>, allowance: Option<Allowance>) -> Option<Allowances> {
    let is_any = handlers.is_some() || allowance.is_some();
    is_any.then(|| {
        let allowances = handlers.unwrap_or_default();
        if let Some(allowance) = allowance {
            allowances.add(allowance);
        }
        head.extensions.insert(allowances.clone());
        allowances
    })
}

fn say<B>(problem: Problem) -> Response<ReplyBody<B>> {
    problem.into_http().map(ReplyBody::of_problem)
}

impl Stack {
    /// Learns who asks, and opens the request's account.
    fn open(&self, head: &mut Parts) -> Ledger {
        let began = Instant::now();
        let trusted = &self.settings.trusted;
        // SECURITY: without a connection of ours (a test, another server) nobody vouches for the headers.
        let peer = head.extensions.get::<Peer>().copied().unwrap_or(UNKNOWN_PEER);
        let client = ClientAddress(client_address(peer, &head.headers, trusted));
        let given = trusted
            .trusts(peer)
            .then(|| RequestId::from_proxy(&head.headers))
            .flatten();
        let request_id = given.unwrap_or_else(|| self.settings.request_ids.next());
        head.extensions.insert(client);
        head.extensions.insert(request_id.clone());
        self.metrics.in_flight().inc();
        Ledger {
            entry: Entry {
                began,
                method: head.method.clone(),
                uri: access_log::enabled().then(|| head.uri.clone()),
                client,
                request_id,
            },
            metrics: self.metrics.clone(),
            status: http::StatusCode::OK,
            route: "other",
            bytes: 0,
            permit: None,
        }
    }

    /// Everything that may refuse a request before its handler sees it.
    fn admit(
        &self,
        head: &Parts,
        body: &RequestBody,
        ledger: &mut Ledger,
    ) -> Result<Option<Allowance>, Problem> {
        let language = || Language::of(&head.headers);
        if head
            .uri
            .path_and_query()
            .is_some_and(|url| url.as_str().len() > self.settings.url_bytes)
        {
            return Err(Problem::uri_too_long(language()));
        }
        if let Some(places) = &self.places {
            let Ok(permit) = places.clone().try_acquire_owned() else {
                self.metrics.refused("overload");
                return Err(Problem::overloaded(language(), BUSY_WAIT));
            };
            ledger.permit = Some(permit);
        }
        let limit = self.settings.rate_limit.as_ref();
        let allowance = match limit.and_then(|limit| limit.check(head, ledger.entry.client)) {
            Some(Err(problem)) => {
                self.metrics.refused("rate");
                return Err(problem);
            }
            Some(Ok(allowance)) => Some(allowance),
            None => None,
        };
        let limit = self.settings.body.total_bytes;
        if body.size_hint().lower() > limit {
            return Err(Problem::too_large(language(), Some(limit)));
        }
        Ok(allowance)
    }

    /// Runs the handler within its time, and catches its panic.
    async fn run<S, B>(
        &self,
        service: S,
        request: Request<RequestBody>,
        ledger: &Ledger,
    ) -> Result<Response<B>, Problem>
    where
        S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>,
    {
        let (head, body) = request.into_parts();
        let timeout = (self.settings.handler_timeout)(&head);
        let accept_language = head.headers.get(http::header::ACCEPT_LANGUAGE).cloned();
        let language = || {
            let value = accept_language.as_ref().and_then(|value| value.to_str().ok());
            value.map_or_else(Language::default, Language::from_accept_language)
        };
        let request_id = ledger.entry.request_id.as_str();
        let handler = AssertUnwindSafe(service.oneshot(Request::from_parts(head, body))).catch_unwind();
        let outcome = match timeout {
            None => Some(handler.await),
            Some(timeout) => tokio::time::timeout(timeout, handler).await.ok(),
        };
        let Some(outcome) = outcome else {
            tracing::warn!(request_id, "a handler took too long");
            self.metrics.refused("timeout");
            return Err(Problem::overloaded(language(), BUSY_WAIT));
        };
        match outcome {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(never)) => match never {},
            Err(panic) => {
                let words = panic.downcast_ref::<&str>().copied();
                let words = words.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
                tracing::error!(request_id, panic = words.unwrap_or("?"), "a handler panicked");
                self.metrics.refused("panic");
                Err(Problem::internal(language()))
            }
        }
    }
}
