//! What a service counts about itself, in Prometheus' words.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

/// From a tenth of a millisecond (a view from memory) to ten seconds (a large upload).
const BUCKETS: [f64; 14] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 2.5, 10.0,
];

/// The registry of one process and the series every HTTP service has:
///
/// - `http_request_duration_seconds{route,class}`: a histogram of the time to the reply's head; its `_count`
///   is the number of requests, so there is no counter beside it;
/// - `http_requests_refused_total{reason}`: `overload`, `rate`, `timeout` and `panic`;
/// - `http_requests_in_flight`: requests whose reply has not been sent to its end;
/// - `process_*`: memory, descriptors, CPU seconds, start time.
///
/// Cloning is cheap and shares everything.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    durations: HistogramVec,
    refused: IntCounterVec,
    in_flight: IntGauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// A registry with the series named above.
    ///
    /// # Panics
    /// Never: the names are constants and a test makes one.
    #[must_use]
    pub fn new() -> Self {
        let duration = "Time from a request's head to its reply's head.";
        let options = HistogramOpts::new("http_request_duration_seconds", duration).buckets(BUCKETS.to_vec());
        let durations = HistogramVec::new(options, &["route", "class"]).expect("a valid name");
        let options = Opts::new(
            "http_requests_refused_total",
            "Requests refused before or instead of a handler.",
        );
        let refused = IntCounterVec::new(options, &["reason"]).expect("a valid name");
        let in_flight = IntGauge::new(
            "http_requests_in_flight",
            "Requests whose reply is not sent to its end.",
        )
        .expect("a valid name");
        let metrics = Self {
            registry: Registry::new(),
            durations,
            refused,
            in_flight,
        };
        metrics
            .register(metrics.durations.clone())
            .expect("a name used once");
        metrics
            .register(metrics.refused.clone())
            .expect("a name used once");
        metrics
            .register(metrics.in_flight.clone())
            .expect("a name used once");
        metrics
            .register(ProcessCollector::for_self())
            .expect("a name used once");
        metrics
    }

    /// Adds a series of the service's own; an error where its name is taken.
    pub fn register(&self, collector: impl Collector + 'static) -> prometheus::Result<()> {
        self.registry.register(Box::new(collector))
    }

    /// The registry itself.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// All series as Prometheus' text format, version 0.0.4.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "cannot write the metrics");
        }
        String::from_utf8(text).unwrap_or_default()
    }

    pub(crate) fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.text()));
        let media_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        response
    }

    pub(crate) fn observe(&self, route: &'static str, status: StatusCode, took: Duration) {
        self.durations
            .with_label_values(&[route, class(status)])
            .observe(took.as_secs_f64());
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.with_label_values(&[reason]).inc();
    }

    pub(crate) fn in_flight(&self) -> &IntGauge {
        &self.in_flight
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
