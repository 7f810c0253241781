//! Whether a backup is what it was when it was made.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::Sha256;

use super::{
    folder::{BackupFolder, MANIFEST, SUMS, Snapshot},
    hashing::hash_file,
    manifest::Manifest,
    merge::Merged,
    rows::{BlobRow, Rows},
    sums,
    workers::in_parallel,
};
use crate::{Failure, client::words::plain, progress::Voice};

/// One file that is not right.
#[derive(Debug, Clone)]
pub(crate) struct Damage {
    /// Within the folder of backups.
    pub(crate) file: String,
    pub(crate) what: String,
    /// Of which images it holds the bytes: `id (name)`, a few of them.
    pub(crate) images: Vec<String>,
}

/// More images of one file are not told, nor those of more files than this.
const MOST_TOLD: usize = 1_000;
/// More damaged files are counted alone: a disk that is gone must not fill memory.
const MOST_KEPT: usize = 100_000;
const MOST_IMAGES_TOLD: usize = 5;

impl Damage {
    fn of(snapshot: &Snapshot, file: &str, what: impl Into<String>) -> Self {
        Self {
            file: format!("snapshots/{}/{file}", snapshot.name),
            what: what.into(),
            images: Vec::new(),
        }
    }
}

/// Holds the manifest and the tables against their sums. The manifest is given where it can be read.
pub(crate) fn check_rows(snapshot: &Snapshot) -> Result<(Option<Manifest>, Vec<Damage>), Failure> {
    let json = snapshot.manifest_bytes()?;
    let manifest = match Manifest::parse(&json, &snapshot.path(MANIFEST)) {
        Ok(manifest) => manifest,
        Err(error) => {
            return Ok((None, vec![Damage::of(snapshot, MANIFEST, error.to_string())]));
        }
    };
    if !sums::vouches_for(snapshot, &json) {
        let what = format!("it is not the one whose sum is the first in {SUMS}");
        return Ok((Some(manifest), vec![Damage::of(snapshot, MANIFEST, what)]));
    }
    let mut damages = Vec::new();
    for table in &manifest.tables {
        let what = match hash_file(&snapshot.path(&table.file()), |_| {}) {
            Ok(None) => "it is not there".to_owned(),
            Ok(Some((found, _))) if found == table.sha256.0 => continue,
            Ok(Some((_, bytes))) if bytes != table.bytes => {
                format!("it has {bytes} bytes instead of {}", table.bytes)
            }
            Ok(Some(_)) => "its bytes have changed".to_owned(),
            Err(error) => error.to_string(),
        };
        damages.push(Damage::of(snapshot, &table.file(), what));
    }
    if damages.is_empty()
        && let Some(what) = sums::find_fault(snapshot, &manifest, &json)?
    {
        damages.push(Damage::of(snapshot, SUMS, what));
    }
    Ok((Some(manifest), damages))
}

/// What a check found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) damages: Vec<Damage>,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// Files that are damaged, too, and are not among `damages`: there are too many.
    pub(crate) more: u64,
    /// Blobs that were lost before the snapshots were taken, which say so.
    pub(crate) missing: u64,
}

impl Findings {
    /// Files that are not right.
    pub(crate) fn bad(&self) -> u64 {
        self.damages.len() as u64 + self.more
    }
}

/// A snapshot whose rows are whole.
type Whole = (Snapshot, Manifest);

/// A blob that is not right: of which of the snapshots it is, and what is wrong.
type Bad = (usize, BlobRow, String);

/// Reads everything that these snapshots need, each blob once.
pub(crate) fn check(
    folder: &BackupFolder,
    snapshots: &[Snapshot],
    voice: &Voice,
) -> Result<Findings, Failure> {
    let (mut findings, mut whole) = (Findings::default(), Vec::new());
    voice.begin("rows 表");
    for snapshot in snapshots {
        let (manifest, damages) = check_rows(snapshot)?;
        if let Some(manifest) = manifest.filter(|_| damages.is_empty()) {
            findings.files += manifest.tables.len() as u64 + 2;
            findings.bytes += manifest.tables.iter().map(|table| table.bytes).sum::<u64>();
            whole.push((snapshot.clone(), manifest));
        }
        findings.damages.extend(damages);
    }
    let bad = check_blobs(folder, &whole, &mut findings, voice)?;
    let mut names = name_images(&whole, &bad)?;
    for (place, blob, what) in bad {
        findings.damages.push(Damage {
            file: blob.file(),
            what,
            images: names.remove(&(place, blob.id)).unwrap_or_default(),
        });
    }
    voice.end();
    Ok(findings)
}

fn merged(whole: &[Whole]) -> Result<Merged, Failure> {
    Merged::open(whole.iter().map(|(snapshot, manifest)| (snapshot, manifest)))
}

fn check_blobs(
    folder: &BackupFolder,
    whole: &[Whole],
    findings: &mut Findings,
    voice: &Voice,
) -> Result<Vec<Bad>, Failure> {
    let mut bytes = 0;
    for blob in merged(whole)? {
        findings.files += 1;
        bytes += blob?.1.size_bytes;
    }
    findings.bytes += bytes;
    voice.begin_bytes("files 文件", bytes);
    let missing: HashSet<Sha256> = whole
        .iter()
        .flat_map(|(_, manifest)| manifest.missing.iter().map(|blob| blob.sha256.0))
        .collect();
    let (bad, lost, more) = (Mutex::new(Vec::new()), AtomicU64::new(0), AtomicU64::new(0));
    in_parallel(merged(whole)?, |(place, blob)| {
        match find_fault(folder, &blob, voice) {
            None => {}
            // What a snapshot says it lacks. (A later backup may have found it again.)
            Some(_) if missing.contains(&blob.sha256) && !folder.blob_path(&blob).exists() => {
                lost.fetch_add(1, Ordering::Relaxed);
            }
            Some(what) => {
                let mut bad = bad.lock().unwrap_or_else(PoisonError::into_inner);
                if bad.len() < MOST_KEPT {
                    bad.push((place, blob, what));
                } else {
                    more.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    })?;
    (findings.missing, findings.more) = (lost.into_inner(), more.into_inner());
    let mut bad: Vec<Bad> = bad.into_inner().unwrap_or_else(PoisonError::into_inner);
    bad.sort_by_key(|(place, blob, _)| (*place, blob.sha256));
    Ok(bad)
}

/// What is wrong with a file of the backup.
fn find_fault(folder: &BackupFolder, blob: &BlobRow, voice: &Voice) -> Option<String> {
    match hash_file(&folder.blob_path(blob), |bytes| voice.advance(bytes)) {
        Ok(Some((found, _))) if found == blob.sha256 => None,
        Ok(None) => Some("it is not there".to_owned()),
        Ok(Some((_, bytes))) if bytes != blob.size_bytes => {
            Some(format!("it has {bytes} bytes instead of {}", blob.size_bytes))
        }
        Ok(Some(_)) => Some("its bytes have changed".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

/// Of which images the bytes are that are not right, by snapshot and blob.
fn name_images(whole: &[Whole], bad: &[Bad]) -> Result<HashMap<(usize, i64), Vec<String>>, Failure> {
    let mut names = HashMap::new();
    for (place, (snapshot, manifest)) in whole.iter().enumerate() {
        let of_this = bad.iter().filter(|(of, ..)| *of == place);
        let blobs = of_this.map(|(_, blob, _)| blob.id).take(MOST_TOLD).collect();
        for (blob, images) in images_over(snapshot, manifest, &blobs)? {
            names.insert((place, blob), images);
        }
    }
    Ok(names)
}

/// The images of some blobs: `id (name)`.
fn images_over(
    snapshot: &Snapshot,
    manifest: &Manifest,
    blobs: &HashSet<i64>,
) -> Result<HashMap<i64, Vec<String>>, Failure> {
    let mut images: HashMap<i64, Vec<String>> = HashMap::new();
    let Some(table) = manifest.table("image").filter(|_| !blobs.is_empty()) else {
        return Ok(images);
    };
    let mut rows = Rows::open(snapshot, table)?;
    while rows.advance()? {
        let blob = rows.value("blob_id")?.and_then(|id| id.parse().ok());
        let Some(blob) = blob.filter(|blob| blobs.contains(blob)) else {
            continue;
        };
        let told = images.entry(blob).or_default();
        if told.len() < MOST_IMAGES_TOLD {
            let (id, name) = (rows.value("public_id")?, rows.value("name")?);
            told.push(format!(
                "{} ({})",
                id.unwrap_or_default(),
                plain(&name.unwrap_or_default())
            ));
        }
    }
    Ok(images)
}
