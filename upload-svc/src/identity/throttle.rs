use std::{
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{
    Quota, RateLimiter, clock::Clock as GovernorClock, middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};
use process::Clock;

/// The service's clock as governor reads it: time since 1970.
#[derive(Debug, Clone)]
pub(super) struct ServiceClock(pub(super) Clock);

impl GovernorClock for ServiceClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::try_from(self.0.now().as_duration()).unwrap_or_default()
    }
}

/// Buckets are gone through for those that are full again at every so many tries.
const TRIES_BETWEEN_CLEANINGS: u32 = 512;

/// How often it may be tried to sign in: at one account, and from one address. Asked before a password is hashed,
/// for hashing is what costs.
#[derive(Debug)]
pub(crate) struct SignInThrottle {
    accounts: Option<Keyed<String>>,
    addresses: Option<Keyed<IpAddr>>,
    clock: ServiceClock,
    tries: AtomicU32,
}

type Keyed<K> = RateLimiter<
    K,
    DashMapStateStore<K>,
    ServiceClock,
    NoOpMiddleware<<ServiceClock as GovernorClock>::Instant>,
>;

impl SignInThrottle {
    /// Tries a minute, refilled evenly; 0 is no limit.
    pub(super) fn new(per_account: u32, per_address: u32, clock: &ServiceClock) -> Self {
        Self {
            accounts: keyed(per_account, clock),
            addresses: keyed(per_address, clock),
            clock: clock.clone(),
            tries: AtomicU32::new(0),
        }
    }

    /// Counts a try, or says how long to wait before the next one. The account need not exist: its name is what is
    /// counted, in any case. A try that the address has no right to is not held against the account.
    pub(crate) fn admit(&self, username: &str, address: IpAddr) -> Result<(), Duration> {
        if self.tries.fetch_add(1, Ordering::Relaxed) % TRIES_BETWEEN_CLEANINGS == TRIES_BETWEEN_CLEANINGS - 1
        {
            self.forget_full_buckets();
        }
        self.check(self.addresses.as_ref(), &address)?;
        // SECURITY: whoever sends a megabyte for a name fills no bucket of that size.
        let name = username.chars().take(64).flat_map(char::to_lowercase).collect();
        self.check(self.accounts.as_ref(), &name)
    }

    fn check<K: Hash + Eq + Clone>(&self, limiter: Option<&Keyed<K>>, key: &K) -> Result<(), Duration> {
        let Some(limiter) = limiter else { return Ok(()) };
        limiter
            .check_key(key)
            .map_err(|until| until.wait_time_from(self.clock.now()))
    }

    fn forget_full_buckets(&self) {
        if let Some(accounts) = &self.accounts {
            accounts.retain_recent();
        }
        if let Some(addresses) = &self.addresses {
            addresses.retain_recent();
        }
    }
}

fn keyed<K: Hash + Eq + Clone>(per_minute: u32, clock: &ServiceClock) -> Option<Keyed<K>> {
    let quota = Quota::per_minute(NonZeroU32::new(per_minute)?);
    Some(RateLimiter::new(
        quota,
        DashMapStateStore::default(),
        clock.clone(),
    ))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use test_kit::ManualClock;

    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const AWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn tries_are_counted_by_account_and_by_address_and_come_back_with_time() {
        let clock = ManualClock::default();
        let throttle = SignInThrottle::new(2, 3, &ServiceClock(clock.clock()));
        assert_eq!(throttle.admit("ann", HOME), Ok(()));
        assert_eq!(throttle.admit("ANN", HOME), Ok(()));
        assert_eq!(
            throttle.admit("ann", HOME),
            Err(Duration::from_secs(30)),
            "the account"
        );
        assert_eq!(
            throttle.admit("bob", HOME),
            Err(Duration::from_secs(20)),
            "the address"
        );
        assert_eq!(throttle.admit("bob", AWAY), Ok(()));
        clock.advance(SignedDuration::from_secs(30));
        assert_eq!(throttle.admit("ann", HOME), Ok(()));
    }

    #[test]
    fn zero_is_no_limit() {
        let throttle = SignInThrottle::new(0, 0, &ServiceClock(ManualClock::default().clock()));
        assert!((0..1000).all(|_| throttle.admit("ann", HOME).is_ok()));
    }
}
