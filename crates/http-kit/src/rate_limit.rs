//! Requests a minute of one client address.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::client_address::ClientAddress;
use crate::language::Language;
use crate::problem::{Problem, whole_seconds};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How often addresses that have been quiet for a minute are forgotten.
const FORGET_EVERY: Duration = Duration::from_mins(1);

type Limiter = RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock, StateInformationMiddleware>;

/// A limit of requests a minute for each client address (an IPv6 /64 is one), refilled evenly.
///
/// Cloning shares the counts.
#[derive(Clone, Debug)]
pub struct RateLimit {
    limiter: Arc<Limiter>,
    clock: DefaultClock,
    per_minute: u32,
    applies: fn(&Parts) -> bool,
}

impl RateLimit {
    /// A limit on the requests that `applies` names; none where `per_minute` is 0 (off).
    ///
    /// Inside a tokio runtime it starts a task that forgets quiet addresses and ends with the limit.
    #[must_use]
    pub fn per_minute(per_minute: u32, applies: fn(&Parts) -> bool) -> Option<Self> {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute)?);
        let limiter = RateLimiter::dashmap(quota).with_middleware::<StateInformationMiddleware>();
        let limit = Self {
            limiter: Arc::new(limiter),
            clock: DefaultClock::default(),
            per_minute,
            applies,
        };
        limit.forget_quiet_addresses();
        Some(limit)
    }

    fn forget_quiet_addresses(&self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let limiter = Arc::downgrade(&self.limiter);
        runtime.spawn(async move {
            let mut tick = tokio::time::interval(FORGET_EVERY);
            loop {
                tick.tick().await;
                let Some(limiter) = limiter.upgrade() else { return };
                limiter.retain_recent();
                limiter.shrink_to_fit();
            }
        });
    }

    /// Counts a request: none where the limit does not apply to it, else what is left, or the 429.
    pub(crate) fn check(&self, request: &Parts, client: ClientAddress) -> Option<Result<Allowance, Problem>> {
        if !(self.applies)(request) {
            return None;
        }
        Some(match self.limiter.check_key(&client.limit_key()) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                Ok(Allowance {
                    per_minute: self.per_minute,
                    remaining,
                })
            }
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                let (policy, state) = fields(self.per_minute, 0, whole_seconds(wait));
                let problem = Problem::too_many_requests(Language::of(&request.headers), wait);
                Err(problem
                    .header(RATE_LIMIT_POLICY, policy)
                    .header(RATE_LIMIT, state))
            }
        })
    }
}

/// What a client has left of its minute.
pub(crate) struct Allowance {
    per_minute: u32,
    remaining: u32,
}

impl Allowance {
    /// Tells the client, in the form of draft-ietf-httpapi-ratelimit-headers: the policy, and how many requests
    /// remain until the whole quota is back in `t` seconds.
    pub(crate) fn announce(&self, headers: &mut HeaderMap) {
        let used = u64::from(self.per_minute - self.remaining.min(self.per_minute));
        let refilled = (used * 60).div_ceil(u64::from(self.per_minute));
        let (policy, state) = fields(self.per_minute, self.remaining, refilled);
        headers.insert(RATE_LIMIT_POLICY, policy);
        headers.insert(RATE_LIMIT, state);
    }
}

fn fields(per_minute: u32, remaining: u32, seconds: u64) -> (HeaderValue, HeaderValue) {
    let value = |text: String| HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    (
        value(format!("\"client\";q={per_minute};w=60")),
        value(format!("\"client\";r={remaining};t={seconds}")),
    )
}
