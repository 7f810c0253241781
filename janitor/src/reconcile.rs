use std::time::{Duration, SystemTime};

use catalog::{LinkedBlob, find_strangers, is_linked, list_linked_blobs, remove_stranger};
use domain::BlobKey;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::{Error, Service};

/// Younger files are not looked at: uploads under way are files before they are rows.
const SETTLED: Duration = Duration::from_hours(24);
/// Files, or rows, that are asked about at once.
const BATCH: i64 = 1_000;
/// Lost files that are told by name.
const MOST_NAMED: usize = 1_000;

/// What the store and the rows say of each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconciled {
    /// Folders of the store that were walked, of 256.
    pub folders: u16,
    /// Files older than a day that were looked up.
    pub files: u64,
    /// Those of which no row speaks. They take space, and nobody ever sees them.
    pub strangers: u64,
    /// Their bytes.
    pub stranger_bytes: u64,
    /// Those that were removed.
    pub removed: u64,
    /// Files whose names no blob has. They are left alone.
    pub odd: u64,
    /// Rows of live images' bytes whose files were looked for.
    pub rows: u64,
    /// Those whose file is not there, or has another length.
    pub lost: u64,
    /// Where the first of them should be.
    pub lost_keys: Vec<BlobKey>,
}

impl Service {
    /// Holds the store against the rows, both ways. With `removes` it removes the files of which no row speaks; rows it never
    /// touches: bytes that are lost are healed by uploading them again. `tell` hears how far it is.
    pub async fn reconcile(
        &self,
        removes: bool,
        stop: &CancellationToken,
        mut tell: impl FnMut(&Reconciled),
    ) -> Result<Reconciled, Error> {
        let mut found = Reconciled::default();
        for folder in 0..=u8::MAX {
            if stop.is_cancelled() {
                return Ok(found);
            }
            self.look_through(folder, removes, &mut found).await?;
            found.folders += 1;
            tell(&found);
        }
        let mut after = 0;
        while !stop.is_cancelled() {
            let blobs = list_linked_blobs(self.catalog(), after, BATCH).await?;
            let Some(last) = blobs.last() else { break };
            after = last.id;
            self.look_for(blobs, &mut found).await?;
            tell(&found);
        }
        Ok(found)
    }

    async fn look_through(&self, folder: u8, removes: bool, found: &mut Reconciled) -> Result<(), Error> {
        let before = settled_before(self.now());
        let stored = self.remover().stored_files(folder, before).await?;
        found.odd += stored.odd;
        found.files += stored.settled.len() as u64;
        for files in stored
            .settled
            .chunks(usize::try_from(BATCH).unwrap_or(usize::MAX))
        {
            let keys: Vec<BlobKey> = files.iter().map(|(key, _)| key.clone()).collect();
            for key in find_strangers(self.catalog(), &keys).await? {
                let bytes = files
                    .iter()
                    .find(|(own, _)| *own == key)
                    .map_or(0, |(_, bytes)| *bytes);
                found.strangers += 1;
                found.stranger_bytes += bytes;
                if removes {
                    found.removed += u64::from(self.remove(key).await?);
                }
            }
        }
        Ok(())
    }

    async fn remove(&self, key: BlobKey) -> Result<bool, Error> {
        let own = key.clone();
        let remove = || async {
            let outcome = self.remover().remove(own, Vec::new()).await;
            if let Err(error) = &outcome {
                tracing::warn!(
                    error = error as &dyn std::error::Error,
                    "a file without a row could not be removed"
                );
            }
            outcome.is_ok()
        };
        Ok(remove_stranger(self.catalog(), &key, remove).await?)
    }

    async fn look_for(&self, blobs: Vec<LinkedBlob>, found: &mut Reconciled) -> Result<(), Error> {
        found.rows += blobs.len() as u64;
        let wanted = blobs
            .iter()
            .map(|blob| (blob.key.clone(), blob.size_bytes))
            .collect();
        let held = self.remover().hold(wanted).await?;
        let lost = blobs.into_iter().zip(held).filter(|(_, is_held)| !is_held);
        for (blob, _) in lost {
            // It may have been swept since its row was read.
            if is_linked(self.catalog(), blob.id).await? {
                found.lost += 1;
                if found.lost_keys.len() < MOST_NAMED {
                    found.lost_keys.push(blob.key);
                }
            }
        }
        Ok(())
    }
}

fn settled_before(now: Timestamp) -> SystemTime {
    let age = SignedDuration::try_from(SETTLED).unwrap_or_default();
    SystemTime::from(now.checked_sub(age).unwrap_or(Timestamp::MIN))
}
