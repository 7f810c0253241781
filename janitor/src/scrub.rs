//! Reads every blob again, and tells whose bytes are lost or changed.
//!
//! What is found is written down (`catalog::judge_blob`) after a second look with the blob's row locked, so that neither an upload that puts the
//! bytes right nor a sweep is taken for damage. From then on nothing of the blob is shown; the upload of the same bytes heals it.

mod pace;
mod round;

use std::time::Duration;

use catalog::{
    Damage, ExpectedBlob, ScrubPlace, Verdict, count_damaged, find_scrub_place, judge_blob,
    list_damaged_blobs, list_expected_blobs, save_scrub_place,
};
use domain::BlobKey;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{Error, Service};
use pace::Pace;

/// Rows that are read at once.
const ROWS: i64 = 100;
/// After so many bytes it is remembered how far it is: a janitor that was killed reads no more than this twice, and one file.
const STEP_BYTES: u64 = 256 << 20;
/// So many files that are lost in a row, without one that is there, are no damage but another store: a volume that is not mounted.
const STRANGE: usize = 16;
/// Damaged blobs that are told by name.
const MOST_NAMED: usize = 1_000;
/// How often it is looked whether there is something to read.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What a scrub has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scrubbed {
    /// Blobs that were read.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of them, those that are damaged.
    pub damaged: u64,
    /// Of these, those of which it was not known.
    pub found: u64,
    /// Those that were damaged, and are whole again.
    pub healed: u64,
    /// The first of the damaged ones, and how.
    pub damaged_keys: Vec<(BlobKey, Damage)>,
}

/// By hand: how much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What the round that is under way has not come to yet.
    RestOfRound,
    /// Everything.
    All,
}

impl Service {
    /// Reads while it leads, slowly, for ever. It may be dropped at any moment.
    pub(crate) async fn scrub_on(&self, stop: &CancellationToken) {
        loop {
            let outcome = if self.leads() && self.settings().scrub_period.is_some() {
                self.scrub_what_is_due(stop).await
            } else {
                Ok(())
            };
            if let Err(error) = outcome.and(self.measure_damage().await) {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the scrub has stopped; it goes on where it was"
                );
                self.measures().scrub_failed();
            }
            sleep(LOOK_EVERY.min(self.settings().interval)).await;
        }
    }

    async fn measure_damage(&self) -> Result<(), Error> {
        self.measures().damaged(count_damaged(self.catalog()).await?);
        Ok(())
    }

    /// Everything that is due by now.
    async fn scrub_what_is_due(&self, stop: &CancellationToken) -> Result<(), Error> {
        let Some(period) = self.settings().scrub_period else {
            return Ok(());
        };
        let mut speed = Pace::new(Some(self.settings().scrub_bytes_per_second));
        let (mut place, last) = find_scrub_place(self.catalog()).await?;
        let now = self.common_now().await;
        if let Some(right) = round::set_right(&place, last, now, period) {
            place = right;
        }
        let due = if let Some(due) = round::due(&place, last, now, period) {
            due
        } else {
            place = round::begin(&place, now);
            save_scrub_place(self.catalog(), &place).await?;
            self.measures().scrub_began(&place);
            round::due(&place, last, now, period).unwrap_or_default()
        };
        let mut found = Scrubbed::default();
        while self.leads() && !stop.is_cancelled() {
            if !self.scrub_step(&mut place, due, &mut speed, &mut found).await? {
                return Ok(());
            }
            save_scrub_place(self.catalog(), &place).await?;
        }
        Ok(())
    }

    /// By hand, as fast as it goes: what is known to be damaged first. `tell` hears how far it is, and of how many rows.
    pub async fn scrub(
        &self,
        extent: Extent,
        stop: &CancellationToken,
        mut tell: impl FnMut(&Scrubbed, i64, i64),
    ) -> Result<Scrubbed, Error> {
        let (mut speed, mut found) = (Pace::new(None), Scrubbed::default());
        let (began, (mut place, last)) = (self.now(), find_scrub_place(self.catalog()).await?);
        if extent == Extent::All {
            place = round::begin(&place, began);
        }
        self.look_at_the_damaged(place.after, &mut speed, &mut found)
            .await?;
        while !stop.is_cancelled() {
            if !self.scrub_step(&mut place, last, &mut speed, &mut found).await? {
                // All was read: the next round need not begin before its time.
                if !self.settings().pretend {
                    place.ended_at = Some(self.now());
                    place.began_at = Some(place.began_at.unwrap_or(began));
                    save_scrub_place(self.catalog(), &place).await?;
                }
                break;
            }
            if !self.settings().pretend {
                save_scrub_place(self.catalog(), &place).await?;
            }
            tell(&found, place.after, last);
        }
        Ok(found)
    }

    /// Those that stand up to the row `until`: those behind it come with the rest.
    async fn look_at_the_damaged(
        &self,
        until: i64,
        speed: &mut Pace,
        found: &mut Scrubbed,
    ) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let mut blobs = list_damaged_blobs(self.catalog(), after, ROWS).await?;
            blobs.retain(|blob| blob.id <= until);
            let Some(last) = blobs.last() else { return Ok(()) };
            after = last.id;
            let mut suspects = Vec::new();
            for blob in blobs {
                self.read(blob, speed, found, &mut suspects).await?;
            }
            self.judge(suspects, found).await?;
        }
    }

    /// Reads the next blobs up to the row `until`, some hundred megabytes of them. False where there is none.
    async fn scrub_step(
        &self,
        place: &mut ScrubPlace,
        until: i64,
        speed: &mut Pace,
        found: &mut Scrubbed,
    ) -> Result<bool, Error> {
        let blobs = list_expected_blobs(self.catalog(), place.after, until, ROWS).await?;
        let (before, mut bytes, mut suspects) = (found.blobs, 0, Vec::new());
        for blob in blobs {
            place.after = blob.id;
            bytes += blob.size_bytes;
            self.read(blob, speed, found, &mut suspects).await?;
            if bytes >= STEP_BYTES {
                break;
            }
        }
        let read = found.blobs - before;
        let are_lost = suspects.iter().all(|(_, damage)| *damage == Some(Damage::Lost));
        if suspects.len() >= STRANGE && suspects.len() as u64 == read && are_lost {
            return Err(Error::OtherStore);
        }
        place.blobs += read;
        place.bytes += bytes;
        self.judge(suspects, found).await?;
        if !self.settings().pretend {
            self.measures().scrubbed(read, bytes);
        }
        Ok(read > 0)
    }

    /// Reads one, and remembers it if it is not as its row says, or not as was said of it.
    async fn read(
        &self,
        blob: ExpectedBlob,
        speed: &mut Pace,
        found: &mut Scrubbed,
        suspects: &mut Vec<(ExpectedBlob, Option<Damage>)>,
    ) -> Result<(), Error> {
        let damage = self.look(&blob, speed).await?;
        found.blobs += 1;
        found.bytes += blob.size_bytes;
        if damage.is_some() || blob.damage.is_some() {
            suspects.push((blob, damage));
        }
        Ok(())
    }

    async fn look(&self, blob: &ExpectedBlob, speed: &mut Pace) -> Result<Option<Damage>, Error> {
        let mut wait = |bytes| speed.spend(bytes);
        let examined = self
            .remover()
            .examine(&blob.key, blob.size_bytes, &mut wait)
            .await?;
        Ok(match examined {
            blobs::Examined::Gone => Some(Damage::Lost),
            blobs::Examined::OtherLength(_) => Some(Damage::Length),
            blobs::Examined::Unreadable => Some(Damage::Unreadable),
            blobs::Examined::Bytes { md5, sha256 } => {
                (md5 != blob.md5 || sha256 != blob.sha256).then_some(Damage::Bytes)
            }
        })
    }

    async fn judge(
        &self,
        suspects: Vec<(ExpectedBlob, Option<Damage>)>,
        found: &mut Scrubbed,
    ) -> Result<(), Error> {
        for (blob, suspicion) in suspects {
            let verdict = if self.settings().pretend {
                suspicion.map_or(Verdict::Whole, |damage| Verdict::Damaged {
                    damage,
                    is_new: blob.damage.is_none(),
                    images: Vec::new(),
                })
            } else {
                let look = || async { self.look(&blob, &mut Pace::new(None)).await };
                judge_blob::<Error, _>(self.catalog(), blob.id, self.now(), look).await?
            };
            note(blob, verdict, found);
        }
        Ok(())
    }
}

fn note(blob: ExpectedBlob, verdict: Verdict, found: &mut Scrubbed) {
    match verdict {
        Verdict::Swept => {}
        Verdict::Whole => found.healed += u64::from(blob.damage.is_some()),
        Verdict::Damaged {
            damage,
            is_new,
            images,
        } => {
            if is_new {
                found.found += 1;
                let images: Vec<&str> = images.iter().map(domain::PublicId::as_str).collect();
                tracing::error!(
                    key = %blob.key,
                    md5 = %blob.md5,
                    damage = damage.as_str(),
                    ?images,
                    "a blob is damaged and is not shown any more: send the same file again, or put it back from a backup (berth restore DIR --only)"
                );
            }
            found.damaged += 1;
            if found.damaged_keys.len() < MOST_NAMED {
                found.damaged_keys.push((blob.key, damage));
            }
        }
    }
}
