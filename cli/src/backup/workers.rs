//! Several blobs at once: while one thread waits for the disk, another hashes.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::Failure;

/// More than the cores of a small server, for the threads mostly wait; few enough for a slow disk.
const WORKERS: usize = 8;

/// Does `work` with each item, on several threads, and ends when all is done or at the first failure. Blocks.
pub(crate) fn in_parallel<T: Send>(
    items: impl Iterator<Item = Result<T, Failure>> + Send,
    work: impl Fn(T) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let (items, failure) = (Mutex::new(items), Mutex::new(None));
    let has_failed = AtomicBool::new(false);
    let next = || {
        let mut items = items.lock().unwrap_or_else(PoisonError::into_inner);
        if has_failed.load(Ordering::Relaxed) {
            return None;
        }
        items.next()
    };
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(item) = next() {
                    if let Err(error) = item.and_then(&work) {
                        has_failed.store(true, Ordering::Relaxed);
                        failure
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .get_or_insert(error);
                    }
                }
            });
        }
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The same from async code, on threads that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await?
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn all_is_done_once_or_the_first_failure_ends_it() {
        let sum = AtomicU64::new(0);
        in_parallel((1..=1000).map(Ok), |number| {
            sum.fetch_add(number, Ordering::Relaxed);
            Ok(())
        })
        .unwrap();
        assert_eq!(sum.into_inner(), 500_500);
        let seen = AtomicU64::new(0);
        let outcome = in_parallel((1..=1_000_000).map(Ok), |number| {
            seen.fetch_add(1, Ordering::Relaxed);
            if number == 3 { Err("three".into()) } else { Ok(()) }
        });
        assert_eq!(outcome.unwrap_err().to_string(), "three");
        assert!(seen.into_inner() < 1_000_000);
        assert!(in_parallel([Err::<(), _>("no item".into())].into_iter(), Ok).is_err());
    }
}
