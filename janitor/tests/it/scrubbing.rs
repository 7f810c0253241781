//! Blobs are read again: what is damaged is found, nothing else is accused, and the right bytes heal.

use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::fs::FileExt as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use catalog::{Content, ImageRecord, ServiceRole, find_by_content, mark_blob_whole};
use janitor::{Extent, Scrubbed};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::{
    rig::{Rig, eventually, metric, seconds},
    running::Janitor,
};

/// Damages in `make test`; `make drills NAME=scrub` asks for more.
const DAMAGES: usize = 60;
/// From so many damages on it is measured how fast large files are read, too.
const LONG: usize = 1_000;
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn path(rig: &Rig, image: &ImageRecord) -> PathBuf {
    rig.data().join("blobs").join(&image.key)
}

async fn scrub(rig: &Rig, extent: Extent) -> Scrubbed {
    let stop = CancellationToken::new();
    let service = rig.service(&rig.settings());
    service.scrub(extent, &stop, |_, _, _| {}).await.unwrap()
}

/// Numbers without a plan, which can be had again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length)
            .map(|_| u8::try_from(self.below(256)).unwrap())
            .collect()
    }
}

/// Flips a bit, cuts the file short, makes it longer, empties it, or takes it away; nothing else of it changes. What the janitor should say of it.
fn damage(rig: &Rig, image: &ImageRecord, dice: &mut Dice) -> &'static str {
    let path = path(rig, image);
    let file = File::options().read(true).write(true).open(&path).unwrap();
    let length = usize::try_from(image.size_bytes).unwrap();
    match dice.below(8) {
        0 => file.set_len(dice.below(length) as u64).unwrap(),
        1 => file.set_len(image.size_bytes + 1 + dice.below(9) as u64).unwrap(),
        2 => file.set_len(0).unwrap(),
        3 | 4 => {
            std::fs::remove_file(&path).unwrap();
            return "lost";
        }
        _ => {
            let modified = file.metadata().unwrap().modified().unwrap();
            let (at, mut byte) = (dice.below(length) as u64, [0]);
            file.read_exact_at(&mut byte, at).unwrap();
            byte[0] ^= 1 << dice.below(8);
            file.write_all_at(&byte, at).unwrap();
            file.set_modified(modified).unwrap();
            return "bytes";
        }
    }
    "length"
}

#[tokio::test]
async fn every_damage_is_found_nothing_else_is_accused_and_the_same_bytes_heal() {
    let wanted =
        std::env::var_os("DAMAGES").map_or(DAMAGES, |number| number.to_str().unwrap().parse().unwrap());
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let mut dice = Dice(0x5eed_1e55);
    let mut images = Vec::new();
    for number in 0..wanted * 3 / 2 {
        let length = [1, 700, 70_000, 1_200_000]
            [usize::from(number % 10 == 0) + usize::from(number % 3 == 0) + usize::from(number % 50 == 0)];
        let mut bytes = number.to_be_bytes().to_vec();
        let length = 1 + dice.below(length);
        bytes.extend(dice.bytes(length));
        images.push((rig.upload_bytes(owner, bytes.clone()).await, bytes));
    }
    assert_eq!(
        scrub(&rig, Extent::All).await.damaged,
        0,
        "nothing is damaged yet"
    );
    // Those that nobody links to any more can be restored: they are read, too.
    rig.withdraw(&images[0].0).await;
    let mut expected: BTreeMap<String, &str> = BTreeMap::new();
    while expected.len() < wanted {
        let (image, _) = &images[dice.below(images.len())];
        if !expected.contains_key(&image.key) {
            expected.insert(image.key.clone(), damage(&rig, image, &mut dice));
        }
    }
    let began = Instant::now();
    let found = scrub(&rig, Extent::All).await;
    let took = began.elapsed();
    let told = rig
        .owner
        .query("SELECT key, what FROM damage JOIN blob ON blob.id = blob_id", &[])
        .await
        .unwrap();
    let told: BTreeMap<String, String> = told.iter().map(|row| (row.get(0), row.get(1))).collect();
    let missed = expected.keys().filter(|key| !told.contains_key(*key)).count();
    let accused = told.keys().filter(|key| !expected.contains_key(*key)).count();
    #[allow(clippy::cast_precision_loss, reason = "for a person")]
    let speed = found.bytes as f64 / 1e6 / took.as_secs_f64();
    println!(
        "scrub: {wanted} damages among {} blobs: {missed} missed, {accused} accused falsely; {} bytes in {took:.1?}, {speed:.0} MB/s",
        found.blobs, found.bytes
    );
    for (key, what) in &expected {
        assert_eq!(told.get(key).map(String::as_str), Some(*what), "{key}");
    }
    assert_eq!((missed, accused), (0, 0));
    assert_eq!((found.damaged, found.found), (wanted as u64, wanted as u64));
    check_that_nobody_is_spared_an_upload(&rig, owner, &images, &expected).await;
    for (image, bytes) in &images {
        if expected.contains_key(&image.key) {
            rig.upload_bytes(owner, bytes.clone()).await;
        }
    }
    assert_eq!(
        rig.number("SELECT count(*) FROM damage").await,
        0,
        "healed by its upload"
    );
    let healed = scrub(&rig, Extent::All).await;
    assert_eq!((healed.damaged, healed.blobs), (0, images.len() as u64));
    if wanted >= LONG {
        measure(&rig, owner).await;
    }
    assert_eq!(
        rig.number("SELECT count(*) FROM event WHERE kind = 'blob_damaged'")
            .await,
        i64::try_from(wanted).unwrap()
    );
    assert_eq!(
        rig.number("SELECT count(*) FROM event WHERE kind = 'blob_healed'")
            .await,
        i64::try_from(wanted).unwrap()
    );
}

/// Files that are large enough to tell how fast they are read.
async fn measure(rig: &Rig, owner: i64) {
    const FILES: u8 = 40;
    for number in 0..FILES {
        rig.upload_bytes(owner, vec![number; 8 << 20]).await;
    }
    // Only these: the others have been read.
    let began = Instant::now();
    let found = scrub(rig, Extent::RestOfRound).await;
    let took = began.elapsed();
    #[allow(clippy::cast_precision_loss, reason = "for a person")]
    let speed = found.bytes as f64 / 1e6 / took.as_secs_f64();
    println!(
        "scrub: {} files of 8 MiB in {took:.1?}, {speed:.0} MB/s on one core",
        found.blobs
    );
}

async fn check_that_nobody_is_spared_an_upload(
    rig: &Rig,
    owner: i64,
    images: &[(ImageRecord, Vec<u8>)],
    damaged: &BTreeMap<String, &str>,
) {
    for (image, _) in images.iter().skip(1).take(40) {
        let found = find_by_content(&rig.upload, owner, None, Content::Md5(image.md5), rig.clock.now()).await;
        assert_eq!(
            found.unwrap().is_empty(),
            damaged.contains_key(&image.key),
            "{}",
            image.key
        );
    }
}

#[tokio::test]
async fn a_store_that_is_not_there_has_lost_nothing() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    for seed in 0..20 {
        rig.upload(owner, seed, None).await;
    }
    let (store, aside) = (rig.data().join("blobs"), rig.data().join("aside"));
    std::fs::rename(&store, &aside).unwrap();
    let service = rig.service(&rig.settings());
    let stop = CancellationToken::new();
    for is_made_anew in [false, true] {
        if is_made_anew {
            // What a service makes where a volume should be.
            blobs::BlobWriter::open(&store).unwrap();
        }
        let outcome = service.scrub(Extent::All, &stop, |_, _, _| {}).await;
        assert!(outcome.is_err(), "{outcome:?}");
        assert_eq!(rig.number("SELECT count(*) FROM damage").await, 0);
    }
    std::fs::remove_dir_all(&store).unwrap();
    std::fs::rename(&aside, &store).unwrap();
    assert_eq!(scrub(&rig, Extent::All).await.damaged, 0);
}

/// Between the first look and the second an upload puts the bytes right, or a sweep takes blob and row away.
#[tokio::test]
async fn a_file_that_is_healed_or_swept_at_that_moment_is_not_accused() {
    for is_swept in [false, true] {
        let rig = Rig::new().await;
        let owner = rig.account("owner").await;
        let image = rig.upload(owner, 1, None).await;
        let right = std::fs::read(path(&rig, &image)).unwrap();
        std::fs::remove_file(path(&rig, &image)).unwrap();
        let mut other = rig.database.connect().await;
        let transaction = other.transaction().await.unwrap();
        transaction
            .execute("SELECT FROM blob FOR UPDATE", &[])
            .await
            .unwrap();
        let changing = async {
            let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted";
            while rig.number(waits).await == 0 {
                tokio::task::yield_now().await;
            }
            if is_swept {
                transaction.batch_execute("DELETE FROM blob").await.unwrap();
            } else {
                std::fs::write(path(&rig, &image), &right).unwrap();
            }
            transaction.commit().await.unwrap();
        };
        let both = async { tokio::join!(scrub(&rig, Extent::All), changing) };
        let (found, ()) = tokio::time::timeout(PATIENCE, both)
            .await
            .expect("it waits for the lock");
        assert_eq!(
            (found.blobs, found.damaged, found.found),
            (1, 0, 0),
            "swept: {is_swept}"
        );
        assert_eq!(
            rig.number("SELECT count(*) FROM event WHERE kind = 'blob_damaged'")
                .await,
            0
        );
    }
}

#[tokio::test]
async fn what_was_put_back_by_hand_is_found_whole() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let image = rig.upload(owner, 1, None).await;
    let right = std::fs::read(path(&rig, &image)).unwrap();
    std::fs::write(path(&rig, &image), b"wrong").unwrap();
    assert_eq!(scrub(&rig, Extent::All).await.found, 1);
    let again = scrub(&rig, Extent::RestOfRound).await;
    assert_eq!(
        (again.damaged, again.found, again.blobs),
        (1, 0, 1),
        "it is known"
    );
    std::fs::write(path(&rig, &image), &right).unwrap();
    assert_eq!(scrub(&rig, Extent::RestOfRound).await.healed, 1);
    assert_eq!(rig.number("SELECT count(*) FROM damage").await, 0);
    // As `berth restore --only` does.
    std::fs::remove_file(path(&rig, &image)).unwrap();
    scrub(&rig, Extent::All).await;
    std::fs::write(path(&rig, &image), &right).unwrap();
    let blob = rig.number("SELECT id FROM blob").await;
    assert!(mark_blob_whole(&rig.upload, blob, rig.clock.now()).await.unwrap());
    assert!(
        !mark_blob_whole(&rig.upload, blob + 1, rig.clock.now())
            .await
            .unwrap()
    );
    assert_eq!(rig.number("SELECT count(*) FROM damage").await, 0);
}

#[tokio::test]
async fn a_round_takes_its_period_and_the_next_leader_goes_on_with_it() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    for seed in 0..30 {
        rig.upload(owner, seed, None).await;
    }
    let day = SignedDuration::from_hours(24);
    let mut before = 0;
    for (days, until) in [(0, 1), (10, 11), (10, 21), (8, 29)] {
        rig.clock.advance(day * days + seconds(i64::from(days > 0)));
        let scrubber = Janitor::start(&rig);
        let remembering = async {
            while rig.number("SELECT after FROM scrub").await != until {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, remembering)
            .await
            .expect("it reads what is due");
        let counted = scrubber.stop().await;
        let read = metric(&counted, "berth_janitor_blobs_scrubbed_total");
        assert_eq!(
            format!("{read}"),
            format!("{}", until - before),
            "and nothing twice"
        );
        before = until;
    }
    // The round ends, the next one begins, and finds what has happened since.
    rig.owner
        .batch_execute("UPDATE scrub SET after = 30")
        .await
        .unwrap();
    std::fs::remove_file(rig.data().join("blobs").join(key_of(&rig, 1).await)).unwrap();
    rig.clock.advance(day * 3);
    let scrubber = Janitor::start(&rig);
    let is_told = || metric(&scrubber.metrics, "berth_janitor_blobs_damaged") > 0.5;
    eventually("the damaged one is told", is_told).await;
    assert!(metric(&scrubber.metrics, "berth_janitor_scrub_round_timestamp_seconds") > 1.0);
    scrubber.stop().await;
}

async fn key_of(rig: &Rig, blob: i64) -> String {
    let sql = "SELECT key FROM blob WHERE id = $1";
    rig.owner.query_one(sql, &[&blob]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_janitor_that_does_not_lead_or_pretends_reads_nothing_on_its_own() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let image = rig.upload(owner, 1, None).await;
    std::fs::remove_file(path(&rig, &image)).unwrap();
    let janitor = rig.database.catalog_as(ServiceRole::Janitor);
    let lead = catalog::Leadership::try_acquire(&janitor).await.unwrap().unwrap();
    let scrubber = Janitor::start(&rig);
    // Long enough for some rounds of one that would lead.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(scrubber.scrubbed() < 0.5);
    drop(lead);
    scrubber.stop().await;
    let mut settings = rig.settings();
    settings.pretend = true;
    let service = rig.service(&settings);
    let stop = CancellationToken::new();
    let found = service.scrub(Extent::All, &stop, |_, _, _| {}).await.unwrap();
    assert_eq!(found.damaged, 1);
    assert_eq!(
        rig.number("SELECT count(*) + (SELECT after FROM scrub) FROM damage")
            .await,
        0
    );
}
