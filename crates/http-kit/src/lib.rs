//! What warp needs that is not about images: listening, limits of connections and bodies, graceful stop,
//! problem details, the client's address, rate limits, the access log, health and metrics.
//!
//! It leaves to others: every URL and every rule of a service (`upload-svc`, `serve-svc`), settings and signals
//! (`process`), TLS and HTTP/2 (nginx in front).
//!
//! ```no_run
//! use std::sync::Arc;
//! use http_kit::{ConnectionLimits, Health, Listener, Metrics, Problem, RequestIds, StackSettings};
//! use tokio_util::sync::CancellationToken;
//! use warp::Filter;
//!
//! # async fn run(seed: [u8; 16]) -> Result<(), Box<dyn std::error::Error>> {
//! let ping = warp::path!("v1" / "ping").and(http_kit::get_or_head()).then(|| async { Ok::<_, Problem>("pong") });
//! let routes = http_kit::one_of(vec![http_kit::route("ping", ping)]);
//! let (metrics, stop) = (Metrics::new(), CancellationToken::new());
//! let service = http_kit::stack(routes, StackSettings::new(Arc::new(RequestIds::new(seed))), &metrics);
//! let operations = Listener::bind(&"127.0.0.1:9081".parse()?).await?;
//! tokio::spawn(http_kit::serve_operations(operations, Health::new(), metrics, stop.clone()));
//! let listener = Listener::bind(&"unix:/run/berth/upload.sock".parse()?).await?;
//! http_kit::serve(listener, service, ConnectionLimits::default(), stop).await;
//! # Ok(()) }
//! ```
//!
//! # A request's way
//!
//! ```text
//! socket ─ watchdog (silence, half a head, unread replies) ─ hyper ─ framing ─ stack ─ warp_service ─ one_of ─ handler
//! ```
//!
//! - [`serve`] owns the connection: [`ConnectionLimits`], [`Peer`], refusing ambiguous heads, draining bodies that
//!   nobody read.
//! - [`stack_service`] owns the exchange: [`ClientAddress`], [`RequestId`], places, rates, [`BodyLimits`], panics,
//!   log and metrics.
//! - [`warp_service`] owns the URL that is not there: 404 and 405 as [`Problem`]s in the client's [`Language`].
//!
//! A handler reads `warp::ext::get::<ClientAddress>()` and `warp::ext::get::<RequestId>()`; both are there for
//! every request that came through the stack. While it reads `warp::body::stream()`, an error's [`BodyFault`] is
//! found by [`body_fault`], however it was wrapped.
//!
//! # Reply bodies
//!
//! warp 0.4 makes a reply's body from `Bytes`, `String`, `Vec<u8>`, `&'static str` and `&'static [u8]` (any
//! `http::Response` of those is a `Reply`, with its exact length) and from a stream (`warp::reply::stream`; the
//! stream must be `Send + Sync`, its pieces `Into<Bytes>`). Its own body type cannot be named, and **no
//! `http_body::Body` can be put into it**. A stream has no length of its own: set `Content-Length` yourself and
//! hyper sends it so; otherwise the reply is chunked. Each body, of request and reply, costs one box.
//!
//! A service that wants its own body type puts a thin tower service before warp's. Measured without a kernel,
//! the stack costs about 0.5 µs a request around a thin service and 0.9 µs around warp routes:
//!
//! ```
//! use std::convert::Infallible;
//! use http::{Request, Response};
//! use http_body_util::{Either, Full};
//! use http_kit::{RequestBody, Route};
//! use tower::{Service, ServiceExt};
//! # use warp::Filter;
//!
//! # fn build(settings: http_kit::StackSettings, metrics: &http_kit::Metrics) {
//! # let routes = warp::any().map(warp::reply::Response::default).boxed();
//! let rest = http_kit::warp_service(routes);
//! let service = tower::service_fn(move |request: Request<RequestBody>| {
//!     let rest = rest.clone();
//!     async move {
//!         if !request.uri().path().starts_with("/i/") {
//!             return Ok::<_, Infallible>(rest.oneshot(request).await?.map(Either::Right));
//!         }
//!         let mut response = Response::new(Full::from("any body whose data is Bytes"));
//!         response.extensions_mut().insert(Route("view"));
//!         Ok(response.map(Either::Left))
//!     }
//! });
//! let service = http_kit::stack_service(service, settings, metrics);
//! # drop(service);
//! # }
//! ```

mod access_log;
mod body_limits;
mod client_address;
mod health;
mod html;
mod language;
mod lingering;
mod listen;
mod metrics;
mod problem;
mod rate_limit;
mod request_id;
mod routes;
mod server;
mod stack;
mod succession;

pub use crate::access_log::Route;
pub use crate::body_limits::{BodyError, BodyFault, BodyLimits, body_fault, read_body};
pub use crate::client_address::{ClientAddress, TrustedProxies, TrustedProxiesError, client_address};
pub use crate::health::{Health, operations_routes, serve_operations};
pub use crate::html::escape_html;
pub use crate::language::{Language, language};
pub use crate::lingering::RequestBody;
pub use crate::listen::{ListenAddress, ListenAddressError, Listener, Peer};
pub use crate::metrics::Metrics;
pub use crate::problem::Problem;
pub use crate::rate_limit::{Allowance, Allowances, RateLimit};
pub use crate::request_id::{RequestId, RequestIds, X_REQUEST_ID};
pub use crate::routes::{
    delete, get, get_or_head, head, method_of, one_of, options, patch, post, put, route, warp_service,
};
pub use crate::server::{ConnectionLimits, ServeOutcome, serve};
pub use crate::stack::{HandlerTimeout, ReplyBody, Reword, StackSettings, stack, stack_service};
pub use crate::succession::serve_in_turn;
