//! How slowly a request's body may come, how long it may take and how large it may be.

use std::error::Error;
use std::fmt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use crate::language::Language;
use crate::problem::Problem;

/// The limits of one request's body. The defaults are the product's.
///
/// Only time spent waiting for the client counts against `idle` and `rate`: a handler that is busy writing to
/// a slow disk does not make its client slow. `total_time` is wall time.
#[derive(Clone, Debug)]
pub struct BodyLimits {
    /// The longest silence. 15 s.
    pub idle: Duration,
    /// The fewest bytes a second, judged over each `rate_window` of waiting. 8 KiB/s; 0 is no limit.
    pub bytes_per_second: u64,
    /// Over how long the rate is judged. 28 s: a client that trickles must be gone, reply and all, within 30.
    pub rate_window: Duration,
    /// The longest a body may take. 6 h.
    pub total_time: Duration,
    /// The most bytes of one body. 5 GiB.
    pub total_bytes: u64,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(15),
            bytes_per_second: 8 << 10,
            rate_window: Duration::from_secs(28),
            total_time: Duration::from_hours(6),
            total_bytes: 5 << 30,
        }
    }
}

/// Why a body could not be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyFault {
    /// Nothing came for [`BodyLimits::idle`].
    Idle,
    /// Bytes came, too few a second.
    TooSlow,
    /// It took longer than [`BodyLimits::total_time`].
    Deadline,
    /// It is larger than [`BodyLimits::total_bytes`].
    TooLarge,
    /// The client went away.
    Disconnected,
    /// The chunks are not what HTTP says they are.
    Malformed,
}

impl BodyFault {
    /// The answer: 408, 413 or 400. A client that went away will not read it.
    #[must_use]
    pub fn problem(self, language: Language) -> Problem {
        match self {
            Self::Idle | Self::TooSlow | Self::Deadline => Problem::request_timeout(language),
            Self::TooLarge => Problem::too_large(language, None),
            Self::Disconnected | Self::Malformed => Problem::bad_request(language),
        }
    }
}

impl fmt::Display for BodyFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Idle => "the client stopped sending its request's body",
            Self::TooSlow => "the request's body came too slowly",
            Self::Deadline => "the request's body took too long",
            Self::TooLarge => "the request's body is too large",
            Self::Disconnected => "the client went away while sending its request's body",
            Self::Malformed => "the request's body is malformed",
        })
    }
}

/// An error of [`crate::RequestBody`].
#[derive(Debug)]
pub struct BodyError {
    fault: BodyFault,
    source: Option<hyper::Error>,
}

impl BodyError {
    /// What went wrong.
    #[must_use]
    pub fn fault(&self) -> BodyFault {
        self.fault
    }

    /// hyper tells a broken chunk only by the kind of the I/O error inside.
    pub(crate) fn of_connection(error: hyper::Error) -> Self {
        let kind = error
            .source()
            .and_then(|source| source.downcast_ref())
            .map(std::io::Error::kind);
        let malformed = matches!(
            kind,
            Some(std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData)
        );
        let fault = if malformed {
            BodyFault::Malformed
        } else {
            BodyFault::Disconnected
        };
        Self {
            fault,
            source: Some(error),
        }
    }
}

impl From<BodyFault> for BodyError {
    fn from(fault: BodyFault) -> Self {
        Self { fault, source: None }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(formatter)
    }
}

impl Error for BodyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

/// The fault of a request's body behind an error, however deeply multer, warp or an `io::Error` has wrapped it.
#[must_use]
pub fn body_fault(error: &(dyn Error + 'static)) -> Option<BodyFault> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<BodyError>() {
            return Some(found.fault);
        }
        // `io::Error::source` skips the error it was made from.
        if let Some(inner) = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            return body_fault(inner);
        }
        current = error.source();
    }
    None
}

/// Reads a whole body of at most `limit` bytes into memory, from `warp::body::stream()`.
///
/// For forms and JSON: `warp::body::json()` has no limit, and what goes wrong in it can only be a 400.
pub async fn read_body<S, D, E>(body: S, limit: usize) -> Result<Bytes, BodyFault>
where
    S: Stream<Item = Result<D, E>>,
    D: Buf,
    E: Error + 'static,
{
    let mut body = pin!(body);
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| body_fault(&error).unwrap_or(BodyFault::Disconnected))?;
        if bytes.len() + piece.remaining() > limit {
            return Err(BodyFault::TooLarge);
        }
        bytes.put(piece);
    }
    Ok(bytes.freeze())
}

/// Watches one body being read.
#[derive(Debug)]
pub(crate) struct BodyWatch {
    limits: BodyLimits,
    began: Instant,
    left: u64,
    /// Set while the reader waits.
    waiting: Option<Waiting>,
    window: Window,
    timer: Option<Pin<Box<tokio::time::Sleep>>>,
    spent: Option<BodyFault>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// When the wait began.
    silent_since: Instant,
    /// From when on the wait belongs to the current window.
    counted_from: Instant,
}

/// What came in the time the rate is judged over.
#[derive(Debug, Default)]
struct Window {
    bytes: u64,
    waited: Duration,
}

impl BodyWatch {
    pub(crate) fn new(limits: &BodyLimits) -> Self {
        Self {
            limits: limits.clone(),
            began: Instant::now(),
            left: limits.total_bytes,
            waiting: None,
            window: Window::default(),
            timer: None,
            spent: None,
        }
    }

    /// The fault that ended this body.
    pub(crate) fn spent(&self) -> Option<BodyFault> {
        self.spent
    }

    /// Counts bytes that came.
    pub(crate) fn received(&mut self, bytes: usize) -> Result<(), BodyFault> {
        let bytes = bytes as u64;
        self.window.bytes += bytes;
        if let Some(waiting) = self.waiting.take() {
            self.window.waited += waiting.counted_from.elapsed();
            if self.window.waited >= self.limits.rate_window {
                if self.too_slow() {
                    return Err(self.spend(BodyFault::TooSlow));
                }
                self.window = Window::default();
            }
        }
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => return Err(self.spend(BodyFault::TooLarge)),
        }
        if self.began.elapsed() >= self.limits.total_time {
            return Err(self.spend(BodyFault::Deadline));
        }
        Ok(())
    }

    /// Waits with the reader for the next byte; ready with a fault when it has waited long enough.
    pub(crate) fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<BodyFault> {
        let mut waiting = *self.waiting.get_or_insert_with(|| {
            let now = Instant::now();
            Waiting {
                silent_since: now,
                counted_from: now,
            }
        });
        loop {
            let (at, fault) = self.next_deadline(waiting);
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at.into())));
            // A timer that is due earlier is left alone: it wakes, looks, and sleeps again.
            if timer.deadline() > at.into() || timer.is_elapsed() {
                timer.as_mut().reset(at.into());
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() < at {
                continue;
            }
            if fault != BodyFault::TooSlow || self.too_slow() {
                return Poll::Ready(self.spend(fault));
            }
            self.window = Window::default();
            waiting.counted_from = at;
            self.waiting = Some(waiting);
        }
    }

    fn next_deadline(&self, waiting: Waiting) -> (Instant, BodyFault) {
        let judged = waiting.counted_from + self.limits.rate_window.saturating_sub(self.window.waited);
        let deadlines = [
            (waiting.silent_since + self.limits.idle, BodyFault::Idle),
            (judged, BodyFault::TooSlow),
            (self.began + self.limits.total_time, BodyFault::Deadline),
        ];
        deadlines
            .into_iter()
            .min_by_key(|(at, _)| *at)
            .unwrap_or((judged, BodyFault::TooSlow))
    }

    fn too_slow(&self) -> bool {
        let seconds = self.limits.rate_window.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "byte counts far below 2^52")]
        let slow = (self.window.bytes as f64) < self.limits.bytes_per_second as f64 * seconds;
        slow
    }

    fn spend(&mut self, fault: BodyFault) -> BodyFault {
        self.spent = Some(fault);
        fault
    }
}
