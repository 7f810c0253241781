//! Uploads of the very bytes that are being freed.

use std::time::Duration;

use blobs::BlobReader;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::rig::{Rig, upload};

const CLIENTS: u64 = 8;
const ROUNDS: u64 = 25;
const PICTURES: u64 = 3;
/// How often a client looks for its bytes before it withdraws them.
const LOOKS: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_uploaded_again_survive_every_sweep() {
    let rig = Rig::new().await;
    let mut settings = rig.settings();
    settings.sweep_grace = Duration::ZERO;
    let owner = rig.account("owner").await;
    let (service, stop) = (rig.service(&settings), CancellationToken::new());
    let sweeping = {
        let (service, stop) = (service.clone(), stop.clone());
        tokio::spawn(async move {
            let mut swept = 0;
            while !stop.is_cancelled() {
                let round = service.run_once(&stop).await;
                assert!(round.failures.is_empty(), "{:?}", round.failures);
                swept += round.done.blobs_swept;
            }
            swept
        })
    };
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        // Each has an owner of its own, so that nobody else ends what it was given.
        let owner = rig.account(&format!("client{client}")).await;
        let (catalog, writer, clock) = (rig.upload.clone(), rig.writer.clone(), rig.clock.clone());
        let reader = BlobReader::new(&rig.data().join("blobs"));
        clients.spawn(async move {
            for round in 0..ROUNDS {
                let image = upload(
                    &catalog,
                    &writer,
                    owner,
                    (client + round) % PICTURES,
                    None,
                    &clock,
                )
                .await;
                let key = image.key.parse().unwrap();
                for _ in 0..LOOKS {
                    assert!(
                        reader.open(&key, ..).await.unwrap().is_some(),
                        "a live image has lost its bytes"
                    );
                    tokio::task::yield_now().await;
                }
                assert!(
                    catalog::withdraw(&catalog, owner, image.public_id, None, clock.now())
                        .await
                        .unwrap()
                );
            }
        });
    }
    while let Some(outcome) = clients.join_next().await {
        outcome.unwrap();
    }
    let mut kept = Vec::new();
    for seed in 0..PICTURES {
        kept.push(rig.upload(owner, seed, None).await);
    }
    stop.cancel();
    assert!(sweeping.await.unwrap() > 0, "there was something to sweep");
    rig.clean_with(&settings).await;
    for image in &kept {
        assert!(rig.has_bytes(image), "{}", image.key);
    }
    assert_eq!(rig.number("SELECT count(*) FROM blob").await, 3);
    assert_eq!(
        std::fs::read_dir(rig.data().join("blobs/.staging"))
            .unwrap()
            .count(),
        0
    );
}
