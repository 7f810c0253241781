use catalog::{Catalog, DayCount, fold_counts};

use super::Tally;
use crate::figures::Figures;

/// Takes the counts of `tally` into the database, all of them in one transaction. When that fails, or is dropped half-way,
/// they are in the tally again.
///
/// When the connection breaks between Postgres's commit and its word of it, a batch is counted twice; the journal's
/// epoch will tell.
pub(crate) async fn fold(tally: &Tally, catalog: &Catalog, figures: &Figures) -> Result<(), catalog::Error> {
    let mut batch = Batch {
        tally,
        counts: tally.take(),
    };
    let rows = batch.counts.len();
    if rows == 0 {
        return Ok(());
    }
    let folded = fold_counts(catalog, batch.counts.clone()).await;
    if folded.is_ok() {
        batch.counts.clear();
        figures.fold_rows.inc_by(rows as u64);
    } else {
        figures.fold_failures.inc();
    }
    folded
}

/// Counts that are on their way. What is left in it goes back when it is dropped.
struct Batch<'a> {
    tally: &'a Tally,
    counts: Vec<DayCount>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.tally.put_back(&self.counts);
    }
}

#[cfg(test)]
mod tests {
    use http_kit::Metrics;
    use jiff::Timestamp;

    use super::*;
    use crate::shelf::tests::nowhere;

    #[tokio::test]
    async fn a_fold_that_fails_loses_nothing() {
        let (tally, figures) = (Tally::default(), Figures::new(&Metrics::new()).unwrap());
        tally.count(1, Timestamp::UNIX_EPOCH, 10);
        tally.count(1, Timestamp::UNIX_EPOCH, 10);
        for failures in 1..=3 {
            assert!(fold(&tally, &nowhere(), &figures).await.is_err());
            assert_eq!(figures.fold_failures.get(), failures);
        }
        let counts = tally.take();
        assert_eq!((counts[0].views, counts[0].bytes), (2, 20));
    }

    #[tokio::test]
    async fn a_fold_that_is_dropped_half_way_loses_nothing() {
        let (tally, figures) = (Tally::default(), Figures::new(&Metrics::new()).unwrap());
        tally.count(1, Timestamp::UNIX_EPOCH, 10);
        // A server that takes the connection and never says a word.
        let folder = tempfile::tempdir().unwrap();
        let _silent = std::os::unix::net::UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let settings = catalog::CatalogSettings {
            url: format!("host={} user=nobody dbname=nothing", folder.path().display()),
            connections: 1,
            application_name: "test",
        };
        let catalog = Catalog::new(&settings).unwrap();
        {
            let mut folding = std::pin::pin!(fold(&tally, &catalog, &figures));
            let begun = std::future::poll_fn(|context| {
                std::task::Poll::Ready(folding.as_mut().poll(context).is_pending())
            });
            assert!(begun.await, "it should have to wait for the database");
        }
        assert_eq!(tally.take().len(), 1);
    }
}
