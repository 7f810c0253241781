//! Tells the shared caches in front of us, a CDN say, to forget the URLs of images that have changed or ended.
//!
//! Berth's own answers let a shared cache keep a public picture only to ask before each use. This is for caches that were told to
//! do otherwise. What they are to forget is written down by the change itself (`migrations/V63__purges.sql`); here each URL is told,
//! at least once: a claim lasts for [`CLAIM`], then the row is due again, whether its janitor was killed or the cache was away. Any
//! number of janitors may do it at once.

mod hook;
mod urls;

use std::{sync::Arc, time::Duration};

use catalog::{
    Catalog, Purge, claim_purges, count_purges, finish_purge, give_purge_up, put_purge_off, set_purge_hook,
    spread_purges,
};
use jiff::{SignedDuration, Timestamp};
use process::Clock;
use tokio::{task::JoinSet, time::sleep};

pub use hook::{InvalidHook, PurgeHook};
pub use urls::Addresses;

use crate::measures::Measures;
use hook::Caller;

/// Images that are told of at once. The URLs of one image are told one after the other.
const AT_ONCE: i64 = 8;
/// Rows that are made of what was written down for many images, at a time.
const SPREAD: i64 = 1_000;
/// How often it is looked whether there is something to tell.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// For how long a claim is its claimer's alone.
const CLAIM: SignedDuration = SignedDuration::from_secs(60);
/// How long the URLs of one image may take; what is left is put off. Shorter than a claim, so that no two tell the same at once.
const PATIENCE: Duration = Duration::from_secs(45);
/// After so many tries, over some forty minutes, an image is given up.
const TRIES: u32 = 12;
/// The longest pause between two tries.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(600);

/// Tells one hook of everything.
#[derive(Debug, Clone)]
pub(crate) struct Purger {
    catalog: Catalog,
    clock: Clock,
    measures: Measures,
    told: Option<Arc<Told>>,
}

#[derive(Debug)]
struct Told {
    caller: Caller,
    addresses: Addresses,
}

impl Purger {
    pub(crate) fn new(
        catalog: Catalog,
        clock: Clock,
        measures: Measures,
        hook: Option<PurgeHook>,
        addresses: Addresses,
    ) -> Self {
        let told = hook.map(|hook| {
            Arc::new(Told {
                caller: Caller::new(hook),
                addresses,
            })
        });
        Self {
            catalog,
            clock,
            measures,
            told,
        }
    }

    /// Tells for ever, if there is anybody to be told. It may be dropped at any moment: what was under way is told again.
    pub(crate) async fn run(&self) {
        while let Err(error) = set_purge_hook(&self.catalog, self.told.is_some()).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "can't say whether caches are to be told of changes; trying again"
            );
            sleep(LOOK_EVERY).await;
        }
        let Some(told) = &self.told else { return };
        tokio::select! {
            () = self.catalog.follow_readers() => {}
            () = self.tell_on(told) => {}
        }
    }

    async fn tell_on(&self, told: &Arc<Told>) {
        loop {
            match self.tell_some(told).await {
                Ok(true) => {}
                Ok(false) => sleep(LOOK_EVERY).await,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "can't read what caches are to forget; trying again"
                    );
                    sleep(LOOK_EVERY).await;
                }
            }
        }
    }

    /// Tells of up to [`AT_ONCE`] images. True where there may be more that can't wait.
    async fn tell_some(&self, told: &Arc<Told>) -> Result<bool, catalog::Error> {
        let is_spread = spread_purges(&self.catalog, SPREAD).await?;
        let now = self.clock.now();
        let until = now.checked_add(CLAIM).unwrap_or(now);
        let claimed = claim_purges(&self.catalog, AT_ONCE, now, until).await?;
        let is_full = i64::try_from(claimed.len()) == Ok(AT_ONCE);
        if !claimed.is_empty() {
            // A cache that has forgotten asks again at once, and must not be given what was there before.
            self.catalog.until_heard().await;
        }
        let mut telling = JoinSet::new();
        for purge in claimed {
            let (own, told) = (self.clone(), Arc::clone(told));
            telling.spawn(async move { own.tell(&told, purge).await });
        }
        while let Some(done) = telling.join_next().await {
            if let Ok(Err(error)) = done {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "what caches have forgotten could not be written down; they will be told again"
                );
            }
        }
        let waiting = count_purges(&self.catalog).await?;
        self.measures
            .purges_wait(i64::try_from(waiting).unwrap_or(i64::MAX));
        Ok(is_full || is_spread)
    }

    async fn tell(&self, told: &Told, purge: Purge) -> Result<(), catalog::Error> {
        let urls = purge.urls.clone().unwrap_or_else(|| told.addresses.of(&purge));
        let mut left = urls.clone();
        let mut reason = String::new();
        let telling = async {
            for url in &urls {
                match told.caller.call(url).await {
                    Ok(()) => {
                        self.measures.purged("ok");
                        left.retain(|own| own != url);
                    }
                    Err(error) => {
                        self.measures.purged("failed");
                        reason = error.to_string();
                    }
                }
            }
        };
        if tokio::time::timeout(PATIENCE, telling).await.is_err() {
            "it takes too long".clone_into(&mut reason);
        }
        if left.is_empty() {
            return finish_purge(&self.catalog, purge.id).await;
        }
        let (image, tries) = (&purge.public_id, purge.tries);
        let now = self.clock.now();
        if tries >= TRIES {
            tracing::error!(image, urls = ?left, reason, tries, "a cache was not told to forget these URLs, and nobody tries again");
            self.measures.purged("given_up");
            return give_purge_up(&self.catalog, &purge, &left, &reason, now).await;
        }
        tracing::warn!(image, urls = ?left, reason, tries, "a cache was not told to forget these URLs; trying again");
        put_purge_off(&self.catalog, purge.id, &left, next_try(tries, now)).await
    }
}

/// A second, two, four, and so on.
fn next_try(tries: u32, now: Timestamp) -> Timestamp {
    let pause = SignedDuration::from_secs(1_i64 << tries.saturating_sub(1).min(30));
    now.checked_add(pause.min(LONGEST_PAUSE)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_twice_the_one_before_up_to_ten_minutes() {
        let now: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let mut all = 0;
        for (tries, seconds) in [
            (1, 1),
            (2, 2),
            (5, 16),
            (10, 512),
            (11, 600),
            (12, 600),
            (99, 600),
        ] {
            let pause = next_try(tries, now).duration_since(now).as_secs();
            assert_eq!(pause, seconds, "after {tries}");
        }
        for tries in 1..TRIES {
            all += next_try(tries, now).duration_since(now).as_secs();
        }
        assert_eq!(all / 60, 27);
    }
}
