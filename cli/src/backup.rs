//! `berth backup`: everything that an operator would miss, while the services run.

pub(crate) mod check;
pub(crate) mod copy;
mod dump;
pub(crate) mod folder;
pub(crate) mod hashing;
mod keep;
pub(crate) mod manifest;
mod merge;
mod report;
pub(crate) mod rows;
pub(crate) mod source;
pub(crate) mod sums;
pub(crate) mod workers;

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use catalog::{BackupHold, Catalog, LEFT_OUT};
use process::{Clock, settings::Sources};

use crate::{Failure, database::Place, progress::Voice};
use copy::{Copied, copy_blobs};
use folder::{BackupFolder, MANIFEST, Snapshot, sync_folder};
use keep::Removed;
use manifest::{BlobTotals, FORMAT, Hex, Manifest, MissingBlob};
use rows::BlobRows;
use source::Source;
use workers::blocking;

/// What the operator asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) folder: PathBuf,
    /// How many snapshots stay; all, where nobody said.
    pub(crate) keep: Option<NonZeroUsize>,
    /// Whether what is in the backup already is read again.
    pub(crate) rehash: bool,
}

/// What was done.
#[derive(Debug)]
struct Done {
    snapshot: Snapshot,
    manifest: Manifest,
    copied: Copied,
    removed: Option<Removed>,
}

/// Takes one snapshot.
pub(crate) async fn run(
    sources: Sources,
    data: Option<&Path>,
    wanted: Wanted,
    voice: Voice,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let place = Place::load(sources, data)?;
    let source = Source::new(place.reader().await?);
    let folder = Arc::new(BackupFolder::open_to_write(&wanted.folder)?);
    let database = place.open().await?;
    let outcome = back_up(&database.catalog, source, &folder, &place, &wanted, &voice).await;
    database.close().await?;
    let done = outcome?;
    report::tell(&done, &folder, &place, begun.elapsed(), &voice);
    if done.copied.lost.is_empty() {
        Ok(())
    } else {
        Err(report::incomplete(&done).into())
    }
}

async fn back_up(
    catalog: &Catalog,
    source: Source,
    folder: &Arc<BackupFolder>,
    place: &Place,
    wanted: &Wanted,
    voice: &Voice,
) -> Result<Done, Failure> {
    let hold = BackupHold::try_acquire(catalog)
        .await?
        .ok_or("another backup or restore of this database is under way · 该数据库正在备份或恢复")?;
    let now = Clock::system().now();
    let snapshot = folder.begin_snapshot(now)?;
    let mut manifest = take_rows(&hold, &snapshot, place, voice).await?;
    manifest.taken_at = now;
    let copied = take_blobs(folder, &snapshot, &mut manifest, source, wanted.rehash, voice).await?;
    if !copied.lost.is_empty() && !hold.is_held().await {
        return Err("the database went away while files were copied, so nobody knows whether those that are missing were freed \
                    meanwhile; run it again: what was copied is not copied again · 备份期间数据库断开，请重新运行"
            .into());
    }
    let (snapshot, manifest) = finish(folder, snapshot, manifest).await?;
    // What could not be let go now is let go with the session; the snapshot is there.
    let _ends_with_the_session = hold.release().await;
    let removed = match wanted.keep {
        Some(keep) => {
            voice.begin("old snapshots 旧快照");
            let folder = Arc::clone(folder);
            Some(blocking(move || keep::keep_newest(&folder, keep)).await?)
        }
        None => None,
    };
    Ok(Done {
        snapshot,
        manifest,
        copied,
        removed,
    })
}

/// All rows as of one moment.
async fn take_rows(
    hold: &BackupHold,
    snapshot: &Snapshot,
    place: &Place,
    voice: &Voice,
) -> Result<Manifest, Failure> {
    voice.begin("rows 行");
    let dump = hold.dump().await?;
    let schema = dump
        .schema
        .ok_or("this database holds no berth: there are no tables of ours in it · 数据库中没有 berth 的表")?;
    let mut tables = Vec::new();
    for table in dump.tables().await? {
        tables.push(dump::dump_table(&dump, &table, snapshot, voice).await?);
    }
    // After the rows: no number of a row is later than these.
    let sequences = dump.sequences().await?.into_iter().collect();
    let postgres = dump.postgres.clone();
    dump.end().await?;
    let rows_of = |name: &str| {
        tables
            .iter()
            .find(|table| table.name == name)
            .map_or(0, |table| table.rows)
    };
    Ok(Manifest {
        format: FORMAT,
        made_by: format!("berth {}", env!("CARGO_PKG_VERSION")),
        site: place.site.clone(),
        taken_at: jiff::Timestamp::UNIX_EPOCH,
        schema,
        postgres,
        accounts: rows_of("account"),
        images: rows_of("image"),
        blobs: BlobTotals::default(),
        tables,
        sequences,
        missing: Vec::new(),
        left_out: LEFT_OUT
            .iter()
            .map(|(name, why)| ((*name).to_owned(), (*why).to_owned()))
            .collect::<BTreeMap<_, _>>(),
    })
}

/// The bytes that the rows speak of.
async fn take_blobs(
    folder: &Arc<BackupFolder>,
    snapshot: &Snapshot,
    manifest: &mut Manifest,
    source: Source,
    rehash: bool,
    voice: &Voice,
) -> Result<Copied, Failure> {
    let (folder, snapshot, known, voice) = (
        Arc::clone(folder),
        snapshot.clone(),
        manifest.clone(),
        voice.clone(),
    );
    let (totals, copied) = blocking(move || {
        let mut totals = BlobTotals::default();
        for blob in BlobRows::open(&snapshot, &known)? {
            totals.files += 1;
            totals.bytes += blob?.size_bytes;
        }
        voice.begin_bytes("files 文件", totals.bytes);
        let blobs = BlobRows::open(&snapshot, &known)?;
        let copied = copy_blobs(blobs, &source, &folder, rehash, &voice)?;
        folder.sync_blobs()?;
        Ok((totals, copied))
    })
    .await?;
    manifest.blobs = totals;
    manifest.missing = copied
        .lost
        .iter()
        .map(|lost| MissingBlob {
            sha256: Hex(lost.blob.sha256),
            key: Hex(lost.blob.key.clone()),
        })
        .collect();
    Ok(copied)
}

/// Writes the sums and then, when all else would survive a power cut, the manifest: from here on there is a snapshot.
async fn finish(
    folder: &Arc<BackupFolder>,
    snapshot: Snapshot,
    manifest: Manifest,
) -> Result<(Snapshot, Manifest), Failure> {
    let folder = Arc::clone(folder);
    blocking(move || {
        let json = manifest.to_json()?;
        sums::write(&folder, &snapshot, &manifest, &json)?;
        sync_folder(&snapshot.path("tables"))?;
        sync_folder(&snapshot.root)?;
        folder.write(&snapshot.path(MANIFEST), &json)?;
        sync_folder(&snapshot.root)?;
        if let Some(parent) = snapshot.root.parent() {
            sync_folder(parent)?;
        }
        Ok((snapshot, manifest))
    })
    .await
}
