//! The accept loop: how many connections, how long each may dawdle, and how a server stops.

mod connection;
mod framing;
mod pulse;
mod watched_io;

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::client_address::{ClientAddress, TrustedProxies};
use crate::lingering::RequestBody;
use crate::listen::{Listener, Peer, Stream};

pub(crate) use self::pulse::Pulse;

/// What is waited after a failed accept (out of descriptors, mostly) before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// For so long nobody must have connected to a stopping server before its socket is closed.
const QUIET: Duration = Duration::from_millis(50);

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
    /// How long a stopping server answers what else a trusted proxy sends on the connections that it has, each answer their
    /// last: a request that is on its way when we close is a request that failed. 1 s.
    pub linger: Duration,
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
            linger: Duration::from_secs(1),
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

/// Serves HTTP/1.1 until `stop` is cancelled: then what has connected is still answered, once; idle connections are closed
/// (a proxy's after [`ConnectionLimits::linger`]) and requests under way may finish within [`ConnectionLimits::drain`].
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
    let (drain_time, linger) = (limits.drain, limits.linger);
    let house = House {
        service,
        limits,
        clients: Clients::default(),
        tracker: TaskTracker::new(),
        stop: stop.clone(),
        is_last: Arc::default(),
        cut: CancellationToken::new(),
    };
    // The permit comes before the accept: a connection we cannot serve stays in the kernel's queue.
    while let Some(Ok(permit)) = unless(&stop, permits.clone().acquire_owned()).await {
        let Some(accepted) = unless(&stop, listener.accept()).await else {
            break;
        };
        if house.let_in(accepted, permit).is_none() {
            let _ = unless(&stop, tokio::time::sleep(ACCEPT_PAUSE)).await;
        }
    }
    house.is_last.store(true, Ordering::Relaxed);
    let late = house.let_in_late(&listener, &permits);
    let _ = tokio::time::timeout(linger, late).await;
    // The socket goes first, so that what comes now is refused and not left hanging in the backlog.
    drop(listener);
    drain(&house.tracker, &house.cut, drain_time).await
}

/// What every connection of a server shares.
struct House<S> {
    service: S,
    limits: Arc<ConnectionLimits>,
    clients: Clients,
    tracker: TaskTracker,
    stop: CancellationToken,
    /// Whether an answer that is given now is the last one of its connection.
    is_last: Arc<AtomicBool>,
    cut: CancellationToken,
}

impl<S, B> House<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    /// Serves a connection in a task of its own. None where there was none, but an error.
    fn let_in(&self, accepted: io::Result<(Stream, Peer)>, permit: OwnedSemaphorePermit) -> Option<()> {
        let (stream, peer) = accepted
            .inspect_err(|error| tracing::warn!(%error, "cannot accept connections"))
            .ok()?;
        let Some(seat) = self.clients.admit(peer, &self.limits) else {
            tracing::debug!(?peer, "too many connections of one client");
            return Some(());
        };
        if stream.prepare(self.limits.write_stall).is_err() {
            return Some(()); // The client has gone already.
        }
        let wire = connection::Wire {
            peer,
            limits: self.limits.clone(),
            stop: self.stop.clone(),
            is_last: self.is_last.clone(),
            cut: self.cut.clone(),
        };
        let service = self.service.clone();
        self.tracker.spawn(async move {
            match stream {
                Stream::Tcp(stream) => connection::drive(stream, service, wire).await,
                Stream::Unix(stream) => connection::drive(stream, service, wire).await,
            }
            drop((permit, seat));
        });
        Some(())
    }

    /// Who connected to a Unix socket before it is closed waits in its backlog, and would be reset with it: they are let in until
    /// nobody comes any more. Nothing is to be done for TCP, where clients find out by themselves and ask again.
    async fn let_in_late(&self, listener: &Listener, permits: &Arc<Semaphore>) {
        if listener.path().is_none() {
            return;
        }
        while let Ok(accepted) = tokio::time::timeout(QUIET, listener.accept()).await {
            let Ok(permit) = permits.clone().acquire_owned().await else {
                return;
            };
            if self.let_in(accepted, permit).is_none() {
                return;
            }
        }
    }
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
