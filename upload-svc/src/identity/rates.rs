use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use catalog::{Bearer, Credential};
use domain::AccessRefusal;
use governor::{
    Quota, RateLimiter,
    clock::Clock as _,
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed, keyed::DashMapStateStore},
};
use http_kit::Allowance;

use super::throttle::ServiceClock;

type Bucket = RateLimiter<NotKeyed, InMemoryState, ServiceClock, StateInformationMiddleware>;
type Accounts = RateLimiter<i64, DashMapStateStore<i64>, ServiceClock, StateInformationMiddleware>;

/// Tokens whose buckets are kept; past it all begin anew with a full one.
const MOST_BUCKETS: usize = 10_000;
/// Accounts that have been quiet are forgotten at every so many requests.
const REQUESTS_BETWEEN_CLEANINGS: u32 = 4096;

/// Holds accounts to a number of requests a minute, whatever they come with, and tokens to the rate that they were made with.
#[derive(Debug)]
pub(super) struct Rates {
    clock: ServiceClock,
    per_account: u32,
    accounts: Option<Accounts>,
    tokens: Mutex<HashMap<i64, (u32, Arc<Bucket>)>>,
    requests: AtomicU32,
}

/// What a limit says to a request: what is left, or no.
pub(super) type Counted = Result<Allowance, (Allowance, AccessRefusal)>;

impl Rates {
    /// Requests a minute of one account, refilled evenly; 0 is no limit.
    pub(super) fn new(per_account: u32, clock: &ServiceClock) -> Self {
        let quota = NonZeroU32::new(per_account).map(Quota::per_minute);
        let accounts =
            quota.map(|quota| RateLimiter::new(quota, DashMapStateStore::default(), clock.clone()));
        Self {
            clock: clock.clone(),
            per_account,
            accounts,
            tokens: Mutex::new(HashMap::new()),
            requests: AtomicU32::new(0),
        }
    }

    /// Counts a request of a token that has a rate of its own.
    pub(super) fn count_token(&self, bearer: &Bearer) -> Option<Counted> {
        let Credential::Token {
            id,
            rate_per_minute: Some(rate),
            ..
        } = bearer.credential
        else {
            return None;
        };
        let per_minute = u32::try_from(rate).ok().and_then(NonZeroU32::new)?;
        let counted = self.bucket(id, per_minute).check();
        let per_minute = per_minute.get();
        Some(match counted {
            Ok(state) => Ok(Allowance::left(
                "token",
                per_minute,
                state.remaining_burst_capacity(),
            )),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                let refusal = AccessRefusal::TokenRateExceeded { per_minute, wait };
                Err((Allowance::used_up("token", per_minute, wait), refusal))
            }
        })
    }

    /// Counts a request of an account.
    pub(super) fn count_account(&self, account_id: i64) -> Option<Counted> {
        let (accounts, per_minute) = (self.accounts.as_ref()?, self.per_account);
        if self.requests.fetch_add(1, Ordering::Relaxed) % REQUESTS_BETWEEN_CLEANINGS
            == REQUESTS_BETWEEN_CLEANINGS - 1
        {
            accounts.retain_recent();
        }
        Some(match accounts.check_key(&account_id) {
            Ok(state) => Ok(Allowance::left(
                "account",
                per_minute,
                state.remaining_burst_capacity(),
            )),
            Err(until) => {
                let wait: Duration = until.wait_time_from(self.clock.now());
                let refusal = AccessRefusal::AccountRateExceeded { per_minute, wait };
                Err((Allowance::used_up("account", per_minute, wait), refusal))
            }
        })
    }

    fn bucket(&self, token_id: i64, per_minute: NonZeroU32) -> Arc<Bucket> {
        let mut buckets = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((rate, bucket)) = buckets.get(&token_id)
            && *rate == per_minute.get()
        {
            return Arc::clone(bucket);
        }
        if buckets.len() >= MOST_BUCKETS {
            buckets.clear();
        }
        let quota = Quota::per_minute(per_minute);
        let bucket = RateLimiter::direct_with_clock(quota, self.clock.clone())
            .with_middleware::<StateInformationMiddleware>();
        let bucket = Arc::new(bucket);
        buckets.insert(token_id, (per_minute.get(), Arc::clone(&bucket)));
        bucket
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use test_kit::ManualClock;

    use super::*;

    #[test]
    fn an_account_has_one_bucket_that_fills_again_and_zero_is_no_limit() {
        let clock = ManualClock::default();
        let rates = Rates::new(2, &ServiceClock(clock.clock()));
        let remaining = |account| rates.count_account(account).unwrap().map(|left| left.remaining());
        assert_eq!((remaining(1).ok(), remaining(1).ok()), (Some(1), Some(0)));
        let (_, refusal) = remaining(1).unwrap_err();
        let wait = Duration::from_secs(30);
        assert_eq!(
            refusal,
            AccessRefusal::AccountRateExceeded { per_minute: 2, wait }
        );
        assert_eq!(remaining(2).ok(), Some(1), "another account");
        clock.advance(SignedDuration::from_secs(30));
        assert_eq!(remaining(1).ok(), Some(0));
        assert!(
            Rates::new(0, &ServiceClock(clock.clock()))
                .count_account(1)
                .is_none()
        );
    }
}
