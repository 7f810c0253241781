//! How a process takes the place of another one that still answers, so that nobody who asks meanwhile is refused.
//!
//! The new process listens under a name beside the socket, and takes the socket's own name by a rename when it is ready. From
//! then on every new connection is its own. The old one has the connections that it had: once it is told to stop it answers what
//! comes on them, and says with each answer that the connection ends ([`ConnectionLimits::linger`](crate::ConnectionLimits)).

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::health::Health;
use crate::lingering::RequestBody;
use crate::listen::{ListenAddress, Listener};
use crate::server::{ConnectionLimits, ServeOutcome, serve};

/// How often a process that waits for its turn asks itself whether it is ready.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// What a check of a socket takes: it looks at a flag.
const CHECK_DEADLINE: Duration = Duration::from_secs(1);

impl Listener {
    /// Binds the address as [`Listener::bind`] does, but that a Unix socket on which another process answers is no error when
    /// `takes_over`: [`serve_in_turn`] takes it over.
    pub async fn bind_in_turn(address: &ListenAddress, takes_over: bool) -> io::Result<Self> {
        match address {
            ListenAddress::Unix(path) if takes_over && UnixStream::connect(path).await.is_ok() => {
                Self::bind_beside(address).await
            }
            _ => Self::bind(address).await,
        }
    }

    /// Whether who asks for the address finds this socket, as the check `socket`.
    #[must_use]
    pub fn health(&self) -> Health {
        let is_in_place = self.is_in_place.clone();
        Health::new().check("socket", CHECK_DEADLINE, move || {
            let is_in_place = is_in_place.load(Ordering::Acquire);
            async move {
                if is_in_place {
                    Ok(())
                } else {
                    Err("the process before this one still answers".to_owned())
                }
            }
        })
    }
}

/// [`serve`], once the place of the process before us is taken: when `ready` says so, and not before. A process that never
/// becomes ready leaves the other one where it is.
pub async fn serve_in_turn<S, B>(
    mut listener: Listener,
    ready: &Health,
    service: S,
    limits: ConnectionLimits,
    stop: CancellationToken,
) -> io::Result<ServeOutcome>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    if listener.beside.is_some() {
        let readiness = async {
            while !ready.report().await.0 {
                tokio::time::sleep(ASK_AGAIN).await;
            }
        };
        if stop.run_until_cancelled(readiness).await.is_none() {
            return Ok(ServeOutcome::Drained);
        }
        if let Err(error) = listener.take_place() {
            stop.cancel();
            return Err(error);
        }
        tracing::info!(socket = ?listener.path(), "took the place of the process before");
    }
    Ok(serve(listener, service, limits, stop).await)
}
