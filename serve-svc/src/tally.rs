//! Views that are counted and not yet in the database.
//!
//! Counts stand in a [journal](journal), a file mapped into memory, until the [fold](fold) takes them into Postgres, once a
//! second. A view that was answered is in the journal, and the journal outlives the process: [ADR
//! 0030](../../docs/adr/0030-view-journal.md).

mod counts;
pub(crate) mod fold;
mod journal;
mod page;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{Counted, ReferringSite};
use jiff::Timestamp;

use self::{
    counts::Counts,
    journal::{Adopted, HALVES, Journal, SHARDS, Unfit},
    page::{Addition, Corrupt, Entry, Fill, Kind, Site},
};
use crate::figures::Figures;

const SECONDS_A_DAY: i64 = 24 * 60 * 60;

/// Counts of every image, by day and by site.
#[derive(Debug)]
pub(crate) struct Tally {
    shards: [Mutex<Shard>; SHARDS],
    journals: Mutex<Journals>,
    /// Where journals are; none where counts are kept in memory alone.
    folder: Option<PathBuf>,
    figures: Figures,
}

/// Where a shard counts now.
#[derive(Debug)]
struct Shard {
    journal: Arc<Journal>,
    half: usize,
    fill: Fill,
}

#[derive(Debug)]
struct Journals {
    live: Arc<Journal>,
    half: usize,
    /// A half of the live one that is to be folded, whole and under its own epoch, until it is known to be in the database.
    sealed: Option<Arc<Sealed>>,
    /// Full ones, and those of processes that are gone: nobody counts into them any more.
    waiting: Vec<Arc<Journal>>,
}

#[derive(Debug)]
struct Sealed {
    journal: Arc<Journal>,
    half: usize,
    epoch: u64,
    /// The places that are taken, by shard.
    slots: Vec<Vec<u16>>,
}

impl Tally {
    /// Counts into a new journal in `folder`; into memory where that can't be made, which is told.
    pub(crate) fn open(folder: Option<&Path>, figures: Figures) -> std::io::Result<Self> {
        let live = Arc::new(new_journal(folder, &figures)?);
        let shard = |_| {
            Mutex::new(Shard {
                journal: live.clone(),
                half: 0,
                fill: Fill::default(),
            })
        };
        Ok(Self {
            shards: std::array::from_fn(shard),
            journals: Mutex::new(Journals {
                live: live.clone(),
                half: 0,
                sealed: None,
                waiting: Vec::new(),
            }),
            folder: folder.map(Path::to_owned),
            figures,
        })
    }

    /// Counts one answer for an image (its row), for which so many bytes were sent. Afterwards it survives this process.
    pub(crate) fn count(
        &self,
        image: i64,
        counted: Counted,
        site: &ReferringSite<'_>,
        now: Timestamp,
        bytes: u64,
    ) {
        let Ok(image) = u64::try_from(image) else {
            return;
        };
        let (kind, times) = match counted {
            Counted::View => (Kind::View, 1),
            Counted::Part => (Kind::View, 0),
            Counted::Bot => (Kind::Bot, 1),
            Counted::Refusal => (Kind::Refusal, 1),
        };
        let addition = Addition {
            image,
            day: i32::try_from(now.as_second().div_euclid(SECONDS_A_DAY)).unwrap_or_default(),
            kind,
            times,
            bytes,
            at: now.as_microsecond(),
        };
        let site = match site {
            ReferringSite::Unnamed => Site::Unnamed,
            ReferringSite::Unreadable => Site::Other,
            ReferringSite::Host { name, .. } => Site::Host(name.as_ref()),
        };
        let place = usize::try_from(image).unwrap_or_default() % SHARDS;
        loop {
            let full = {
                let shard = &mut *lock(&self.shards[place]);
                let page = shard.journal.page(place, shard.half);
                match page.add(&mut shard.fill, &addition, &site) {
                    Ok(()) => return,
                    Err(page::Full) => shard.journal.clone(),
                }
            };
            if !self.turn_over(&full) {
                self.figures.journal_lost.inc();
                return;
            }
        }
    }

    /// Whether nothing is left to be folded.
    pub(crate) fn is_empty(&self) -> bool {
        let journals = lock(&self.journals);
        journals.sealed.is_none()
            && journals.waiting.is_empty()
            && self.shards.iter().all(|shard| lock(shard).fill.slots.is_empty())
    }

    /// Whether what is counted survives this process.
    pub(crate) fn is_durable(&self) -> bool {
        lock(&self.journals).live.is_durable()
    }

    /// Lays a full journal by and goes on in a new one. False where there is none to be had.
    fn turn_over(&self, full: &Arc<Journal>) -> bool {
        let mut journals = lock(&self.journals);
        if !Arc::ptr_eq(&journals.live, full) {
            return true;
        }
        let fresh = match new_journal(self.folder.as_deref(), &self.figures) {
            Ok(fresh) => Arc::new(fresh),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "no journal is left to count views in"
                );
                return false;
            }
        };
        tracing::warn!(
            "the journal of views is full; it waits to be folded, and counting goes on in another"
        );
        self.figures.set_aside("full");
        for shard in &self.shards {
            *lock(shard) = Shard {
                journal: fresh.clone(),
                half: 0,
                fill: Fill::default(),
            };
        }
        // Whatever of it is under way is known by its epoch, so it is folded from the beginning.
        journals.sealed = None;
        journals.half = 0;
        let full = std::mem::replace(&mut journals.live, fresh);
        journals.waiting.push(full);
        true
    }

    /// Takes over the journals of processes that are gone, and sets aside those that nobody can read.
    pub(crate) fn adopt(&self) -> std::io::Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        for path in Journal::list(folder)? {
            match Journal::adopt(&path)? {
                Adopted::Ours(journal) => {
                    tracing::warn!(journal = %path.display(), "a process has left views to be folded");
                    lock(&self.journals).waiting.push(Arc::new(journal));
                }
                Adopted::Theirs => {}
                Adopted::Unfit(unfit) => self.set_aside(&path, unfit),
            }
        }
        Ok(())
    }

    fn set_aside(&self, path: &Path, unfit: Unfit) {
        self.figures.set_aside(unfit.as_str());
        match Journal::set_aside(path) {
            Ok(aside) => {
                tracing::error!(reason = %unfit, aside = %aside.display(), "a journal of views can't be read; it was set aside");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, reason = %unfit, journal = %path.display(), "a journal of views can't be read, nor set aside");
            }
        }
    }

    /// The half that is to be folded next: the one whose fold is not known to have happened, else what was counted since.
    fn seal(&self) -> Option<Arc<Sealed>> {
        let mut journals = lock(&self.journals);
        if journals.sealed.is_none() {
            if self.shards.iter().all(|shard| lock(shard).fill.slots.is_empty()) {
                return None;
            }
            let (half, live) = (journals.half, journals.live.clone());
            let (other, epoch) = ((half + 1) % HALVES, live.epoch(half));
            // INVARIANT: the other half is empty: it was cleared when its fold was known to have happened.
            live.set_epoch(other, epoch + 1);
            let turn = |shard: &Mutex<Shard>| {
                let mut shard = lock(shard);
                shard.half = other;
                std::mem::take(&mut shard.fill).slots
            };
            journals.half = other;
            journals.sealed = Some(Arc::new(Sealed {
                slots: self.shards.iter().map(turn).collect(),
                journal: live,
                half,
                epoch,
            }));
        }
        journals.sealed.clone()
    }

    /// The half is in the database: it can be counted into again. False where its journal was laid by meanwhile; whoever folds
    /// that finds its epoch in the database.
    fn unseal(&self, sealed: &Arc<Sealed>) -> bool {
        let mut journals = lock(&self.journals);
        let current = journals.sealed.as_ref();
        let is_ours = current.is_some_and(|current| Arc::ptr_eq(current, sealed));
        if is_ours {
            for (shard, slots) in sealed.slots.iter().enumerate() {
                sealed.journal.page(shard, sealed.half).clear(slots);
            }
            journals.sealed = None;
        }
        is_ours
    }

    /// A journal that nobody counts into any more.
    fn first_waiting(&self) -> Option<Arc<Journal>> {
        let journals = lock(&self.journals);
        let waiting = i64::try_from(journals.waiting.len()).unwrap_or(i64::MAX);
        self.figures.journals_waiting.set(waiting);
        journals.waiting.first().cloned()
    }

    fn forget(&self, journal: &Arc<Journal>) {
        lock(&self.journals)
            .waiting
            .retain(|waiting| !Arc::ptr_eq(waiting, journal));
    }

    /// The live journal, for its end.
    fn live(&self) -> Arc<Journal> {
        lock(&self.journals).live.clone()
    }
}

impl Sealed {
    fn counts(&self) -> Result<Counts, Corrupt> {
        let mut entries = Vec::new();
        for (shard, slots) in self.slots.iter().enumerate() {
            entries.extend(self.journal.page(shard, self.half).read(slots)?);
        }
        Ok(Counts::of(entries))
    }
}

/// A file, or memory where no file can be made.
fn new_journal(folder: Option<&Path>, figures: &Figures) -> std::io::Result<Journal> {
    let made = match folder {
        Some(folder) => Journal::create(folder, process::random()).inspect_err(|error| {
            let folder = folder.display().to_string();
            let error = error as &dyn std::error::Error;
            tracing::error!(
                error,
                folder,
                "no journal of views can be made; until the next start a killed process loses its last second"
            );
        }),
        None => Err(std::io::ErrorKind::NotFound.into()),
    };
    figures.journal_in_memory.set(i64::from(made.is_err()));
    made.or_else(|_| Journal::in_memory(process::random()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
