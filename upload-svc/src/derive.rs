//! The last step of an upload, after its reply: *derive*. Variants that are due are claimed in the database, rendered in a
//! decoder process, put beside their blob and written down.
//!
//! The queue is the table `variant` itself: an upload's thumbnail is wished for in the transaction that publishes it, the
//! rest by serve-svc when somebody asks. A process that dies loses nothing, for its claim ends by itself; what can't be
//! rendered is given up with its reason, and never tried again.

use std::{path::Path, sync::Arc, time::Duration};

use blobs::DerivedFile;
use catalog::{
    Derived, DueVariants, NewVariant, claim_due_variants, keep_variants, put_variants_off, watch_wishes,
};
use domain::{VariantFormat, VariantKey};
use futures_util::future::join_all;
use imaging::{DecoderLimits, Decoders, NotRenderable, Output, RenderedFiles, Spec, Undone};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::Service;

/// For how long what was claimed is ours: more than a decoder may take, waiting for its turn included.
const LEASE: Duration = Duration::from_mins(2);
/// How often is looked for what was put off, or wished for while nobody listened.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long to wait when the database is away.
const AWAY: Duration = Duration::from_secs(2);
/// Between the first try and the second; then twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// Tries of a picture whose decoder died or took too long, which the machine may be to blame for.
const MOST_TRIES: u16 = 3;
/// How long is waited for a blob whose file is lost: the next upload of its bytes puts it back.
const LOST_PAUSE: Duration = Duration::from_hours(1);

/// Who derives.
#[derive(Debug)]
pub(crate) struct Deriver {
    jobs: usize,
    decoders: Decoders,
    wishes: Notify,
}

impl Deriver {
    pub(crate) fn new(jobs: usize, program: &Path) -> Self {
        let limits = DecoderLimits {
            program: program.to_owned(),
            // Rendering keeps pixels that inspecting only looks at, and encodes them.
            memory_bytes: 240 << 20,
            cpu: Duration::from_secs(20),
            wall: Duration::from_mins(1),
            at_once: jobs,
        };
        Self {
            jobs,
            decoders: Decoders::new(limits),
            wishes: Notify::new(),
        }
    }

    /// Says that something may be due: an upload was just published.
    pub(crate) fn wake(&self) {
        self.wishes.notify_one();
    }
}

/// Derives variants until `stop`; what is under way then is due again later.
pub(crate) async fn derive_until(service: &Service, stop: CancellationToken) {
    let deriver = service.deriver();
    if deriver.jobs == 0 {
        return;
    }
    let watching = watch_wishes(service.catalog(), || deriver.wake());
    let working = join_all((0..deriver.jobs).map(|_| work(service)));
    let _stopped = stop
        .run_until_cancelled(async { tokio::join!(watching, working) })
        .await;
}

async fn work(service: &Service) {
    loop {
        match claim_due_variants(service.catalog(), service.now(), LEASE).await {
            Ok(Some(due)) => {
                // There may be more: another worker needn't wait for this one.
                service.deriver().wake();
                derive(service, due).await;
            }
            Ok(None) => {
                let _woken_or_time =
                    tokio::time::timeout(LOOK_EVERY, service.deriver().wishes.notified()).await;
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "can't tell which variants are due; trying again"
                );
                tokio::time::sleep(AWAY).await;
            }
        }
    }
}

/// What was made of a blob, with its files and where they go.
type Rendered = (Derived, Vec<(DerivedFile, VariantKey)>);

/// Not this time, and why.
struct PutOff {
    pause: Duration,
    reason: String,
}

impl PutOff {
    fn because(due: &DueVariants, error: &dyn std::error::Error) -> Self {
        Self {
            pause: FIRST_PAUSE * 2u32.pow(u32::from(due.tries).min(8)),
            reason: error.to_string(),
        }
    }
}

async fn derive(service: &Service, due: DueVariants) {
    let outcome = match render(service, &due).await {
        Ok(rendered) => keep(service, &due, rendered).await,
        Err(put_off) => Err(put_off),
    };
    let Err(PutOff { pause, reason }) = outcome else {
        return;
    };
    service.measures().derived("put_off", due.wanted.len());
    tracing::warn!(key = %due.key, reason, again_in = ?pause, "variants could not be derived");
    if let Err(error) = put_variants_off(service.catalog(), &due, service.now(), pause).await {
        // The lease ends by itself.
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "variants could not be put off"
        );
    }
}

async fn render(service: &Service, due: &DueVariants) -> Result<Rendered, PutOff> {
    let blob = service.writer().at_hand(&due.key).await;
    let blob = blob.map_err(|error| PutOff::because(due, &error))?;
    let Some(blob) = blob else {
        return Err(PutOff {
            pause: LOST_PAUSE,
            reason: "the blob's file is lost".to_owned(),
        });
    };
    let (mut files, mut outputs) = (Vec::new(), Vec::new());
    for &(width, format) in &due.wanted {
        let file = service.writer().stage_derived();
        let file = file.map_err(|error| PutOff::because(due, &error))?;
        let spec = Spec { width, format };
        outputs.push(Output {
            spec,
            path: file.path().to_owned(),
        });
        files.push((spec, file));
    }
    match service
        .deriver()
        .decoders
        .render(blob.path().to_owned(), outputs)
        .await
    {
        Ok(Ok(rendered)) => measure(due, rendered, files).map_err(|error| PutOff::because(due, &error)),
        Ok(Err(reason)) => {
            tracing::info!(key = %due.key, %reason, "no variants of this picture");
            Ok((none(due, word(&reason)), Vec::new()))
        }
        // What the decoder died of, or took too long for, may be the machine's fault.
        Err(Undone::File(reason)) if due.tries + 1 >= MOST_TRIES => {
            tracing::warn!(key = %due.key, %reason, "no variants of this picture: its decoder failed each time");
            Ok((none(due, "decoder_failed"), Vec::new()))
        }
        Err(undone) => Err(PutOff::because(due, &undone)),
    }
}

/// None of what was wanted, for this reason.
fn none(due: &DueVariants, reason: &'static str) -> Derived {
    Derived {
        none: due
            .wanted
            .iter()
            .map(|&(width, format)| (width, format, reason))
            .collect(),
        ..Derived::default()
    }
}

fn word(reason: &NotRenderable) -> &'static str {
    match reason {
        NotRenderable::Unsupported(_) => "unsupported",
        NotRenderable::NoPicture => "no_picture",
        NotRenderable::TooLarge { .. } => "too_large",
        NotRenderable::Broken(_) => "broken",
        NotRenderable::NotEncodable(_) => "not_encodable",
    }
}

/// What the decoder wrote, measured by ourselves.
fn measure(
    due: &DueVariants,
    rendered: RenderedFiles,
    files: Vec<(Spec, DerivedFile)>,
) -> Result<Rendered, blobs::Error> {
    let mut derived = Derived {
        thumbhash: Some(rendered.essence.thumbhash),
        dominant_color: Some(rendered.essence.dominant),
        ..Derived::default()
    };
    let mut kept = Vec::new();
    for (spec, file) in files {
        let made = rendered.made.iter().find(|made| made.spec == spec);
        let Some(made) = made else {
            derived
                .none
                .push((spec.width, spec.format, "original_is_narrower"));
            continue;
        };
        let (size_bytes, sha256) = file.measure()?;
        if size_bytes == 0 {
            derived.none.push((spec.width, spec.format, "not_encodable"));
            continue;
        }
        derived.made.push(NewVariant {
            named_width: spec.width,
            format: spec.format,
            dimensions: (made.width, made.height),
            size_bytes,
            sha256,
        });
        kept.push((file, VariantKey::new(&due.key, spec.width, spec.format)));
    }
    Ok((derived, kept))
}

async fn keep(service: &Service, due: &DueVariants, (derived, files): Rendered) -> Result<(), PutOff> {
    let (catalog, writer, blob_id) = (service.catalog().clone(), service.writer().clone(), due.blob_id);
    let key = due.key.clone();
    // A task of its own, as for publishing: files are put in place only while the blob is locked.
    let keeping = tokio::spawn(async move {
        let place = |kept: Vec<(u32, VariantFormat)>| async move {
            let kept: Vec<_> = kept
                .into_iter()
                .map(|(width, format)| VariantKey::new(&key, width, format))
                .collect();
            // What finds no room is dropped with its file.
            for (file, key) in files.into_iter().filter(|(_, key)| kept.contains(key)) {
                let published = writer.publish_variant(Arc::new(file), key).await;
                published.map_err(std::io::Error::other)?;
            }
            Ok::<_, std::io::Error>(())
        };
        keep_variants(&catalog, blob_id, derived, place).await
    });
    let kept = keeping.await.map_err(|panic| PutOff::because(due, &panic))?;
    let Some(kept) = kept.map_err(|error| PutOff::because(due, &error))? else {
        tracing::debug!(key = %due.key, "swept before its variants were kept");
        return Ok(());
    };
    service.measures().derived("made", kept.made.len());
    for (_, _, reason) in &kept.none {
        service.measures().derived(reason, 1);
    }
    Ok(())
}
