use domain::hotlink::{Decision, Verdict};
use http_kit::Metrics;
use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts};

/// What serve-svc counts about itself. Cloning shares the figures.
///
/// - `berth_views_total{decision,reason}`: requests for images; `decision` is `allowed`, `refused`, `would_refuse` (a dry run: it was
///   shown), `missing` or `unavailable`,
///   `reason` is the rule of the hotlink policy that decided;
/// - `berth_view_bytes_total`: bytes of images that were sent, or that nginx was told to send;
/// - `berth_shelf_images`, `berth_shelf_lookups_total{result}`: `result` is `hit` or `miss`;
/// - `berth_shelf_listening`: 1 while every change of an image is told, 0 while the database is asked for each view;
/// - `berth_fold_rows_total`, `berth_fold_failures_total`: counts folded into the database;
/// - `berth_journal_in_memory`: 1 while no journal could be made and counts die with the process; `berth_journals_waiting`: those of
///   processes that are gone, and full ones, that are still to be folded;
/// - `berth_journals_set_aside_total{reason}`: `full` ones wait to be folded; `corrupt` ones and those of another `version` nobody
///   can read;
/// - `berth_views_uncounted_total`: views that no journal had room for;
/// - `berth_blobs_missing_total`: views of images whose file is not there;
/// - `berth_serve_database_connections{state}`: `open`, and of these `busy`.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    views: IntCounterVec,
    pub(crate) view_bytes: IntCounter,
    pub(crate) shelf_images: IntGauge,
    pub(crate) shelf_hits: IntCounter,
    pub(crate) shelf_misses: IntCounter,
    pub(crate) shelf_listening: IntGauge,
    pub(crate) fold_rows: IntCounter,
    pub(crate) fold_failures: IntCounter,
    pub(crate) journal_in_memory: IntGauge,
    pub(crate) journals_waiting: IntGauge,
    pub(crate) journal_lost: IntCounter,
    journals_set_aside: IntCounterVec,
    pub(crate) blobs_missing: IntCounter,
    pub(crate) connections_open: IntGauge,
    pub(crate) connections_busy: IntGauge,
}

impl Figures {
    /// Registers every series; an error where a name is taken.
    pub(crate) fn new(metrics: &Metrics) -> prometheus::Result<Self> {
        let views = IntCounterVec::new(
            Opts::new("berth_views_total", "Requests for images."),
            &["decision", "reason"],
        )?;
        let lookups = IntCounterVec::new(
            Opts::new("berth_shelf_lookups_total", "Images looked for on the shelf."),
            &["result"],
        )?;
        let connections = IntGaugeVec::new(
            Opts::new(
                "berth_serve_database_connections",
                "Connections of serve-svc's pool.",
            ),
            &["state"],
        )?;
        let figures = Self {
            view_bytes: IntCounter::new("berth_view_bytes_total", "Bytes of images that were sent.")?,
            shelf_images: IntGauge::new("berth_shelf_images", "Images on the shelf.")?,
            shelf_hits: lookups.with_label_values(&["hit"]),
            shelf_misses: lookups.with_label_values(&["miss"]),
            shelf_listening: IntGauge::new(
                "berth_shelf_listening",
                "Whether every change of an image is told.",
            )?,
            fold_rows: IntCounter::new("berth_fold_rows_total", "Counts folded into the database.")?,
            fold_failures: IntCounter::new(
                "berth_fold_failures_total",
                "Folds that failed and will be tried again.",
            )?,
            journal_in_memory: IntGauge::new(
                "berth_journal_in_memory",
                "Whether counts die with the process.",
            )?,
            journals_waiting: IntGauge::new(
                "berth_journals_waiting",
                "Journals that nobody counts into and that are still to be folded.",
            )?,
            journal_lost: IntCounter::new(
                "berth_views_uncounted_total",
                "Views that no journal had room for.",
            )?,
            journals_set_aside: IntCounterVec::new(
                Opts::new("berth_journals_set_aside_total", "Journals that were set aside."),
                &["reason"],
            )?,
            blobs_missing: IntCounter::new(
                "berth_blobs_missing_total",
                "Views of images whose file is not there.",
            )?,
            connections_open: connections.with_label_values(&["open"]),
            connections_busy: connections.with_label_values(&["busy"]),
            views,
        };
        metrics.register(figures.views.clone())?;
        metrics.register(lookups)?;
        metrics.register(connections)?;
        metrics.register(figures.view_bytes.clone())?;
        metrics.register(figures.shelf_images.clone())?;
        metrics.register(figures.shelf_listening.clone())?;
        metrics.register(figures.fold_rows.clone())?;
        metrics.register(figures.fold_failures.clone())?;
        metrics.register(figures.journal_in_memory.clone())?;
        metrics.register(figures.journals_waiting.clone())?;
        metrics.register(figures.journal_lost.clone())?;
        metrics.register(figures.journals_set_aside.clone())?;
        metrics.register(figures.blobs_missing.clone())?;
        Ok(figures)
    }

    /// Counts what the hotlink policy decided; `dry_run` where a refusal is not carried out.
    pub(crate) fn decided(&self, decision: &Decision<'_>, dry_run: bool) {
        let word = match decision.verdict {
            Verdict::Allow => "allowed",
            Verdict::Refuse if dry_run => "would_refuse",
            Verdict::Refuse => "refused",
        };
        self.views
            .with_label_values(&[word, decision.reason.as_str()])
            .inc();
    }

    /// Counts a journal that was set aside.
    pub(crate) fn set_aside(&self, reason: &'static str) {
        self.journals_set_aside.with_label_values(&[reason]).inc();
    }

    /// Counts a request that came with a good signature: the policy was not asked.
    pub(crate) fn signed(&self) {
        self.views.with_label_values(&["allowed", "signed"]).inc();
    }

    /// Counts a request for an image that is not there, or not any more.
    pub(crate) fn missing(&self, reason: &'static str) {
        self.views.with_label_values(&["missing", reason]).inc();
    }

    /// Counts a request that nobody could answer now.
    pub(crate) fn unavailable(&self, reason: &'static str) {
        self.views.with_label_values(&["unavailable", reason]).inc();
    }
}
