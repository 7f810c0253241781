use std::time::Duration;

use tokio::time::{Instant, sleep};

/// No more bytes than so many a second, by a clock that nobody sets. What was not used is lost: after a pause nothing is made up for.
#[derive(Debug)]
pub(super) struct Pace {
    bytes_per_second: Option<u64>,
    free_at: Instant,
}

impl Pace {
    /// None is as fast as it goes.
    pub(super) fn new(bytes_per_second: Option<u64>) -> Self {
        Self {
            bytes_per_second,
            free_at: Instant::now(),
        }
    }

    /// Waits until this many bytes more may have been read.
    pub(super) fn spend(&mut self, bytes: u64) -> impl Future<Output = ()> + use<> {
        let wait = self.wait_for(bytes, Instant::now());
        async move {
            if !wait.is_zero() {
                sleep(wait).await;
            }
        }
    }

    fn wait_for(&mut self, bytes: u64, now: Instant) -> Duration {
        let Some(rate) = self.bytes_per_second else {
            return Duration::ZERO;
        };
        self.free_at = self.free_at.max(now) + time_of(bytes, rate);
        self.free_at.saturating_duration_since(now)
    }
}

fn time_of(bytes: u64, bytes_per_second: u64) -> Duration {
    let nanoseconds = u128::from(bytes) * 1_000_000_000 / u128::from(bytes_per_second.max(1));
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_take_their_time_and_a_pause_is_not_made_up_for() {
        let mut pace = Pace::new(Some(1_000));
        let began = pace.free_at;
        let mut wait = |bytes, seconds| {
            pace.wait_for(bytes, began + Duration::from_secs(seconds))
                .as_millis()
        };
        assert_eq!(wait(500, 0), 500);
        assert_eq!(wait(1_500, 0), 2_000);
        assert_eq!(wait(2_000, 60), 2_000);
        assert!(Pace::new(None).wait_for(u64::MAX, began).is_zero());
    }
}
