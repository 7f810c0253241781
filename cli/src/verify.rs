//! `berth verify`: reads every byte again, of a backup or of the live store, and says what is not as it was.

use std::{path::Path, sync::Arc, time::Instant};

use catalog::{Catalog, StoredBlob, images_over, list_stored};
use process::settings::Sources;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    Failure,
    backup::{
        check::{Damage, Findings, check},
        copy::{ALL_LOST, is_another},
        folder::{BackupFolder, Snapshot},
        source::Source,
        workers::{blocking, in_parallel},
    },
    client::words::{plain, size},
    database::Place,
    figures::{count, time},
    progress::Voice,
};

/// The one snapshot that was named, or all.
fn chosen(folder: &BackupFolder, name: Option<&str>) -> Result<Vec<Snapshot>, Failure> {
    let all = folder.snapshots()?;
    let Some(name) = name else {
        if all.is_empty() {
            return Err(format!(
                "{} holds no finished snapshot · 没有可用的快照",
                folder.root().display()
            )
            .into());
        }
        return Ok(all);
    };
    Ok(vec![find(folder, all, name)?])
}

/// A snapshot by its name.
pub(crate) fn find(folder: &BackupFolder, all: Vec<Snapshot>, name: &str) -> Result<Snapshot, Failure> {
    let names: Vec<String> = all.iter().map(|snapshot| snapshot.name.clone()).collect();
    if let Some(snapshot) = all.into_iter().find(|snapshot| snapshot.name == name) {
        return Ok(snapshot);
    }
    let root = folder.root().display();
    if folder.snapshot(name).root.is_dir() && !name.contains('/') {
        return Err(format!(
            "the snapshot {name} in {root} was never finished: it has no manifest.json · 该快照未完成"
        )
        .into());
    }
    Err(format!(
        "there is no snapshot {name} in {root}; there are: {} · 没有该快照",
        names.join(", ")
    )
    .into())
}

/// Checks a backup.
pub(crate) async fn backup(root: &Path, snapshot: Option<&str>, voice: Voice) -> Result<(), Failure> {
    let begun = Instant::now();
    let folder = BackupFolder::open_to_read(root)?;
    let snapshots = chosen(&folder, snapshot)?;
    let names: Vec<String> = snapshots.iter().map(|snapshot| snapshot.name.clone()).collect();
    let (telling, root) = (voice.clone(), root.display().to_string());
    let findings = blocking(move || check(&folder, &snapshots, &telling)).await?;
    tell_missing(&findings, &voice);
    if findings.damages.is_empty() {
        voice.say(format!(
            "The backup is whole: {} files of {} in {} snapshots ({}), all read again in {} · 备份完好",
            count(findings.files),
            size(findings.bytes),
            names.len(),
            names.last().map_or("", String::as_str),
            time(begun.elapsed())
        ));
        return Ok(());
    }
    tell_damages(&findings.damages, &voice);
    Err(format!(
        "{} files of the backup are damaged or missing. `berth backup {root} --rehash` copies files again that the live store has; \
         what is damaged of a snapshot itself can't be mended: take a new one · 备份已损坏",
        count(findings.bad())
    )
    .into())
}

/// More damages are counted, not told.
const MOST_TOLD: usize = 100;

pub(crate) fn tell_damages(damages: &[Damage], voice: &Voice) {
    for damage in damages.iter().take(MOST_TOLD) {
        let images = if damage.images.is_empty() {
            String::new()
        } else {
            format!(" · {}", damage.images.join(", "))
        };
        voice.complain(format!("{}: {}{images}", damage.file, damage.what));
    }
    if damages.len() > MOST_TOLD {
        voice.complain(format!(
            "… and {} more",
            count((damages.len() - MOST_TOLD) as u64)
        ));
    }
}

pub(crate) fn tell_missing(findings: &Findings, voice: &Voice) {
    if findings.missing > 0 {
        voice.complain(format!(
            "{} files were lost before they could be backed up; the manifest names them · 备份时已丢失的文件",
            count(findings.missing)
        ));
    }
}

/// A blob of the live store that is not right.
struct Bad {
    blob: StoredBlob,
    what: String,
}

/// Checks the live store against its rows.
pub(crate) async fn live(sources: Sources, data: Option<&Path>, voice: Voice) -> Result<(), Failure> {
    let begun = Instant::now();
    let place = Place::load(sources, data)?;
    let source = Source::new(place.reader().await?);
    let database = place.open().await?;
    let outcome = check_live(&database.catalog, source, &voice).await;
    database.close().await?;
    let (files, total, bad) = outcome?;
    if bad.is_empty() {
        voice.say(format!(
            "The store is whole: {} files of {}, all read again in {} · 存储完好",
            count(files),
            size(total),
            time(begun.elapsed())
        ));
        return Ok(());
    }
    tell_damages(&bad, &voice);
    Err(format!(
        "{} files of the store are damaged or missing. Heal them from a backup (berth restore DIR --only ID, any number of ids), or \
         send those files again · 存储中有文件损坏或丢失",
        count(bad.len() as u64)
    )
    .into())
}

async fn check_live(
    catalog: &Catalog,
    source: Source,
    voice: &Voice,
) -> Result<(u64, u64, Vec<Damage>), Failure> {
    voice.begin_bytes("files 文件", 0);
    let (blobs, listing) = list(catalog.clone());
    let telling = voice.clone();
    let (files, total, bad) = blocking(move || read_all(blobs, &source, &telling)).await?;
    listing.await??;
    let mut damages = Vec::new();
    for Bad { blob, what } in bad {
        // One whose row is gone was swept while we read.
        if let Some(images) = images_over(catalog, blob.id, 5).await? {
            damages.push(Damage {
                file: blob.key.to_string(),
                what,
                images: images
                    .into_iter()
                    .map(|(id, name)| format!("{id} ({})", plain(&name)))
                    .collect(),
            });
        }
    }
    voice.end();
    Ok((files, total, damages))
}

/// All blobs, a page at a time, for threads that take them one by one.
fn list(catalog: Catalog) -> (mpsc::Receiver<StoredBlob>, JoinHandle<Result<(), Failure>>) {
    const PAGE: i64 = 1_000;
    let (sender, receiver) = mpsc::channel(64);
    let listing = tokio::spawn(async move {
        let mut after = 0;
        loop {
            let page = list_stored(&catalog, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for blob in page {
                if sender.send(blob).await.is_err() {
                    return Ok(());
                }
            }
        }
    });
    (receiver, listing)
}

fn read_all(
    mut blobs: mpsc::Receiver<StoredBlob>,
    source: &Source,
    voice: &Voice,
) -> Result<(u64, u64, Vec<Bad>), Failure> {
    let seen = Arc::new(std::sync::Mutex::new((0_u64, 0_u64, Vec::new())));
    let lock = || seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    in_parallel(
        std::iter::from_fn(|| blobs.blocking_recv()).map(Ok),
        |blob: StoredBlob| {
            let what = find_fault(&blob, source, voice)?;
            let mut seen = lock();
            seen.0 += 1;
            seen.1 += blob.size_bytes;
            if let Some(what) = what {
                seen.2.push(Bad { blob, what });
                if seen.2.len() >= ALL_LOST && seen.2.len() as u64 == seen.0 {
                    return Err(is_another(seen.2.len()));
                }
            }
            Ok(())
        },
    )?;
    let mut seen = lock();
    let mut bad = std::mem::take(&mut seen.2);
    bad.sort_by(|one, other| one.blob.key.cmp(&other.blob.key));
    Ok((seen.0, seen.1, bad))
}

/// What is wrong with a blob's bytes in the store.
pub(crate) fn find_fault(
    blob: &StoredBlob,
    source: &Source,
    voice: &Voice,
) -> Result<Option<String>, Failure> {
    source.read(&blob.key, blob.size_bytes, blob.sha256, |piece| {
        voice.advance(piece.len() as u64);
        Ok(())
    })
}
