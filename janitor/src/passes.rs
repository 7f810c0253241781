mod expire;
mod purge_uploads;
mod records;
mod rollup;
mod sweep;
mod variants;

use std::{
    sync::atomic::{AtomicBool, AtomicI64},
    time::Duration,
};

use blobs::BlobRemover;
use catalog::Catalog;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::JanitorSettings;

/// Rows in one batch: enough that the cost of a transaction does not matter, few enough that their locks are held for some tens
/// of milliseconds.
const BATCH: u32 = 1_000;

/// One kind of cleaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Writes off images whose time is over.
    Expire,
    /// Frees the bytes of blobs that nothing links to, and forgets images that ended, after the grace.
    Sweep,
    /// Removes what killed uploads left in the staging folder, and uploads in pieces that nobody goes on with.
    PurgeUploads,
    /// Forgets events, sessions and kept answers that are over, and finishes deletions of accounts.
    Records,
    /// Keeps what is told about usage short.
    Rollup,
    /// Wishes for thumbnails that are missing, and for variants whose files are lost.
    Variants,
}

impl Pass {
    /// All of them, in the order in which they run: what expires now is swept now where there is no grace.
    pub const ALL: [Self; 6] = [
        Self::Expire,
        Self::Sweep,
        Self::PurgeUploads,
        Self::Records,
        Self::Rollup,
        Self::Variants,
    ];

    /// Its name in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expire => "expire",
            Self::Sweep => "sweep",
            Self::PurgeUploads => "purge_uploads",
            Self::Records => "records",
            Self::Rollup => "rollup",
            Self::Variants => "variants",
        }
    }
}

/// What was done, or would have been by a janitor that only pretends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    /// Images that were written off because their time was over.
    pub images_expired: u64,
    /// Blobs whose bytes were freed.
    pub blobs_swept: u64,
    /// Bytes that they had.
    pub bytes_swept: u64,
    /// Images that ended longer ago than the grace and whose rows were removed, beside those that went with their blob. A
    /// janitor that pretends does not count them.
    pub images_forgotten: u64,
    /// Abandoned staging files and uploads in pieces that were removed.
    pub staging_purged: u64,
    /// Bytes that they had.
    pub staging_bytes: u64,
    /// Events, sessions and kept answers whose rows were removed. A janitor that pretends does not count them.
    pub records_forgotten: u64,
    /// Thumbnails that were missing, and variants whose files were lost; they are being made. A janitor that pretends does not count them.
    pub variants_wished: u64,
}

/// Why a pass stopped before its end. What it had done by then is done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rows could not be read or changed.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// The store could not be read.
    #[error(transparent)]
    Blobs(#[from] blobs::Error),
    /// Every file of many in a row is lost: that is another store.
    #[error("none of many blobs in a row is in the store: is its volume mounted?")]
    OtherStore,
    /// The thread that worked on the store panicked.
    #[error("the thread that works on the store has died")]
    Thread(#[from] tokio::task::JoinError),
}

/// What a pass works with.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) remover: &'a BlobRemover,
    pub(crate) settings: &'a JanitorSettings,
    /// The last blob that was looked at for missing thumbnails.
    pub(crate) blobs_walked: &'a AtomicI64,
    /// The last blob whose variants' files were looked for.
    pub(crate) variants_walked: &'a AtomicI64,
    /// The day, as its year and its number in it, on which the days on which images were last seen were last made into months.
    pub(crate) periods_merged_on: &'a AtomicI64,
    /// Whether the round before reached the database.
    pub(crate) is_steady: &'a AtomicBool,
    /// The instant by which all of the pass is judged.
    pub(crate) now: Timestamp,
    /// Cancelled: end after this batch.
    pub(crate) stop: &'a CancellationToken,
}

impl Work<'_> {
    /// Runs a pass to its end, adding what it does to `done` as it goes.
    pub(crate) async fn run(&self, pass: Pass, done: &mut Done) -> Result<(), Error> {
        match pass {
            Pass::Expire => expire::run(self, done).await,
            Pass::Sweep => sweep::run(self, done).await,
            Pass::PurgeUploads => purge_uploads::run(self, done).await,
            Pass::Records => records::run(self, done).await,
            Pass::Rollup => rollup::run(self, done).await,
            Pass::Variants => variants::run(self, done).await,
        }
    }

    /// The instant this long ago; the beginning of the calendar where there was none.
    fn ago(&self, age: Duration) -> Timestamp {
        SignedDuration::try_from(age)
            .ok()
            .and_then(|age| self.now.checked_sub(age).ok())
            .unwrap_or(Timestamp::MIN)
    }

    /// Whether to go on after a batch of this many rows.
    fn is_more(&self, rows: u64) -> bool {
        rows >= u64::from(BATCH) && !self.stop.is_cancelled()
    }
}
