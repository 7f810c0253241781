//! Janitors that run, beside each other or one after the other.

use std::time::Duration;

use http_kit::Metrics;
use janitor::Service;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::rig::{Rig, metric};

/// One.
pub(crate) struct Janitor {
    pub(crate) metrics: Metrics,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Janitor {
    pub(crate) fn start(rig: &Rig) -> Self {
        let mut settings = rig.settings();
        settings.interval = Duration::from_millis(20);
        let (metrics, stop) = (Metrics::new(), CancellationToken::new());
        let service = Service::new(&settings, rig.clock.clock(), &metrics).unwrap();
        let task = tokio::spawn(service.run(stop.clone()));
        Self { metrics, stop, task }
    }

    pub(crate) fn leads(&self) -> bool {
        metric(&self.metrics, "berth_janitor_leader") > 0.5
    }

    pub(crate) fn rounds(&self) -> f64 {
        metric(
            &self.metrics,
            "berth_janitor_passes_total{outcome=\"ok\",pass=\"expire\"}",
        )
    }

    /// Blobs that it has read again.
    pub(crate) fn scrubbed(&self) -> f64 {
        metric(&self.metrics, "berth_janitor_blobs_scrubbed_total")
    }

    /// Waits for its end, and gives what it had counted.
    pub(crate) async fn stop(mut self) -> Metrics {
        self.stop.cancel();
        (&mut self.task).await.unwrap();
        assert!(!self.leads());
        self.metrics
    }
}
