use http_kit::Metrics;
use prometheus::{IntCounter, IntCounterVec, Opts};

/// What upload-svc counts beside requests.
#[derive(Debug, Clone)]
pub(crate) struct Measures {
    uploads: IntCounterVec,
    bytes: IntCounter,
    variants: IntCounterVec,
}

impl Measures {
    pub(crate) fn new(metrics: &Metrics) -> prometheus::Result<Self> {
        let uploads = IntCounterVec::new(
            Opts::new(
                "berth_uploads_total",
                "Files that were sent, by what became of them: uploaded, existing, or the code of the refusal.",
            ),
            &["result"],
        )?;
        let bytes = IntCounter::new(
            "berth_upload_bytes_total",
            "Bytes of files that were published or found there.",
        )?;
        let variants = IntCounterVec::new(
            Opts::new(
                "berth_variants_total",
                "Variants that were due, by what became of them: made, put_off, or why there will be none.",
            ),
            &["result"],
        )?;
        metrics.register(variants.clone())?;
        metrics.register(uploads.clone())?;
        metrics.register(bytes.clone())?;
        Ok(Self {
            uploads,
            bytes,
            variants,
        })
    }

    pub(crate) fn taken(&self, result: &'static str, bytes: u64) {
        self.uploads.with_label_values(&[result]).inc();
        self.bytes.inc_by(bytes);
    }

    pub(crate) fn derived(&self, result: &'static str, variants: usize) {
        self.variants.with_label_values(&[result]).inc_by(variants as u64);
    }

    pub(crate) fn refused(&self, code: &'static str) {
        self.uploads.with_label_values(&[code]).inc();
    }
}
