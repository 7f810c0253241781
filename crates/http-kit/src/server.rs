//! The accept loop: how many connections, how long each may dawdle, and how a server stops.

mod connection;
mod framing;
mod pulse;
mod watched_io;

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::client_address::{ClientAddress, TrustedProxies};
use crate::lingering::RequestBody;
use crate::listen::{Listener, Peer, Stream};

pub(crate) use self::pulse::Pulse;

/// What is waited after a failed accept (out of descriptors, mostly) before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The limits of connections. The defaults are the product's.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Connections open at once; more wait in the kernel's backlog. 4096.
    pub connections: usize,
    /// Connections of one client address (an IPv6 /64 is one); more are closed unheard. Not counted for
    /// Unix peers and trusted proxies. 64.
    pub connections_per_client: usize,
    /// From the first byte of a request's head to its last; also how long a new connection may be silent. 10 s.
    pub header_deadline: Duration,
    /// How long a trusted proxy's connection may rest between requests. It must outlive the proxy's own
    /// `keepalive_timeout` (20 to 60 s), else a POST meets a closing connection. 75 s.
    pub keep_alive_idle: Duration,
    /// The same for any other client. 25 s.
    pub keep_alive_idle_direct: Duration,
    /// A client that takes no byte of its reply for so long is cut. 25 s: the kernel's timer, which does the
    /// work on TCP, may be some seconds late.
    pub write_stall: Duration,
    /// How long the requests under way may take to finish once the server stops; then they are cut. 30 s.
    pub drain: Duration,
    /// The most bytes of a request's head, before 431. 32 KiB.
    pub head_bytes: usize,
    /// The most header fields, before 431. 64.
    pub headers: usize,
    /// The most bytes buffered for reading, and for writing, a connection. 64 KiB.
    pub buffer_bytes: usize,
    /// Which peers are proxies of ours.
    pub trusted: TrustedProxies,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_client: 64,
            header_deadline: Duration::from_secs(10),
            keep_alive_idle: Duration::from_secs(75),
            keep_alive_idle_direct: Duration::from_secs(25),
            write_stall: Duration::from_secs(25),
            drain: Duration::from_secs(30),
            head_bytes: 32 << 10,
            headers: 64,
            buffer_bytes: 64 << 10,
            trusted: TrustedProxies::default(),
        }
    }
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServeOutcome {
    /// Every request under way was finished.
    Drained,
    /// So many connections were still busy after [`ConnectionLimits::drain`] and were cut.
    Cut(usize),
}

/// Serves HTTP/1.1 until `stop` is cancelled: then no connection is accepted, idle ones are closed and
/// requests under way may finish within [`ConnectionLimits::drain`].
///
/// Each request carries its [`Peer`] in its extensions. Speak HTTP/1.1 to it from nginx too: h2 to an
/// upstream buys nothing and its sniffing has no timer.
pub async fn serve<S, B>(
    listener: Listener,
    service: S,
    limits: ConnectionLimits,
    stop: CancellationToken,
) -> ServeOutcome
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let limits = Arc::new(limits);
    let permits = Arc::new(Semaphore::new(limits.connections));
    let clients = Clients::default();
    let tracker = TaskTracker::new();
    let cut = CancellationToken::new();
    // The permit comes before the accept: a connection we cannot serve stays in the kernel's queue.
    while let Some(permit) = unless(&stop, permits.clone().acquire_owned()).await {
        let Some(accepted) = unless(&stop, listener.accept()).await else {
            break;
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                let _ = unless(&stop, tokio::time::sleep(ACCEPT_PAUSE)).await;
                continue;
            }
        };
        let Some(seat) = clients.admit(peer, &limits) else {
            tracing::debug!(?peer, "too many connections of one client");
            continue;
        };
        if stream.prepare(limits.write_stall).is_err() {
            continue; // The client has gone already.
        }
        let wire = connection::Wire {
            peer,
            limits: limits.clone(),
            stop: stop.clone(),
            cut: cut.clone(),
        };
        let service = service.clone();
        tracker.spawn(async move {
            match stream {
                Stream::Tcp(stream) => connection::drive(stream, service, wire).await,
                Stream::Unix(stream) => connection::drive(stream, service, wire).await,
            }
            drop((permit, seat));
        });
    }
    // The socket goes first, so that what comes now is refused and not left hanging in the backlog.
    drop(listener);
    drain(&tracker, &cut, limits.drain).await
}

/// Waits for the connections still open, and cuts them when their time is over.
async fn drain(tracker: &TaskTracker, cut: &CancellationToken, time: Duration) -> ServeOutcome {
    tracker.close();
    if tokio::time::timeout(time, tracker.wait()).await.is_ok() {
        return ServeOutcome::Drained;
    }
    let left = tracker.len();
    cut.cancel();
    tracker.wait().await;
    ServeOutcome::Cut(left)
}

/// The future's output, or none once `stop` is cancelled.
async fn unless<T>(stop: &CancellationToken, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        output = future => Some(output),
    }
}

/// How many connections each client address has.
#[derive(Clone, Default)]
struct Clients(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection's place in its client's count; given back when dropped.
struct Seat(Option<(Clients, IpAddr)>);

impl Clients {
    fn admit(&self, peer: Peer, limits: &ConnectionLimits) -> Option<Seat> {
        let Some(address) = peer.ip().filter(|_| !limits.trusted.trusts(peer)) else {
            return Some(Seat(None));
        };
        let key = ClientAddress(address).limit_key();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key).or_default();
        if *count >= limits.connections_per_client {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Seat(Some((self.clone(), key))))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some((clients, key)) = self.0.take() else {
            return;
        };
        let mut counts = clients.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&key);
            }
        }
    }
}
