//! What one connection is doing now, and until when it may go on doing it.
//!
//! hyper has one timer for "no request yet" and "half a request's head", and none for writing. So the
//! connection's parts tell this record what they see, and the connection's task asks it for the next deadline:
//!
//! ```text
//! Fresh ──first byte──> Head ──head complete──> Body ──body ended──> Reply ──reply sent──> Idle ──first byte──> Head
//! ```

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A connection that has not said anything yet.
const FRESH: u8 = 0;
/// Between two requests.
const IDLE: u8 = 1;
/// Some bytes of a request's head are here.
const HEAD: u8 = 2;
/// A request is being answered and its body is still arriving: the body's own limits judge it.
const BODY: u8 = 3;
/// A request is being answered and nothing more of it is to come.
const REPLY: u8 = 4;

const NEVER: u64 = u64::MAX;

/// The waits that a connection is allowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    pub(super) header: Duration,
    pub(super) idle: Duration,
    /// Without one byte taken by the socket.
    pub(super) write: Duration,
}

/// The state of one connection. Only its own tasks touch it, so nothing here orders anything else.
#[derive(Debug)]
pub(crate) struct Pulse {
    origin: Instant,
    waits: Waits,
    phase: AtomicU8,
    /// When the phase began, in milliseconds after `origin`.
    since: AtomicU64,
    /// Bytes came after the end of a request and before its reply was sent: the next head has begun.
    early: AtomicBool,
    /// When the socket stopped taking bytes, or NEVER.
    blocked_since: AtomicU64,
    /// The head that was just read says two things about where its body ends.
    ambiguous: AtomicBool,
}

impl Pulse {
    pub(super) fn new(waits: Waits) -> Self {
        Self {
            origin: Instant::now(),
            waits,
            phase: AtomicU8::new(FRESH),
            since: AtomicU64::new(0),
            early: AtomicBool::new(false),
            blocked_since: AtomicU64::new(NEVER),
            ambiguous: AtomicBool::new(false),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(NEVER)
    }

    fn enter(&self, phase: u8) {
        self.phase.store(phase, Relaxed);
        self.since.store(self.now(), Relaxed);
    }

    /// hyper begins to wait for a request's head.
    pub(super) fn head_awaited(&self) {
        if self.early.swap(false, Relaxed) {
            self.enter(HEAD);
        } else if self.phase.load(Relaxed) != FRESH {
            self.enter(IDLE);
        }
    }

    /// Bytes came from the client. True when they may belong to a request's head.
    pub(super) fn bytes_came(&self) -> bool {
        match self.phase.load(Relaxed) {
            FRESH | IDLE => {
                self.enter(HEAD);
                true
            }
            HEAD => true,
            REPLY => {
                self.early.store(true, Relaxed);
                true
            }
            _ => false,
        }
    }

    /// A request's head is complete.
    pub(super) fn request_began(&self, body_follows: bool) {
        self.phase.store(if body_follows { BODY } else { REPLY }, Relaxed);
    }

    /// The request's body has been read to its end.
    pub(crate) fn body_ended(&self) {
        let _ = self.phase.compare_exchange(BODY, REPLY, Relaxed, Relaxed);
    }

    /// The head on the wire names its body's end twice.
    pub(super) fn head_is_ambiguous(&self) {
        self.ambiguous.store(true, Relaxed);
    }

    /// Whether the head just completed was ambiguous; asked once a request.
    pub(super) fn take_ambiguous(&self) -> bool {
        self.ambiguous.load(Relaxed) && self.ambiguous.swap(false, Relaxed)
    }

    /// The socket took bytes, or has none to take.
    pub(super) fn wrote(&self) {
        if self.blocked_since.load(Relaxed) != NEVER {
            self.blocked_since.store(NEVER, Relaxed);
        }
    }

    /// The socket takes no more bytes.
    pub(super) fn blocked(&self) {
        if self.blocked_since.load(Relaxed) == NEVER {
            self.blocked_since.store(self.now(), Relaxed);
        }
    }

    /// When this connection is to be closed if nothing changes.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let reading = match self.phase.load(Relaxed) {
            FRESH | HEAD => Some(self.waits.header),
            IDLE => Some(self.waits.idle),
            _ => None,
        };
        let reading = reading.map(|wait| self.at(self.since.load(Relaxed)) + wait);
        let blocked = self.blocked_since.load(Relaxed);
        let writing = (blocked != NEVER).then(|| self.at(blocked) + self.waits.write);
        match (reading, writing) {
            (Some(reading), Some(writing)) => Some(reading.min(writing)),
            (reading, writing) => reading.or(writing),
        }
    }

    /// How long to sleep when nothing has a deadline: any deadline that may begin meanwhile is later.
    pub(super) fn shortest_wait(&self) -> Duration {
        self.waits.header.min(self.waits.idle).min(self.waits.write)
    }

    /// What the connection was doing, for the log.
    pub(super) fn doing(&self) -> &'static str {
        match self.phase.load(Relaxed) {
            _ if self.blocked_since.load(Relaxed) != NEVER => "reading its reply",
            FRESH => "beginning",
            HEAD => "sending a head",
            IDLE => "resting",
            _ => "waiting for its reply",
        }
    }

    fn at(&self, milliseconds: u64) -> Instant {
        self.origin + Duration::from_millis(milliseconds)
    }
}
