//! Everything at once, on the same few contents: uploads, withdrawals, expiry and sweeps, over a store that is told what to
//! keep and what to remove. Whatever the order, no live image is ever without its bytes, and every number adds up.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use catalog::{Doomed, expire_batch, find_live_by_id, publish, sweep_batch, withdraw};
use domain::{BlobKey, Expiry};
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use crate::rig::{Rig, at, image, noon};

const CLIENTS: u64 = 24;
const ROUNDS: u64 = 60;
const CONTENTS: u64 = 5;
const OWNERS: usize = 3;

/// The names of the files that there would be.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<HashSet<BlobKey>>>);

impl Store {
    async fn place(&self, key: BlobKey) -> Result<(), Infallible> {
        tokio::task::yield_now().await;
        self.0.lock().unwrap().insert(key);
        Ok(())
    }

    async fn remove(&self, doomed: Vec<Doomed>) -> Vec<i64> {
        let mut gone = Vec::new();
        for blob in doomed {
            self.0.lock().unwrap().remove(&blob.key);
            gone.push(blob.id);
            tokio::task::yield_now().await;
        }
        gone
    }

    fn has(&self, key: &BlobKey) -> bool {
        self.0.lock().unwrap().contains(key)
    }
}

/// A clock that goes on by a second whenever somebody looks at it.
#[derive(Clone, Default)]
struct Ticking(Arc<AtomicI64>);

impl Ticking {
    fn now(&self) -> Timestamp {
        at(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_order_of_events_loses_bytes_or_miscounts() {
    let rig = Rig::new().await;
    let (store, clock) = (Store::default(), Ticking::default());
    let mut owners = Vec::new();
    for number in 0..OWNERS {
        owners.push(rig.account(&format!("owner{number}")).await);
    }
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (upload, serve) = (rig.upload.clone(), rig.serve.clone());
        let (store, clock, owners) = (store.clone(), clock.clone(), owners.clone());
        clients.spawn(async move {
            for round in 0..ROUNDS {
                // Another mixture in each round, the same in each run.
                let dice = (client * 31 + round * 17) % 97;
                let mut new = image(owners[usize::try_from(dice).unwrap() % OWNERS], dice % CONTENTS);
                let now = clock.now();
                if dice % 3 != 0 {
                    let life = i64::try_from(1 + dice % 40).unwrap();
                    new.expiry = Expiry::At(now + SignedDuration::from_secs(life));
                }
                let image = publish(&upload, &new, now, |key| store.place(key))
                    .await
                    .unwrap()
                    .image;
                if dice % 2 == 0 {
                    // Somebody else may have withdrawn it, or time.
                    withdraw(&upload, image.account_id, image.public_id, None, clock.now())
                        .await
                        .unwrap();
                } else if let Some(live) = find_live_by_id(&serve, image.public_id).await.unwrap() {
                    assert_eq!(live.key.as_str(), image.key);
                }
            }
        });
    }
    let mut janitors = JoinSet::new();
    for _ in 0..2 {
        let (janitor, store, clock) = (rig.janitor.clone(), store.clone(), clock.clone());
        janitors.spawn(async move {
            loop {
                expire_batch(&janitor, 7, clock.now()).await.unwrap();
                let remove = |doomed| store.remove(doomed);
                sweep_batch(&janitor, 3, clock.now(), remove).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
    }
    while let Some(outcome) = tokio::select! {
        outcome = clients.join_next() => outcome,
        ended = janitors.join_next() => panic!("a janitor has died: {ended:?}"),
    } {
        outcome.unwrap();
    }
    janitors.shutdown().await;
    rig.check_invariants().await;
    let sql = "SELECT DISTINCT key FROM image JOIN blob ON blob.id = blob_id WHERE ended_at IS NULL";
    for row in rig.owner.query(sql, &[]).await.unwrap() {
        let key: BlobKey = row.get::<_, &str>(0).parse().unwrap();
        assert!(store.has(&key), "a live image has lost its bytes: {key}");
    }
    // At the end of time everything goes, and nothing is left over.
    let end = noon() + SignedDuration::from_hours(24);
    rig.owner
        .batch_execute("UPDATE image SET expires_at = '2026-07-01T13:00:00Z' WHERE ended_at IS NULL")
        .await
        .unwrap();
    while expire_batch(&rig.janitor, 7, end).await.unwrap() > 0 {}
    rig.check_invariants().await;
    while sweep_batch(&rig.janitor, 3, end, |doomed| store.remove(doomed))
        .await
        .unwrap()
        .blobs
        > 0
    {}
    assert_eq!(rig.number("SELECT count(*) FROM blob").await, 0);
    assert!(store.0.lock().unwrap().is_empty());
}
