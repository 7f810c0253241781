use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};

use domain::AccessRefusal;
use governor::{
    Quota, RateLimiter,
    clock::Clock as _,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

use super::throttle::ServiceClock;

type Bucket = RateLimiter<NotKeyed, InMemoryState, ServiceClock, NoOpMiddleware<std::time::Duration>>;

/// Tokens whose buckets are kept; past it all begin anew with a full one.
const MOST_BUCKETS: usize = 10_000;

/// Holds tokens to the rate that they were made with.
#[derive(Debug)]
pub(super) struct TokenRates {
    clock: ServiceClock,
    buckets: Mutex<HashMap<i64, (u32, Arc<Bucket>)>>,
}

impl TokenRates {
    pub(super) fn new(clock: &ServiceClock) -> Self {
        Self {
            clock: clock.clone(),
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Counts a request of a token that is good for `per_minute` requests a minute.
    pub(super) fn admit(&self, token_id: i64, per_minute: NonZeroU32) -> Result<(), AccessRefusal> {
        let bucket = self.bucket(token_id, per_minute);
        bucket.check().map_err(|until| AccessRefusal::TokenRateExceeded {
            per_minute: per_minute.get(),
            wait: until.wait_time_from(self.clock.now()),
        })
    }

    fn bucket(&self, token_id: i64, per_minute: NonZeroU32) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((rate, bucket)) = buckets.get(&token_id)
            && *rate == per_minute.get()
        {
            return Arc::clone(bucket);
        }
        if buckets.len() >= MOST_BUCKETS {
            buckets.clear();
        }
        let quota = Quota::per_minute(per_minute);
        let bucket = Arc::new(RateLimiter::direct_with_clock(quota, self.clock.clone()));
        buckets.insert(token_id, (per_minute.get(), Arc::clone(&bucket)));
        bucket
    }
}
