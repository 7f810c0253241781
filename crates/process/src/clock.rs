use std::{fmt, sync::Arc};

use jiff::Timestamp;

/// Where a service gets `now` from: the machine's clock, or one that a test moves by hand.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    is_machines: bool,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        #[allow(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the clock"
        )]
        let now = Arc::new(Timestamp::now);
        Self {
            now,
            is_machines: true,
        }
    }

    /// A clock that says what `now` says.
    #[must_use]
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            now: Arc::new(now),
            is_machines: false,
        }
    }

    /// Whether it is the machine's, which may be set wrong, and not one that a test has set.
    #[must_use]
    pub fn is_machines(&self) -> bool {
        self.is_machines
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
