//! A request's body, which is never left half unread on the wire.
//!
//! A handler may answer before it has read the body: 401, 413, 415. A client that writes its whole body
//! before it reads (most of them) would then be writing into a closed connection; the kernel answers that
//! with a reset, and the reset throws away our reply before the client has read it. So when a body is dropped
//! unread, the rest is drained in the background, up to 32 MiB or 3 s, while the reply is on its way.
//!
//! A client that asked first (`Expect: 100-continue`) and was not told to go on has sent nothing: its
//! connection is closed after the reply, and the body never travels.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::EXPECT;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use crate::body_limits::{BodyError, BodyFault, BodyLimits, BodyWatch};
use crate::server::Pulse;

/// The most that is read for nothing.
const DRAIN_BYTES: usize = 32 << 20;

/// The longest that is read for nothing.
const DRAIN_TIME: Duration = Duration::from_secs(3);

/// The body of a request. Its errors are [`BodyError`]s; [`crate::body_fault`] finds them from a handler.
#[derive(Debug)]
pub struct RequestBody {
    source: Source,
    /// Set while the body has not been read to its end.
    unread: bool,
    /// The client waits to be told to go on.
    waiting: bool,
    watch: Option<Box<BodyWatch>>,
}

#[derive(Debug)]
enum Source {
    Wire(Incoming, Arc<Pulse>),
    Memory(Full<Bytes>),
}

impl RequestBody {
    /// The body of a request on a connection of ours.
    pub(crate) fn from_connection(body: Incoming, headers: &HeaderMap, pulse: Arc<Pulse>) -> Self {
        let unread = !body.is_end_stream();
        let waiting = unread && headers.get(EXPECT).is_some_and(asks_first);
        Self {
            source: Source::Wire(body, pulse),
            unread,
            waiting,
            watch: None,
        }
    }

    /// A body that is in memory, for calling a service without a connection.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self {
            source: Source::Memory(Full::new(bytes.into())),
            unread: false,
            waiting: false,
            watch: None,
        }
    }

    /// Puts limits on the body from now on. Costs nothing where there is no body.
    #[must_use]
    pub fn limited(mut self, limits: &BodyLimits) -> Self {
        if !self.is_end_stream() {
            self.watch = Some(Box::new(BodyWatch::new(limits)));
        }
        self
    }

    fn poll_source(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.source {
            Source::Memory(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Source::Wire(body, pulse) => {
                let frame = ready!(Pin::new(&mut *body).poll_frame(context));
                let over = !matches!(frame, Some(Ok(_))) || body.is_end_stream();
                if over {
                    self.unread = false;
                    pulse.body_ended();
                }
                Poll::Ready(frame.map(|frame| frame.map_err(BodyError::of_connection)))
            }
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        this.waiting = false;
        let Some(mut watch) = this.watch.take() else {
            return this.poll_source(context);
        };
        if let Some(fault) = watch.spent() {
            this.watch = Some(watch);
            return Poll::Ready(Some(Err(BodyError::from(fault))));
        }
        let poll = match this.poll_source(context) {
            Poll::Pending => watch
                .poll_waiting(context)
                .map(|fault| Some(Err(BodyError::from(fault)))),
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                Poll::Ready(Some(
                    watch.received(bytes).map(|()| frame).map_err(BodyError::from),
                ))
            }
            end @ Poll::Ready(_) => end,
        };
        this.watch = Some(watch);
        poll
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Wire(body, _) => body.is_end_stream(),
            Source::Memory(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Wire(body, _) => body.size_hint(),
            Source::Memory(body) => body.size_hint(),
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.unread || self.waiting {
            return;
        }
        // A client too slow to be served is not waited for either.
        let slow = [BodyFault::Idle, BodyFault::TooSlow, BodyFault::Deadline];
        if self
            .watch
            .as_ref()
            .and_then(|watch| watch.spent())
            .is_some_and(|fault| slow.contains(&fault))
        {
            return;
        }
        let empty = Source::Memory(Full::default());
        let (Source::Wire(body, pulse), Ok(runtime)) = (
            std::mem::replace(&mut self.source, empty),
            tokio::runtime::Handle::try_current(),
        ) else {
            return;
        };
        runtime.spawn(async move {
            if tokio::time::timeout(DRAIN_TIME, drain(body)).await.is_ok() {
                pulse.body_ended();
            }
        });
    }
}

fn asks_first(expect: &HeaderValue) -> bool {
    expect.as_bytes().eq_ignore_ascii_case(b"100-continue")
}

async fn drain(mut body: Incoming) {
    let mut left = DRAIN_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(bytes) else {
            return;
        };
        left = rest;
    }
}
