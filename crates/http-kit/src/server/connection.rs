//! One connection, from its accept to its close.

use std::convert::Infallible;
use std::error::Error;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::rt::{Sleep, Timer};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

use super::ConnectionLimits;
use super::framing::one_host;
use super::pulse::{Pulse, Waits};
use super::watched_io::WatchedIo;
use crate::language::Language;
use crate::lingering::RequestBody;
use crate::listen::Peer;
use crate::problem::Problem;

/// TCP's send buffer grows to megabytes and tells us nothing until a third of it is free, so here our own
/// write deadline is only a backstop, and the kernel's timer (see `Stream::prepare`) does the work.
const TCP_WRITE_BACKSTOP: u32 = 10;

/// What a connection knows besides its socket.
pub(super) struct Wire {
    pub(super) peer: Peer,
    pub(super) limits: Arc<ConnectionLimits>,
    /// Finish the request under way, then close.
    pub(super) stop: CancellationToken,
    /// Whether an answer that is given now is the last one.
    pub(super) is_last: Arc<AtomicBool>,
    /// Close now.
    pub(super) cut: CancellationToken,
}

/// Serves one connection until it closes, dawdles or is cut.
pub(super) async fn drive<T, S, B>(io: T, service: S, wire: Wire)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let Wire {
        peer,
        limits,
        stop,
        is_last,
        cut,
    } = wire;
    let pulse = Arc::new(Pulse::new(waits(peer, &limits)));
    let exchange = {
        let pulse = pulse.clone();
        move |request| exchange(request, peer, &pulse, &is_last, &service)
    };
    let io = TokioIo::new(WatchedIo::new(io, pulse.clone()));
    let mut connection =
        pin!(builder(&limits, &pulse).serve_connection(io, hyper::service::service_fn(exchange)));
    let mut watchdog = pin!(Watchdog::new(pulse));
    let lingers = limits.trusted.trusts(peer);
    let mut stopping = pin!(async {
        stop.cancelled().await;
        if lingers {
            tokio::time::sleep(limits.linger).await;
        }
    });
    let mut cutting = pin!(cut.cancelled());
    let mut stopped = false;
    std::future::poll_fn(|context| {
        let mut end = connection.as_mut().poll(context);
        // After the connection had its turn: what has arrived is no idle connection's.
        if end.is_pending() && !stopped && stopping.as_mut().poll(context).is_ready() {
            stopped = true;
            connection.as_mut().graceful_shutdown();
            end = connection.as_mut().poll(context);
        }
        if let Poll::Ready(end) = end {
            if let Err(error) = end {
                tracing::debug!(%error, ?peer, "connection ended");
            }
            return Poll::Ready(());
        }
        if cutting.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        watchdog.as_mut().poll(context)
    })
    .await;
}

fn waits(peer: Peer, limits: &ConnectionLimits) -> Waits {
    let trusted = limits.trusted.trusts(peer);
    Waits {
        header: limits.header_deadline,
        idle: if trusted {
            limits.keep_alive_idle
        } else {
            limits.keep_alive_idle_direct
        },
        write: match peer {
            Peer::Tcp(_) => limits.write_stall * TCP_WRITE_BACKSTOP,
            Peer::Unix => limits.write_stall,
        },
    }
}

fn builder(limits: &ConnectionLimits, pulse: &Arc<Pulse>) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(HeadBell(pulse.clone()))
        // Never reached: hyper rings the bell when it begins to wait for a head, the watchdog counts.
        .header_read_timeout(Duration::from_hours(24))
        .max_buf_size(limits.buffer_bytes)
        .max_headers(limits.headers)
        .max_header_size(limits.head_bytes);
    builder
}

/// Hands one request to the service, unless its head is one to refuse.
fn exchange<S, B>(
    request: Request<Incoming>,
    peer: Peer,
    pulse: &Arc<Pulse>,
    is_last: &Arc<AtomicBool>,
    service: &S,
) -> impl Future<Output = Result<Response<Either<B, Full<Bytes>>>, Infallible>> + Send + use<S, B>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
{
    pulse.request_began(!request.body().is_end_stream());
    let refused = pulse.take_ambiguous() || !one_host(request.version(), request.headers());
    let (pulse, is_last) = (pulse.clone(), is_last.clone());
    let service = (!refused).then(|| service.clone());
    async move {
        let Some(service) = service else {
            return Ok(refusal(Language::of(request.headers())));
        };
        let (mut head, body) = request.into_parts();
        head.extensions.insert(peer);
        let body = RequestBody::from_connection(body, &head.headers, pulse);
        let mut response = service.oneshot(Request::from_parts(head, body)).await?;
        if is_last.load(Ordering::Relaxed) {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(Either::Left))
    }
}

fn refusal<B>(language: Language) -> Response<Either<B, Full<Bytes>>> {
    let mut response = Problem::bad_request(language).into_http().map(Either::Right);
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Closes the connection when its pulse is past its deadline.
///
/// The timer is not moved at each request, which would cost a lock a request: it sleeps on and looks again
/// when it wakes, and is only ever moved to an earlier time.
struct Watchdog {
    pulse: Arc<Pulse>,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl Watchdog {
    fn new(pulse: Arc<Pulse>) -> Self {
        let sleep = Box::pin(tokio::time::sleep(pulse.shortest_wait()));
        Self { pulse, sleep }
    }
}

impl Future for Watchdog {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        loop {
            let deadline = this.pulse.deadline();
            if let Some(deadline) = deadline.map(tokio::time::Instant::from_std)
                && deadline < this.sleep.deadline()
            {
                this.sleep.as_mut().reset(deadline);
            }
            if this.sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            match deadline {
                Some(deadline) if deadline <= now => {
                    tracing::debug!(doing = this.pulse.doing(), "connection dawdled");
                    return Poll::Ready(());
                }
                Some(deadline) => this.sleep.as_mut().reset(deadline.into()),
                None => this
                    .sleep
                    .as_mut()
                    .reset((now + this.pulse.shortest_wait()).into()),
            }
        }
    }
}

/// Not a timer: hyper asks its timer for a sleep exactly when it begins to wait for a request's head, and
/// nothing else tells us that.
struct HeadBell(Arc<Pulse>);

impl Timer for HeadBell {
    fn sleep(&self, _: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(Never)
    }

    fn sleep_until(&self, _: Instant) -> Pin<Box<dyn Sleep>> {
        self.0.head_awaited();
        Box::pin(Never)
    }

    fn reset(&self, _: &mut Pin<Box<dyn Sleep>>, _: Instant) {
        self.0.head_awaited();
    }
}

/// A sleep without an end, and without an allocation.
struct Never;

impl Future for Never {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Sleep for Never {}
