use catalog::ScrubPlace;
use http_kit::Metrics;
use jiff::Timestamp;
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts};

use crate::{Done, Pass};

/// What the janitor counts.
#[derive(Debug, Clone)]
pub(crate) struct Measures {
    passes: IntCounterVec,
    images_expired: IntCounter,
    blobs_swept: IntCounter,
    bytes_swept: IntCounter,
    images_forgotten: IntCounter,
    staging_purged: IntCounter,
    leader: IntGauge,
    last_success: IntGauge,
    purges: IntCounterVec,
    purges_waiting: IntGauge,
    blobs_scrubbed: IntCounter,
    bytes_scrubbed: IntCounter,
    blobs_damaged: IntGauge,
    scrub_ended: IntGauge,
}

impl Measures {
    pub(crate) fn new(metrics: &Metrics) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            metrics.register(counter.clone()).map(|()| counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            metrics.register(gauge.clone()).map(|()| gauge)
        };
        let passes = IntCounterVec::new(
            Opts::new(
                "berth_janitor_passes_total",
                "Passes, by which and by how they went: ok or failed.",
            ),
            &["pass", "outcome"],
        )?;
        metrics.register(passes.clone())?;
        let purges = IntCounterVec::new(
            Opts::new(
                "berth_janitor_purges_total",
                "URLs that caches were told to forget: ok or failed; and images that were given_up.",
            ),
            &["outcome"],
        )?;
        metrics.register(purges.clone())?;
        Ok(Self {
            passes,
            images_expired: counter(
                "berth_janitor_images_expired_total",
                "Images written off because their time was over.",
            )?,
            blobs_swept: counter("berth_janitor_blobs_swept_total", "Blobs whose bytes were freed.")?,
            bytes_swept: counter("berth_janitor_bytes_swept_total", "Bytes that those blobs had.")?,
            images_forgotten: counter(
                "berth_janitor_images_forgotten_total",
                "Ended images whose rows were removed after the grace.",
            )?,
            staging_purged: counter(
                "berth_janitor_staging_purged_total",
                "Abandoned staging files that were removed.",
            )?,
            leader: gauge(
                "berth_janitor_leader",
                "1 while this janitor is the one that works.",
            )?,
            last_success: gauge(
                "berth_janitor_last_success_timestamp_seconds",
                "When all passes last went well, in seconds since 1970; 0 before the first time.",
            )?,
            blobs_scrubbed: counter(
                "berth_janitor_blobs_scrubbed_total",
                "Blobs that were read again and held against their digests.",
            )?,
            bytes_scrubbed: counter(
                "berth_janitor_bytes_scrubbed_total",
                "Bytes that those blobs have.",
            )?,
            blobs_damaged: gauge(
                "berth_janitor_blobs_damaged",
                "Blobs whose bytes are known to be lost or changed, and that are not healed.",
            )?,
            scrub_ended: gauge(
                "berth_janitor_scrub_round_timestamp_seconds",
                "When all blobs had last been read, in seconds since 1970; 0 before the first time, or where another janitor knows.",
            )?,
            purges,
            purges_waiting: gauge(
                "berth_janitor_purges_waiting",
                "Images whose URLs caches are still to be told to forget.",
            )?,
        })
    }

    pub(crate) fn passed(&self, pass: Pass, is_ok: bool) {
        let outcome = if is_ok { "ok" } else { "failed" };
        self.passes.with_label_values(&[pass.as_str(), outcome]).inc();
    }

    pub(crate) fn done(&self, done: &Done) {
        self.images_expired.inc_by(done.images_expired);
        self.blobs_swept.inc_by(done.blobs_swept);
        self.bytes_swept.inc_by(done.bytes_swept);
        self.images_forgotten.inc_by(done.images_forgotten);
        self.staging_purged.inc_by(done.staging_purged);
    }

    pub(crate) fn purged(&self, outcome: &str) {
        self.purges.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn purges_wait(&self, images: i64) {
        self.purges_waiting.set(images);
    }

    pub(crate) fn scrubbed(&self, blobs: u64, bytes: u64) {
        self.blobs_scrubbed.inc_by(blobs);
        self.bytes_scrubbed.inc_by(bytes);
    }

    pub(crate) fn scrub_failed(&self) {
        self.passes.with_label_values(&["scrub", "failed"]).inc();
    }

    pub(crate) fn scrub_began(&self, place: &ScrubPlace) {
        let ended = place.ended_at.map_or(0, Timestamp::as_second);
        self.scrub_ended.set(ended);
    }

    pub(crate) fn damaged(&self, blobs: u64) {
        self.blobs_damaged.set(i64::try_from(blobs).unwrap_or(i64::MAX));
    }

    pub(crate) fn succeeded(&self, now: Timestamp) {
        self.last_success.set(now.as_second());
    }

    pub(crate) fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }
}
