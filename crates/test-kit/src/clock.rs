use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use process::Clock;

/// A clock that stands still until a test moves it. Cloning shares it.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl ManualClock {
    /// A clock that stands at this instant.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// The clock as services take it.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let this = self.clone();
        Clock::from_fn(move || this.now())
    }

    /// Where it stands.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts it to an instant, earlier ones too.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves it on (or back) and says where it stands then.
    ///
    /// # Panics
    /// Past the end of the calendar.
    pub fn advance(&self, by: SignedDuration) -> Timestamp {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.checked_add(by).expect("within the calendar");
        *now
    }
}

impl Default for ManualClock {
    /// A clock that stands at noon of a day in 2026, far from any change of clocks.
    fn default() -> Self {
        Self::at("2026-07-01T12:00:00Z".parse().expect("a timestamp"))
    }
}
