use std::{collections::HashMap, hash::Hash};

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::sync::watch;

use super::Found;

/// A question under way; it holds its answer once there is one.
pub(super) type Flight = watch::Receiver<Option<Found>>;

/// Questions under way, each asked once however many wait for it.
#[derive(Debug)]
pub(super) struct Flights<K>(HashMap<K, Flight>);

impl<K> Default for Flights<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq + Clone> Flights<K> {
    /// The answer to the question that is under way, or else to the one that `depart` asks.
    pub(super) fn join(&mut self, key: &K, depart: impl FnOnce() -> Flight) -> BoxFuture<'static, Found> {
        // One that has landed is over: its answer is as old as the question.
        let under_way = self.0.get(key).filter(|flight| is_under_way(flight)).cloned();
        let flight = under_way.unwrap_or_else(|| {
            let flight = depart();
            self.0.insert(key.clone(), flight.clone());
            flight
        });
        landing(flight).boxed()
    }

    /// Whoever asks from now on asks anew. Those who wait are answered still.
    pub(super) fn forget(&mut self, key: &K) {
        self.0.remove(key);
    }

    /// The same for every question.
    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }
}

/// Asks in a task of its own.
pub(super) fn depart(question: impl Future<Output = Found> + Send + 'static) -> Flight {
    let (sender, flight) = watch::channel(None);
    tokio::spawn(async move {
        sender.send_replace(Some(question.await));
    });
    flight
}

/// Waits for the answer. A question that broke off has none.
pub(super) async fn landing(mut flight: Flight) -> Found {
    match flight.wait_for(Option::is_some).await {
        Ok(found) => found.clone().unwrap_or(Found::Away),
        Err(_broken_off) => Found::Away,
    }
}

fn is_under_way(flight: &Flight) -> bool {
    flight.has_changed().is_ok() && flight.borrow().is_none()
}
