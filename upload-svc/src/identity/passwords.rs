use std::{sync::Arc, thread::available_parallelism, time::Duration};

use domain::{AccessRefusal, PasswordHash, PasswordTooShort};
use tokio::sync::Semaphore;

use crate::problem::Failure;

/// How long a password waits for its turn before its sender is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);
/// When that may be.
const COME_BACK: Duration = Duration::from_secs(2);

/// Hashes passwords, few at once: each takes a core for tens of milliseconds, and 46 MiB.
#[derive(Debug)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
}

impl Passwords {
    /// As many at once as half the cores, one at least.
    pub(super) fn new() -> Self {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            turns: Arc::new(Semaphore::new((cores / 2).max(1))),
        }
    }

    /// Whether this is the password.
    pub(crate) async fn verify(&self, hash: &PasswordHash, password: String) -> Result<bool, Failure> {
        let hash = hash.clone();
        self.run(move || hash.verify(&password)).await
    }

    /// The hash of a new password.
    pub(crate) async fn derive(
        &self,
        password: String,
    ) -> Result<Result<PasswordHash, PasswordTooShort>, Failure> {
        let salt = process::random();
        self.run(move || PasswordHash::derive(&password, salt)).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(PATIENCE, turn).await else {
            return Err(AccessRefusal::Busy { wait: COME_BACK }.into());
        };
        // The turn goes with the work: a client that goes away drops this future, and the thread works on.
        let working = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        Ok(working.await?)
    }
}
