//! What a server does that is away, broken, or closed to us.

use std::time::{Duration, Instant};

use blobs::{BlobReader, BlobRemover, BlobWriter, Error};
use test_kit::{Fault, ObjectServer};

use crate::{
    ground::{Ground, key_of, settings},
    read,
};

#[tokio::test]
async fn a_server_that_is_away_is_told_within_seconds_and_nothing_is_taken_for_gone() {
    let ground = Ground::bucket().await;
    let key = ground.published(b"picture").await;
    let line = ground.server.as_ref().unwrap().line();
    for fault in [Fault::Refuses, Fault::Silent, Fault::Stumbles] {
        line.has(fault);
        let began = Instant::now();
        let outcome = ground.reader.open(&key, ..).await;
        assert!(
            matches!(outcome, Err(Error::Away { .. })),
            "{fault:?}: {outcome:?}"
        );
        assert!(began.elapsed() < Duration::from_secs(8), "{fault:?}");
        assert!(ground.reader.check().await.is_err(), "{fault:?}");
        let lost = domain::VariantKey::new(&key, 300, domain::VariantFormat::Webp);
        if fault == Fault::Refuses {
            assert_eq!(ground.remover.have_lost(vec![lost]).await, [false]);
            assert!(ground.remover.remove(key.clone(), vec![]).await.is_err());
            assert!(ground.remover.hold(vec![(key.clone(), 7)]).await.is_err());
            let staged = ground.staged(b"another").await;
            let other = key_of(&staged);
            assert!(ground.publish(staged, &other).await.is_err());
        }
        line.has(Fault::None);
        assert_eq!(ground.bytes_of(&key).await.unwrap(), b"picture", "{fault:?}");
    }
}

#[tokio::test]
async fn an_upload_that_is_cut_is_no_object_and_the_next_try_is() {
    let ground = Ground::bucket().await;
    let bytes: Vec<u8> = (0..=250).cycle().take(11_000_000).collect();
    let staged = ground.staged(&bytes).await;
    let key = key_of(&staged);
    let server = ground.server.as_ref().unwrap();
    for fault in [Fault::CutsRequests(3_000_000), Fault::CutsRequests(500)] {
        server.line().has(fault);
        let outcome = ground.publish(staged.clone(), &key).await;
        assert!(matches!(outcome, Err(Error::Away { .. })), "{outcome:?}");
        server.line().has(Fault::None);
        assert!(ground.bytes_of(&key).await.is_none(), "{fault:?}");
    }
    ground.publish(staged, &key).await.unwrap();
    assert!(ground.bytes_of(&key).await.unwrap() == bytes);
}

#[tokio::test]
async fn a_download_that_is_cut_goes_on_where_it_was_or_ends_with_an_error() {
    let ground = Ground::bucket().await;
    let bytes: Vec<u8> = (0..=250).cycle().take(2_000_000).collect();
    let key = ground.published(&bytes).await;
    let line = ground.server.as_ref().unwrap().line();
    line.has(Fault::CutsAnswers(1_500_000));
    assert!(ground.bytes_of(&key).await.unwrap() == bytes, "it goes on");
    line.has(Fault::CutsAnswers(100_000));
    let blob = ground.reader.open(&key, ..).await.unwrap().unwrap();
    assert!(blob.into_pieces().read_all().await.is_err(), "it ends");
}

#[tokio::test]
async fn who_may_not_is_refused_and_told_what_it_was_about() {
    let server = ObjectServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    for (name, wrong) in [
        ("BERTH_S3_SECRET_KEY", "another key than the server has"),
        ("BERTH_S3_ACCESS_KEY", "nobody"),
        ("BERTH_S3_BUCKET", "no-such-bucket"),
    ] {
        let mut pairs = server.settings();
        pairs.retain(|(own, _)| *own != name);
        pairs.push((name, wrong.to_owned()));
        let settings = settings(folder.path(), &pairs);
        let proofs = [
            ("remover", BlobRemover::new(&settings).prove().await),
            ("writer", BlobWriter::open(&settings).unwrap().prove().await),
            ("reader", BlobReader::new(&settings).prove().await),
        ];
        for (handle, outcome) in proofs {
            if name == "BERTH_S3_BUCKET" && handle != "remover" {
                // This server makes a bucket that is not there when something is written.
                continue;
            }
            let Err(Error::Refused { source, .. }) = outcome else {
                panic!("{name}: {handle}: {outcome:?}")
            };
            let text = source.to_string();
            assert!(!text.contains(wrong) || name != "BERTH_S3_SECRET_KEY", "{text}");
        }
    }
}

#[tokio::test]
async fn a_slow_reader_makes_the_server_wait_and_not_our_memory_grow() {
    let ground = Ground::bucket().await;
    let bytes: Vec<u8> = (0..=250).cycle().take(30_000_000).collect();
    let key = ground.published(&bytes).await;
    let blob = ground.reader.open(&key, ..).await.unwrap().unwrap();
    let before = resident();
    // Nobody takes anything for as long as all of it would take to come.
    assert!(ground.bytes_of(&key).await.unwrap().len() == bytes.len());
    let pieces = blob.into_pieces();
    assert_eq!(pieces.left(), 30_000_000);
    let grown = resident().saturating_sub(before);
    assert!(read(pieces).await == bytes);
    // What was read meanwhile is in the measure, twice; not what waits.
    assert!(grown < 90 << 20, "{grown} bytes more");
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    let kilobytes = line.split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() << 10
}
