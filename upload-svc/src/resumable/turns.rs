use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{PublicId, ResumeRefusal};
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

/// How long whoever comes next waits for the one before to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who writes to which upload in this process: one at a time, and who comes next makes the one before stop. A client whose
/// connection broke comes back long before the server has noticed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<PublicId, Arc<Slot>>>>);

#[derive(Debug, Default)]
struct Slot {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Of the one whose turn it is.
    stop: Mutex<CancellationToken>,
}

/// Being the one who writes.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    id: PublicId,
    /// Cancelled when somebody else wants to go on.
    pub(super) stop: CancellationToken,
    _guard: OwnedMutexGuard<()>,
}

impl Turns {
    fn slots(&self) -> MutexGuard<'_, HashMap<PublicId, Arc<Slot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops whoever writes, and takes the turn when it has stopped.
    pub(super) async fn take(&self, id: PublicId) -> Result<Turn, ResumeRefusal> {
        let slot = Arc::clone(self.slots().entry(id).or_default());
        slot.stop.lock().unwrap_or_else(PoisonError::into_inner).cancel();
        let waiting = tokio::time::timeout(PATIENCE, Arc::clone(&slot.turn).lock_owned());
        let outcome = waiting.await;
        let stop = CancellationToken::new();
        let turn = outcome.map(|guard| {
            slot.stop
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone_from(&stop);
            Turn {
                turns: self.clone(),
                id,
                stop,
                _guard: guard,
            }
        });
        drop(slot);
        turn.map_err(|_| {
            self.tidy(id);
            ResumeRefusal::Held { wait: super::LEASE }
        })
    }

    /// Forgets an upload that nobody wants any more.
    fn tidy(&self, id: PublicId) {
        let mut slots = self.slots();
        // Whoever waits holds the slot, too; new ones come by the lock that is held here.
        if slots
            .get(&id)
            .is_some_and(|slot| Arc::strong_count(slot) == 1 && slot.turn.try_lock().is_ok())
        {
            slots.remove(&id);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // The guard is dropped after this: whether anybody else is there is told by who holds the slot.
        let mut slots = self.turns.slots();
        if slots
            .get(&self.id)
            .is_some_and(|slot| Arc::strong_count(slot) == 1)
        {
            slots.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_next_makes_the_one_before_stop_and_nothing_is_left_behind() {
        let turns = Turns::default();
        let id: PublicId = "7h9KzQm2xRfW".parse().unwrap();
        let first = turns.take(id).await.unwrap();
        let next = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(id).await.unwrap() }
        });
        first.stop.cancelled().await;
        assert!(!next.is_finished());
        drop(first);
        let second = next.await.unwrap();
        assert!(!second.stop.is_cancelled());
        drop(second);
        assert!(turns.slots().is_empty());
    }
}
