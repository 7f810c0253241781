use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt as _};

/// Bytes that may stand between two fields: the boundary and a part's header (16 KiB at most), with room for what one read
/// of the connection brings beyond it.
const BETWEEN_FIELDS: usize = 256 << 10;

/// The budget is switched off while a field is read: its own limits hold there.
const UNLIMITED: usize = usize::MAX;

/// How much more may be read before the form must have come to a field.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<AtomicUsize>);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicUsize::new(BETWEEN_FIELDS)))
    }

    /// From here on a field is read.
    pub(crate) fn enter_field(&self) {
        self.0.store(UNLIMITED, Ordering::Relaxed);
    }

    /// From here on the next field is looked for.
    pub(crate) fn leave_field(&self) {
        self.0.store(BETWEEN_FIELDS, Ordering::Relaxed);
    }

    fn spend(&self, bytes: usize) -> bool {
        let left = self.0.load(Ordering::Relaxed);
        if left == UNLIMITED {
            return true;
        }
        self.0.store(left.saturating_sub(bytes), Ordering::Relaxed);
        left >= bytes
    }
}

/// Why the guard stopped a form.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GuardError {
    /// What stands between two fields is endless.
    #[error("what stands between two parts is longer than {BETWEEN_FIELDS} bytes")]
    EndlessHeader,
    /// The body could not be read.
    #[error("the body could not be read")]
    Body(#[source] warp::Error),
}

/// Feeds a form reader in bounded pieces.
///
/// SECURITY: multer buffers whatever is no field, without a limit, and drains its source in one go: a part's header that never
/// ends would fill the memory (569 MB for a body of 600 MB). Here bytes outside fields have a budget, and each poll gives
/// one piece, so that multer looks at it before it gets the next.
pub(crate) fn guard<B: Buf>(
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
    budget: Budget,
) -> impl Stream<Item = Result<Bytes, GuardError>> + Send + 'static {
    let pieces = body.map(|piece| piece.map(|mut piece| piece.copy_to_bytes(piece.remaining())));
    Guarded {
        pieces: Box::pin(pieces),
        budget,
        gave_one: false,
    }
}

struct Guarded {
    pieces: Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send>>,
    budget: Budget,
    gave_one: bool,
}

impl Stream for Guarded {
    type Item = Result<Bytes, GuardError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.gave_one) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = match self.pieces.poll_next_unpin(context) {
            Poll::Ready(Some(Ok(piece))) => piece,
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(GuardError::Body(error)))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => return Poll::Pending,
        };
        self.gave_one = true;
        let within = self.budget.spend(piece.len());
        Poll::Ready(Some(if within {
            Ok(piece)
        } else {
            Err(GuardError::EndlessHeader)
        }))
    }
}
