use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
};

use blobs::Pieces;
use bytes::Bytes;
use futures_util::Stream as _;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;

use super::Payload;

/// The body of an answer: of a view without any box, of anything else as warp made it.
#[derive(Debug)]
pub struct ReplyBody(Inner);

#[derive(Debug)]
enum Inner {
    Empty,
    Bytes(Bytes),
    Pieces(Pieces),
    Other(UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>),
}

impl From<Payload> for ReplyBody {
    fn from(payload: Payload) -> Self {
        Self(match payload {
            Payload::Empty => Inner::Empty,
            Payload::Bytes(bytes) => Inner::Bytes(bytes),
            Payload::Pieces(pieces) => Inner::Pieces(pieces),
        })
    }
}

impl From<UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>> for ReplyBody {
    fn from(body: UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>) -> Self {
        Self(Inner::Other(body))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.get_mut().0 {
            Inner::Empty => Poll::Ready(None),
            Inner::Bytes(bytes) => {
                let all = std::mem::take(bytes);
                Poll::Ready((!all.is_empty()).then(|| Ok(Frame::data(all))))
            }
            Inner::Pieces(pieces) => {
                let next = Pin::new(pieces).poll_next(context);
                if let Poll::Ready(Some(Err(error))) = &next {
                    // The head promised more: only a broken connection tells the client.
                    tracing::error!(%error, "an image's bytes broke off while they were being sent");
                }
                next.map(|piece| piece.map(|piece| piece.map(Frame::data).map_err(Into::into)))
            }
            Inner::Other(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Empty => true,
            Inner::Bytes(bytes) => bytes.is_empty(),
            Inner::Pieces(pieces) => pieces.left() == 0,
            Inner::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Empty => SizeHint::with_exact(0),
            Inner::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Pieces(pieces) => SizeHint::with_exact(pieces.left()),
            Inner::Other(body) => body.size_hint(),
        }
    }
}
