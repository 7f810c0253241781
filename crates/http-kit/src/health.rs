//! Is the process alive, and can it do its work? Answered on a port of its own, beside `/metrics`.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, join_all};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;
use warp::filters::BoxedFilter;
use warp::{Filter, Reply};

use crate::listen::Listener;
use crate::metrics::Metrics;
use crate::routes::{get_or_head, one_of, warp_service};
use crate::server::{ConnectionLimits, ServeOutcome, serve};

type CheckFn = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The named checks that say whether a process is ready. Cloning shares them.
#[derive(Clone, Default)]
pub struct Health {
    checks: Vec<Check>,
}

#[derive(Clone)]
struct Check {
    name: &'static str,
    deadline: Duration,
    run: CheckFn,
}

impl fmt::Debug for Health {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_list()
            .entries(self.checks.iter().map(|check| check.name))
            .finish()
    }
}

impl Health {
    /// No checks: always ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check. `run` says what is wrong in words for the operator; longer than `deadline` is wrong too.
    #[must_use]
    pub fn check<F, R>(mut self, name: &'static str, deadline: Duration, run: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        let run: CheckFn = Arc::new(move || Box::pin(run()));
        self.checks.push(Check { name, deadline, run });
        self
    }

    /// These checks and the others: for a process that holds two services.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.checks.extend(other.checks);
        self
    }

    /// Runs all checks at once: whether every one passed, and
    /// `{"status":"ready"|"not ready","checks":{NAME:{"ok":bool,"ms":1.2,"error":…}}}`.
    pub async fn report(&self) -> (bool, Value) {
        let outcomes = join_all(self.checks.iter().map(Check::outcome)).await;
        let ready = outcomes.iter().all(|(_, ok, _)| *ok);
        let checks: Map<String, Value> = outcomes
            .into_iter()
            .map(|(name, _, outcome)| (name.to_owned(), outcome))
            .collect();
        let status = if ready { "ready" } else { "not ready" };
        (ready, json!({ "status": status, "checks": checks }))
    }
}

impl Check {
    async fn outcome(&self) -> (&'static str, bool, Value) {
        let began = Instant::now();
        let result = match tokio::time::timeout(self.deadline, (self.run)()).await {
            Ok(result) => result,
            Err(_) => Err(format!("no answer within {} ms", self.deadline.as_millis())),
        };
        let milliseconds = (began.elapsed().as_secs_f64() * 10_000.0).round() / 10.0;
        let outcome = match &result {
            Ok(()) => json!({ "ok": true, "ms": milliseconds }),
            Err(error) => json!({ "ok": false, "ms": milliseconds, "error": error }),
        };
        (self.name, result.is_ok(), outcome)
    }
}

/// `/health/live`, `/health/ready` and `/metrics`.
#[must_use]
pub fn operations_routes(health: Health, metrics: Metrics) -> BoxedFilter<(warp::reply::Response,)> {
    let live = warp::path!("health" / "live")
        .and(get_or_head())
        .map(|| warp::reply::json(&json!({ "status": "alive" })).into_response())
        .boxed();
    let ready = warp::path!("health" / "ready")
        .and(get_or_head())
        .then(move || {
            let health = health.clone();
            async move {
                let (ready, report) = health.report().await;
                let status = if ready {
                    http::StatusCode::OK
                } else {
                    http::StatusCode::SERVICE_UNAVAILABLE
                };
                warp::reply::with_status(warp::reply::json(&report), status).into_response()
            }
        })
        .boxed();
    let figures = warp::path!("metrics")
        .and(get_or_head())
        .map(move || metrics.response().into_response())
        .boxed();
    one_of(vec![live, ready, figures])
}

/// Serves [`operations_routes`] until `stop`. SECURITY: it tells strangers how we are; keep its port private.
pub async fn serve_operations(
    listener: Listener,
    health: Health,
    metrics: Metrics,
    stop: CancellationToken,
) -> ServeOutcome {
    let limits = ConnectionLimits {
        connections: 64,
        drain: Duration::from_secs(1),
        ..ConnectionLimits::default()
    };
    serve(
        listener,
        warp_service(operations_routes(health, metrics)),
        limits,
        stop,
    )
    .await
}
