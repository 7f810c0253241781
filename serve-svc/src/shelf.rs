//! The live images that were asked for lately, in memory, so that a hot view asks nobody.
//!
//! # States
//! ```text
//!            Change::Listening: forget everything
//!   deaf ───────────────────────────────────────▶ listening ─┐ Change::Image, Album, Site: forget it, its images, all
//!    ▲                                                │   ▲  │
//!    └────────────────── Change::Deaf ────────────────┘   └──┘
//! ```
//! - **listening**: every change is told, so what is here is true. A miss asks Postgres, once however many wait for it.
//! - **deaf** (how it begins): a change may have been missed, so each request asks Postgres itself, for a moment
//!   ([`PATIENCE`]). What Postgres says holds. When it does not answer, what was known last is answered; it stays judged
//!   by its expiry (but for an image that views keep alive: nobody can say then that none did). For [`STILL_AWAY`] after such a failure nobody asks again: a request would only wait in vain.
//!
//! An image is read together with the policies that hold for it and kept with them, so a policy is as fresh as the image is in
//! every state: told of within milliseconds while listening, asked for with each view while deaf.
//!
//! What is not there is never remembered: an image that was just uploaded must answer.
//!
//! # Answers that come too late
//! INVARIANT: a row that was read before a change was told never gets onto the shelf after it. Each shard counts the
//! changes it was told; a question notes the count before it asks, and its answer is shelved only if the count is the
//! same, under the same lock under which a change counts and forgets. A question under way is forgotten by the same
//! stroke, so that whoever asks after the change asks anew.

mod flights;
mod ring;
mod shelved;

use std::{
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use catalog::{Catalog, Change, find_live_by_id, find_live_by_key};
use domain::{BlobKey, PublicId};
use jiff::Timestamp;
use process::Clock;

pub(crate) use ring::Ring;
pub(crate) use shelved::Shelved;

use crate::{embedding::Embeddings, figures::Figures};
use flights::Flights;

/// Images that are kept. One takes about half a KiB, so all of them stay well under 64 MiB.
const IMAGES: usize = 65_536;
/// Paths (`/?path=…`) whose image is kept in mind.
const PATHS: usize = 16_384;
/// So many cores can take something in at once.
const SHARDS: usize = 16;

/// How long a request waits for Postgres while what is on the shelf may be out of date.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long a request waits for Postgres when nothing is known.
const PATIENCE_ON_MISS: Duration = Duration::from_secs(3);
/// For how long Postgres is taken to be away after it did not answer.
const STILL_AWAY: Duration = Duration::from_millis(100);

/// An image as a URL names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// `/i/{id}`.
    Id(PublicId),
    /// `/?path=`: the oldest image over this blob that is shown.
    Key(BlobKey),
}

/// What is known of it.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// It is live, unless it has expired since.
    Image(Arc<Shelved>),
    /// There is none.
    Nothing,
    /// Nobody can say now.
    Away,
}

/// The shelf. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Shelf(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalog: Catalog,
    clock: Clock,
    figures: Figures,
    embeddings: Embeddings,
    listening: AtomicBool,
    /// Milliseconds of `began` until which Postgres is taken to be away.
    away_until: AtomicU64,
    began: Instant,
    paths: RwLock<Shard<BlobKey, PublicId>>,
    images: [RwLock<Shard<PublicId, Arc<Shelved>>>; SHARDS],
}

#[derive(Debug)]
struct Shard<K, V> {
    ring: Ring<K, V>,
    flights: Flights<K>,
    /// Changes that were told.
    changes: u64,
}

impl<K: std::hash::Hash + Eq + Clone, V> Shard<K, V> {
    fn new(capacity: usize) -> RwLock<Self> {
        RwLock::new(Self {
            ring: Ring::new(capacity),
            flights: Flights::default(),
            changes: 0,
        })
    }
}

impl Shelf {
    /// An empty shelf, deaf.
    pub(crate) fn new(catalog: Catalog, clock: Clock, figures: Figures, embeddings: Embeddings) -> Self {
        Self(Arc::new(Inner {
            catalog,
            clock,
            figures,
            embeddings,
            listening: AtomicBool::new(false),
            away_until: AtomicU64::new(0),
            began: Instant::now(),
            paths: Shard::new(PATHS),
            images: std::array::from_fn(|_| Shard::new(IMAGES / SHARDS)),
        }))
    }

    /// The image, from the shelf or from Postgres.
    pub(crate) async fn find(&self, wanted: &Wanted) -> Found {
        let found = self.look(wanted).await;
        // One that views keep alive is not over before every view that came before its end is known.
        if let Found::Image(image) = &found
            && let Some(wait) = image.unsettled(self.0.clock.now())
        {
            tokio::time::sleep(wait).await;
            return self.look(wanted).await;
        }
        found
    }

    async fn look(&self, wanted: &Wanted) -> Found {
        let now = self.0.clock.now();
        let known = self.known(wanted, now);
        if self.0.listening.load(Ordering::Acquire) {
            if let Some(image) = known.as_ref().filter(|image| !image.may_have_slid(now)) {
                self.0.figures.shelf_hits.inc();
                return Found::Image(Arc::clone(image));
            }
            self.0.figures.shelf_misses.inc();
            return match self.ask_together(wanted).await {
                Found::Away => remember(known, now),
                found => found,
            };
        }
        self.0.figures.shelf_misses.inc();
        let remembered = remember(known, now);
        if self.is_away() {
            return remembered;
        }
        match self.ask_now(wanted).await {
            Found::Away => {
                self.note_away();
                remembered
            }
            found => found,
        }
    }

    /// How many images are here.
    pub(crate) fn len(&self) -> usize {
        self.0.images.iter().map(|shard| read(shard).ring.len()).sum()
    }

    /// Whether every change is told.
    pub(crate) fn is_listening(&self) -> bool {
        self.0.listening.load(Ordering::Acquire)
    }

    /// Takes note of what the database tells.
    pub(crate) fn heed(&self, change: Change) {
        match change {
            Change::Image(public_id) => self.forget(public_id),
            Change::Album(album) => self.forget_album(album),
            Change::Site => self.forget_everything(),
            Change::Listening => {
                self.forget_everything();
                self.0.away_until.store(0, Ordering::Relaxed);
                self.0.listening.store(true, Ordering::Release);
                tracing::info!("listening for changes of images");
            }
            Change::Deaf => {
                if self.0.listening.swap(false, Ordering::AcqRel) {
                    tracing::warn!("not listening for changes of images: every view asks the database first");
                }
            }
        }
        self.0.figures.shelf_listening.set(i64::from(self.is_listening()));
    }

    /// Forgets an image, and whatever is being asked that it may be the answer to.
    pub(crate) fn forget(&self, public_id: PublicId) {
        let mut paths = write(&self.0.paths);
        paths.changes += 1;
        paths.flights.forget_all();
        let mut shard = write(self.shard(public_id));
        shard.changes += 1;
        shard.flights.forget(&public_id);
        if let Some(image) = shard.ring.remove(&public_id) {
            paths.ring.remove(&image.key);
        }
    }

    /// Forgets the images of an album, whose policy has changed: each is read anew, with its policies, when it is asked for.
    fn forget_album(&self, album: i64) {
        let mut paths = write(&self.0.paths);
        paths.changes += 1;
        paths.flights.forget_all();
        for shard in &self.0.images {
            let mut shard = write(shard);
            // Nobody knows yet which of the questions under way are about the album.
            shard.changes += 1;
            shard.flights.forget_all();
            shard.ring.retain(|image| image.album != album);
        }
    }

    fn forget_everything(&self) {
        let mut paths = write(&self.0.paths);
        paths.changes += 1;
        paths.flights.forget_all();
        paths.ring.clear();
        for shard in &self.0.images {
            let mut shard = write(shard);
            shard.changes += 1;
            shard.flights.forget_all();
            shard.ring.clear();
        }
    }

    /// What is on the shelf. A path leads only to an image that is shown at `now`: after it, another over the same bytes
    /// may answer.
    fn known(&self, wanted: &Wanted, now: Timestamp) -> Option<Arc<Shelved>> {
        let public_id = match wanted {
            Wanted::Id(public_id) => *public_id,
            Wanted::Key(key) => *read(&self.0.paths).ring.get(key)?,
        };
        let image = read(self.shard(public_id)).ring.get(&public_id)?.clone();
        match wanted {
            Wanted::Key(key) if image.key != *key || !image.is_shown_by_path(now) => None,
            _ => Some(image),
        }
    }

    /// Asks Postgres, or waits with those who asked it the same before.
    async fn ask_together(&self, wanted: &Wanted) -> Found {
        let ask = || self.spawn_load(wanted);
        let answer = match wanted {
            Wanted::Id(public_id) => write(self.shard(*public_id)).flights.join(public_id, ask),
            Wanted::Key(key) => write(&self.0.paths).flights.join(key, ask),
        };
        tokio::time::timeout(PATIENCE_ON_MISS, answer)
            .await
            .unwrap_or(Found::Away)
    }

    /// Asks Postgres, and does not lean on a question that somebody asked earlier.
    async fn ask_now(&self, wanted: &Wanted) -> Found {
        let answer = flights::landing(self.spawn_load(wanted));
        tokio::time::timeout(PATIENCE, answer)
            .await
            .unwrap_or(Found::Away)
    }

    /// Asks in a task of its own: a question whose asker has gone still gives its connection back in order.
    fn spawn_load(&self, wanted: &Wanted) -> flights::Flight {
        let (own, wanted) = (self.clone(), wanted.clone());
        flights::depart(async move { own.load(wanted).await })
    }

    async fn load(&self, wanted: Wanted) -> Found {
        let catalog = &self.0.catalog;
        let (changes, row) = match &wanted {
            Wanted::Id(public_id) => {
                let changes = read(self.shard(*public_id)).changes;
                (changes, find_live_by_id(catalog, *public_id).await)
            }
            Wanted::Key(key) => {
                let changes = read(&self.0.paths).changes;
                (changes, find_live_by_key(catalog, key, self.0.clock.now()).await)
            }
        };
        let found = match row {
            Ok(Some(image)) => {
                let image = Arc::new(Shelved::new(image, &self.0.embeddings));
                self.put(&wanted, &image, changes);
                Found::Image(image)
            }
            Ok(None) => {
                self.take_away(&wanted);
                Found::Nothing
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the database did not say which image is meant"
                );
                Found::Away
            }
        };
        match &wanted {
            Wanted::Id(public_id) => write(self.shard(*public_id)).flights.forget(public_id),
            Wanted::Key(key) => write(&self.0.paths).flights.forget(key),
        }
        found
    }

    /// Shelves an image unless a change was told since `changes`. Locks are taken in the order of
    /// [`forget`](Self::forget).
    fn put(&self, wanted: &Wanted, image: &Arc<Shelved>, changes: u64) {
        let public_id = image.public_id;
        match wanted {
            Wanted::Id(_) => {
                let mut shard = write(self.shard(public_id));
                if shard.changes == changes {
                    shard.ring.insert(public_id, image.clone(), 1);
                }
            }
            Wanted::Key(key) => {
                let mut paths = write(&self.0.paths);
                if paths.changes == changes {
                    write(self.shard(public_id))
                        .ring
                        .insert(public_id, image.clone(), 1);
                    paths.ring.insert(key.clone(), public_id, 1);
                }
            }
        }
    }

    fn take_away(&self, wanted: &Wanted) {
        match wanted {
            Wanted::Id(public_id) => drop(write(self.shard(*public_id)).ring.remove(public_id)),
            Wanted::Key(key) => drop(write(&self.0.paths).ring.remove(key)),
        }
    }

    fn is_away(&self) -> bool {
        self.milliseconds() < self.0.away_until.load(Ordering::Relaxed)
    }

    fn note_away(&self) {
        let until = self.milliseconds() + u64::try_from(STILL_AWAY.as_millis()).unwrap_or_default();
        self.0.away_until.store(until, Ordering::Relaxed);
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn shard(&self, public_id: PublicId) -> &RwLock<Shard<PublicId, Arc<Shelved>>> {
        // Ids are random, so any of their characters will do.
        let sum: usize = public_id.as_str().bytes().map(usize::from).sum();
        &self.0.images[sum % SHARDS]
    }
}

/// What is answered when Postgres is away: what was known last. Where views keep an image alive, nobody can say now that none did.
fn remember(known: Option<Arc<Shelved>>, now: Timestamp) -> Found {
    match known {
        Some(image) if image.may_have_slid(now) => Found::Image(Arc::new(image.kept(now))),
        Some(image) => Found::Image(image),
        None => Found::Away,
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests;
