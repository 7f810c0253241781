//! Requests a minute of one client address, and what answers say of this and other limits.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
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
type Listener = dyn Fn(ClientAddress) + Send + Sync;

/// A limit of requests a minute for each client address (an IPv6 /64 is one), refilled evenly.
///
/// Cloning shares the counts.
#[derive(Clone)]
pub struct RateLimit {
    limiter: Arc<Limiter>,
    clock: DefaultClock,
    per_minute: u32,
    applies: fn(&Parts) -> bool,
    refused: Option<Arc<Listener>>,
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RateLimit")
            .field("per_minute", &self.per_minute)
            .finish_non_exhaustive()
    }
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
            refused: None,
        };
        limit.forget_quiet_addresses();
        Some(limit)
    }

    /// Has `listener` told of every request that is refused, whose it is. It is called while the request waits, inside
    /// the runtime, and must take no time.
    #[must_use]
    pub fn on_refusal(mut self, listener: impl Fn(ClientAddress) + Send + Sync + 'static) -> Self {
        self.refused = Some(Arc::new(listener));
        self
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
        const POLICY: &str = "client";
        if !(self.applies)(request) {
            return None;
        }
        Some(match self.limiter.check_key(&client.limit_key()) {
            Ok(state) => Ok(Allowance::left(
                POLICY,
                self.per_minute,
                state.remaining_burst_capacity(),
            )),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                if let Some(listener) = &self.refused {
                    listener(client);
                }
                let (policy, state) = fields(&[Allowance::used_up(POLICY, self.per_minute, wait)]);
                let problem = Problem::too_many_requests(Language::of(&request.headers), wait);
                Err(problem
                    .header(RATE_LIMIT_POLICY, policy)
                    .header(RATE_LIMIT, state))
            }
        })
    }
}

/// What a limit of requests a minute leaves to who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    policy: &'static str,
    per_minute: u32,
    remaining: u32,
    seconds: u64,
}

impl Allowance {
    /// So many requests are left of those that the policy of this name (a plain word) grants.
    #[must_use]
    pub fn left(policy: &'static str, per_minute: u32, remaining: u32) -> Self {
        let used = u64::from(per_minute - remaining.min(per_minute));
        Self {
            policy,
            per_minute,
            remaining,
            seconds: (used * 60).div_ceil(u64::from(per_minute.max(1))),
        }
    }

    /// None is left for so long.
    #[must_use]
    pub fn used_up(policy: &'static str, per_minute: u32, wait: Duration) -> Self {
        Self {
            policy,
            per_minute,
            remaining: 0,
            seconds: whole_seconds(wait),
        }
    }

    /// Requests that are left.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.remaining
    }
}

/// Where a handler leaves what limits of its own leave to who asks; the answer says it. In the extensions of the requests that
/// [`crate::StackSettings::handler_limits`] names.
#[derive(Clone, Debug, Default)]
pub struct Allowances(Arc<Mutex<Vec<Allowance>>>);

impl Allowances {
    /// Adds one; the last of a policy counts.
    pub fn add(&self, allowance: Allowance) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.policy != allowance.policy);
        all.push(allowance);
    }

    /// Tells the client, in the form of draft-ietf-httpapi-ratelimit-headers: the policies, and how many requests
    /// remain of each until the whole quota is back in `t` seconds.
    pub(crate) fn announce(&self, headers: &mut HeaderMap) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.is_empty() {
            let (policy, state) = fields(&all);
            headers.insert(RATE_LIMIT_POLICY, policy);
            headers.insert(RATE_LIMIT, state);
        }
    }
}

fn fields(all: &[Allowance]) -> (HeaderValue, HeaderValue) {
    let value = |one: &dyn Fn(&Allowance) -> String| {
        let text = all.iter().map(one).collect::<Vec<_>>().join(", ");
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    };
    (
        value(&|one| format!("\"{}\";q={};w=60", one.policy, one.per_minute)),
        value(&|one| format!("\"{}\";r={};t={}", one.policy, one.remaining, one.seconds)),
    )
}
