use std::sync::Arc;

use catalog::{Catalog, Fold, fold_counts, forget_journal};
use jiff::Timestamp;

use super::{Corrupt, Counts, HALVES, Journal, SHARDS, Tally, Unfit};

/// Takes what is counted into the database: first what waits in journals of processes that are gone, each half under its own
/// epoch, then what was counted here. What fails is there the next time.
///
/// It may be dropped at any moment, and the connection may break between Postgres's commit and its word of it: the epoch,
/// which the same transaction writes down, tells the next try that it has nothing to do.
pub(crate) async fn fold(tally: &Tally, catalog: &Catalog, now: Timestamp) -> Result<(), catalog::Error> {
    let outcome = fold_all(tally, catalog, now).await;
    if outcome.is_err() {
        tally.figures.fold_failures.inc();
    }
    outcome
}

async fn fold_all(tally: &Tally, catalog: &Catalog, now: Timestamp) -> Result<(), catalog::Error> {
    while let Some(journal) = tally.first_waiting() {
        fold_left(tally, catalog, &journal, now).await?;
    }
    let Some(sealed) = tally.seal() else {
        return Ok(());
    };
    if let Ok(counts) = sealed.counts() {
        send(tally, catalog, &sealed.journal, sealed.epoch, counts, now).await?;
    } else {
        tracing::error!(
            "the journal of views holds what was never written; the last second of views is lost"
        );
        tally.figures.set_aside(Unfit::Corrupt.as_str());
    }
    tally.unseal(&sealed);
    Ok(())
}

/// Ends the journal of this process: when all of it is in the database, nothing of it is left.
pub(crate) async fn close(tally: &Tally, catalog: &Catalog) -> Result<(), catalog::Error> {
    end(&tally.live(), catalog).await
}

/// Folds a whole journal that nobody counts into any more, and removes it.
async fn fold_left(
    tally: &Tally,
    catalog: &Catalog,
    journal: &Arc<Journal>,
    now: Timestamp,
) -> Result<(), catalog::Error> {
    let mut halves: Vec<usize> = (0..HALVES).filter(|half| journal.epoch(*half) > 0).collect();
    // INVARIANT: in the order of their epochs, for the database only knows the last.
    halves.sort_by_key(|half| journal.epoch(*half));
    for half in halves {
        let Ok(counts) = all_of(journal, half) else {
            tally.forget(journal);
            if let Some(path) = journal.path() {
                tally.set_aside(path, Unfit::Corrupt);
            }
            return Ok(());
        };
        send(tally, catalog, journal, journal.epoch(half), counts, now).await?;
    }
    tally.forget(journal);
    end(journal, catalog).await
}

fn all_of(journal: &Journal, half: usize) -> Result<Counts, Corrupt> {
    let mut entries = Vec::new();
    for shard in 0..SHARDS {
        entries.extend(journal.page(shard, half).read_all()?);
    }
    Ok(Counts::of(entries))
}

async fn send(
    tally: &Tally,
    catalog: &Catalog,
    journal: &Journal,
    epoch: u64,
    counts: Counts,
    now: Timestamp,
) -> Result<(), catalog::Error> {
    let rows = counts.days.len() as u64;
    if rows == 0 {
        return Ok(());
    }
    let fold = Fold {
        journal: journal.id(),
        epoch,
        days: counts.days,
        referrers: counts.referrers,
    };
    if fold_counts(catalog, fold, now).await? {
        tally.figures.fold_rows.inc_by(rows);
    }
    Ok(())
}

/// First the file, then the row: a row without a file is nothing, but a file without its row would be folded again.
async fn end(journal: &Journal, catalog: &Catalog) -> Result<(), catalog::Error> {
    match journal.remove() {
        Ok(()) => forget_journal(catalog, journal.id()).await,
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, path = ?journal.path(), "a journal that is folded can't be removed");
            Ok(())
        }
    }
}
