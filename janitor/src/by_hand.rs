//! What a person asks the janitor for: done once, told on standard output.

use std::time::Duration;

use blobs::BlobRemover;
use http_kit::Metrics;
use process::Clock;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    Extent, JanitorSettings, Reconciled, Scrubbed, Service, report, report_reconciled, report_scrubbed,
};

/// Runs every pass once and prints what was done on standard output. Fails with the first pass that failed.
pub async fn run_once_and_report(
    settings: &JanitorSettings,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let service = Service::new(settings, Clock::system(), &Metrics::new())?;
    let round = service.run_once(&stop).await;
    print!("{}", report(&round, settings.pretend));
    match round.failures.into_iter().next() {
        Some((_, error)) => Err(error.into()),
        None => Ok(()),
    }
}

/// Holds the store against the rows, tells on standard error how far it is, and prints what it found on standard output. Fails when
/// bytes are lost.
pub async fn reconcile_and_report(
    settings: &JanitorSettings,
    removes: bool,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    /// Steps between two lines.
    const STEPS: u32 = 32;
    let service = Service::new(settings, Clock::system(), &Metrics::new())?;
    let mut steps = 0;
    let tell = |found: &Reconciled| {
        steps += 1;
        if steps % STEPS == 0 {
            eprintln!(
                "{}/{} folders, {} files, {} rows",
                found.folders,
                BlobRemover::FOLDERS,
                found.files,
                found.rows
            );
        }
    };
    let removes = removes && !settings.pretend;
    let found = service.reconcile(removes, &stop, tell).await?;
    print!("{}", report_reconciled(&found, removes));
    match (found.lost, stop.is_cancelled()) {
        (_, true) => Err("stopped before the end; what is told above is what was seen by then".into()),
        (0, false) => Ok(()),
        (lost, false) => {
            Err(format!("the bytes of {lost} live images or more are lost: send them again").into())
        }
    }
}

/// Reads blobs again, tells on standard error how far it is, and prints what it found on standard output. Fails when any is damaged.
pub async fn scrub_and_report(
    settings: &JanitorSettings,
    all: bool,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    /// Between two lines.
    const PAUSE: Duration = Duration::from_secs(5);
    const MEGABYTE: u64 = 1_000_000;
    let service = Service::new(settings, Clock::system(), &Metrics::new())?;
    let (began, mut told) = (Instant::now(), Instant::now());
    let tell = |found: &Scrubbed, at: i64, last: i64| {
        if told.elapsed() >= PAUSE {
            told = Instant::now();
            let (megabytes, seconds) = (found.bytes / MEGABYTE, began.elapsed().as_secs().max(1));
            eprintln!(
                "row {at} of {last}: {} blobs, {megabytes} MB, {} MB/s, {} damaged",
                found.blobs,
                megabytes / seconds,
                found.damaged
            );
        }
    };
    let extent = if all { Extent::All } else { Extent::RestOfRound };
    let found = service.scrub(extent, &stop, tell).await?;
    print!("{}", report_scrubbed(&found));
    match (found.damaged, stop.is_cancelled()) {
        (_, true) => Err("stopped before the end; the next one goes on where this one was".into()),
        (0, false) => Ok(()),
        (damaged, false) => Err(format!(
            "{damaged} blobs are damaged and are not shown: send the same files again, or put them back from a backup"
        )
        .into()),
    }
}
