//! A reply's body on its way out: counted, and holding the request's account open until it is sent.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use pin_project_lite::pin_project;

use crate::access_log::Ledger;

pin_project! {
    /// The body of a reply: the service's, or a problem's.
    pub struct ReplyBody<B> {
        #[pin]
        inner: Inner<B>,
        ledger: Option<Ledger>,
    }
}

pin_project! {
    #[project = InnerProjection]
    enum Inner<B> {
        Service { #[pin] body: B },
        Problem { body: Full<Bytes> },
    }
}

impl<B> ReplyBody<B> {
    pub(super) fn of_service(body: B) -> Self {
        Self {
            inner: Inner::Service { body },
            ledger: None,
        }
    }

    pub(super) fn of_problem(body: Full<Bytes>) -> Self {
        Self {
            inner: Inner::Problem { body },
            ledger: None,
        }
    }

    pub(super) fn accounted(mut self, ledger: Ledger) -> Self {
        self.ledger = Some(ledger);
        self
    }
}

impl<B> Body for ReplyBody<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.project();
        let poll = match this.inner.project() {
            InnerProjection::Service { body } => body.poll_frame(context).map_err(Into::into),
            InnerProjection::Problem { body } => {
                Pin::new(body).poll_frame(context).map_err(|never| match never {})
            }
        };
        if let (Poll::Ready(Some(Ok(frame))), Some(ledger)) = (&poll, this.ledger) {
            ledger.bytes += frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
        }
        poll
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Service { body } => body.is_end_stream(),
            Inner::Problem { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Service { body } => body.size_hint(),
            Inner::Problem { body } => body.size_hint(),
        }
    }
}
