//! `berth restore`: a berth out of a backup, into an empty one, or lost files back into a live one.

pub(crate) mod heal;
mod put;

use std::{io::Read as _, path::Path, sync::Arc, time::Instant};

use bytes::Bytes;
use catalog::{
    Catalog, Load, LoadError, TableShape, analyze, find_vacancy, migrate, migrate_to, newest_schema,
};
use futures_util::stream;
use process::settings::Sources;
use tokio::sync::mpsc;

use crate::{
    Failure,
    backup::{
        check::check,
        folder::{BackupFolder, MANIFEST, SUMS, Snapshot, at},
        hashing::PIECE_BYTES,
        manifest::{Manifest, TableEntry},
        sums::vouches_for,
        workers::blocking,
    },
    client::words::size,
    database::Place,
    figures::{count, time},
    progress::Voice,
    verify,
};

/// What the operator asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Which snapshot; the newest, where nobody said.
    pub(crate) snapshot: Option<String>,
    /// Whether files that were lost before the backup may be missing.
    pub(crate) accepts_missing: bool,
}

/// Restores everything.
pub(crate) async fn run(
    sources: Sources,
    data: Option<&Path>,
    root: &Path,
    wanted: Wanted,
    voice: Voice,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let place = Place::load(sources, data)?;
    let folder = Arc::new(BackupFolder::open_to_read(root)?);
    let snapshot = choose(&folder, wanted.snapshot.as_deref())?;
    // First what costs nothing to find out, then the reading, and all of it before anything is changed.
    let manifest = readable(&snapshot)?;
    let mut database = None;
    let outcome = async {
        if place.has_database() {
            let there = database.insert(place.open().await?);
            check_vacancy(&there.catalog, &manifest).await?;
        }
        prove(&folder, &snapshot, &manifest, &wanted, &voice).await?;
        let database = match &mut database {
            Some(database) => database,
            none => none.insert(place.open_or_make().await?),
        };
        restore(&database.catalog, &place, &folder, &snapshot, &manifest, &voice).await
    }
    .await;
    if let Some(database) = database {
        database.close().await?;
    }
    outcome?;
    tell(&snapshot, &manifest, &place, begun, &voice);
    Ok(())
}

fn choose(folder: &BackupFolder, name: Option<&str>) -> Result<Snapshot, Failure> {
    let mut all = folder.snapshots()?;
    match name {
        Some(name) => verify::find(folder, all, name),
        None => all.pop().ok_or_else(|| {
            format!(
                "{} holds no finished snapshot · 没有可用的快照",
                folder.root().display()
            )
            .into()
        }),
    }
}

/// The manifest, where this program can restore what it speaks of.
fn readable(snapshot: &Snapshot) -> Result<Manifest, Failure> {
    let json = snapshot.manifest_bytes()?;
    let path = snapshot.path(MANIFEST);
    let manifest = Manifest::parse(&json, &path)
        .map_err(|error| format!("{error}. Nothing was changed · 未做任何改动"))?;
    if !vouches_for(snapshot, &json) {
        return Err(format!(
            "{} is damaged: it is not the one whose sum is the first in {SUMS}. Nothing was changed · 备份已损坏，未做任何改动",
            path.display()
        )
        .into());
    }
    if manifest.schema > newest_schema() {
        return Err(format!(
            "the snapshot {} is of schema V{}, and this berth knows no later one than V{}: use the release that made it ({}), or a \
             later one. Nothing was changed · 备份来自更新的版本，未做任何改动",
            snapshot.name,
            manifest.schema,
            newest_schema(),
            manifest.made_by
        )
        .into());
    }
    Ok(manifest)
}

/// Refuses a database that is not empty, or whose tables are later than the snapshot's.
async fn check_vacancy(catalog: &Catalog, manifest: &Manifest) -> Result<(), Failure> {
    let vacancy = find_vacancy(catalog).await?;
    if !vacancy.is_empty() {
        return Err(refusal(LoadError::Occupied(vacancy)));
    }
    if let Some(schema) = vacancy.schema.filter(|schema| *schema > manifest.schema) {
        return Err(format!(
            "the database has the tables of schema V{schema} already, and the snapshot is of V{}: restore into a database without \
             tables, which brings them up to date itself. Nothing was changed · 请恢复到没有表的数据库",
            manifest.schema
        )
        .into());
    }
    Ok(())
}

/// Reads all of the backup, and refuses it if it is not whole.
async fn prove(
    folder: &Arc<BackupFolder>,
    snapshot: &Snapshot,
    manifest: &Manifest,
    wanted: &Wanted,
    voice: &Voice,
) -> Result<(), Failure> {
    if !manifest.missing.is_empty() && !wanted.accepts_missing {
        return Err(format!(
            "the snapshot {} lacks {} files that were lost before it was taken (`missing` in its manifest.json names them). Restore an \
             older one (--snapshot), or this one without them (--accept-missing). Nothing was changed · 备份不完整，未做任何改动",
            snapshot.name,
            count(manifest.missing.len() as u64)
        )
        .into());
    }
    let (reading, of, telling) = (Arc::clone(folder), [snapshot.clone()], voice.clone());
    let findings = blocking(move || check(&reading, &of, &telling)).await?;
    verify::tell_missing(&findings, voice);
    if findings.damages.is_empty() {
        return Ok(());
    }
    verify::tell_damages(&findings.damages, voice);
    Err(format!(
        "the snapshot {} is damaged: {} files are not what they were. Nothing was changed. Try an older one (--snapshot), or another \
         copy of the backup · 备份已损坏，未做任何改动",
        snapshot.name,
        count(findings.bad())
    )
    .into())
}

/// Tables as they were, then bytes, then all rows in one transaction, then the tables as they are today. Killed before the rows
/// are there, it is begun again; killed after, only migrations are left, which every start applies.
async fn restore(
    catalog: &Catalog,
    place: &Place,
    folder: &Arc<BackupFolder>,
    snapshot: &Snapshot,
    manifest: &Manifest,
    voice: &Voice,
) -> Result<(), Failure> {
    migrate_to(catalog, manifest.schema).await?;
    put::put_blobs(place.writer()?, folder, snapshot, manifest, voice).await?;
    put_rows(catalog, snapshot, manifest, voice)
        .await
        .map_err(refusal)?;
    voice.begin("migrations 迁移");
    migrate(catalog).await?;
    voice.begin("figures 统计");
    if let Err(error) = analyze(catalog).await {
        voice.complain(format!(
            "{error}: everything is restored; lists may be slow until the database makes its figures itself"
        ));
    }
    voice.end();
    Ok(())
}

async fn put_rows(
    catalog: &Catalog,
    snapshot: &Snapshot,
    manifest: &Manifest,
    voice: &Voice,
) -> Result<(), LoadError> {
    voice.begin("rows 行");
    let load = Load::begin(catalog).await?;
    for table in &manifest.tables {
        let shape = TableShape {
            name: table.name.clone(),
            columns: table.columns.clone(),
        };
        let rows = load.copy_in(&shape, lines(snapshot, table)).await?;
        voice.advance(rows);
        if rows != table.rows {
            let what = format!("{} took {rows} rows instead of {}", table.name, table.rows);
            return Err(LoadError::Rows(what.into()));
        }
    }
    let sequences: Vec<_> = manifest.sequences.clone().into_iter().collect();
    load.finish(&sequences).await
}

/// The rows of a table, unpacked by a thread of its own.
fn lines(
    snapshot: &Snapshot,
    table: &TableEntry,
) -> impl futures_util::Stream<Item = Result<Bytes, Failure>> + use<> {
    let path = snapshot.path(&table.file());
    let (sender, receiver) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let unpack = || -> Result<(), Failure> {
            let file = std::fs::File::open(&path).map_err(at("open", &path))?;
            let mut rows = flate2::read::GzDecoder::new(file);
            loop {
                let mut piece = vec![0; PIECE_BYTES];
                let count = rows.read(&mut piece).map_err(at("read", &path))?;
                piece.truncate(count);
                if count == 0 || sender.blocking_send(Ok(piece.into())).is_err() {
                    return Ok(());
                }
            }
        };
        if let Err(error) = unpack() {
            let _nobody_reads_on = sender.blocking_send(Err(error));
        }
    });
    stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    })
}

/// In an operator's words.
fn refusal(error: LoadError) -> Failure {
    match error {
        LoadError::Occupied(there) => format!(
            "there is a berth here already: {} accounts and {} images. A restore fills an empty one, and changes nothing here: name an \
             empty database and an empty store (docs/OPERATIONS.md). To put lost files back into this one: berth restore DIR --only \
             ID. (Was a restore interrupted at its very end, all is here: start berth, and see) · 目标数据库不是空的，未做任何改动",
            count(there.accounts),
            count(there.images)
        )
        .into(),
        LoadError::Rows(error) => error,
        other => other.into(),
    }
}

fn tell(snapshot: &Snapshot, manifest: &Manifest, place: &Place, begun: Instant, voice: &Voice) {
    let next = if place.is_berthd() {
        "put the old `secret` into the data folder (or set BERTH_SECRET), then start berthd"
    } else {
        "set BERTH_SECRET to the old one, run `berth setup` (compose does it), then start the services"
    };
    voice.say(format!(
        "Restored {} images, {} files of {}, {} rows, from the snapshot {}, in {} · 恢复完成\n  \
           accounts 账号    {}, with the passwords and tokens of then; everybody signs in again\n  \
           again 重建       thumbnails and other sizes are made again by themselves\n  \
           next 下一步      {next}",
        count(manifest.images),
        count(manifest.blobs.files - manifest.missing.len() as u64),
        size(manifest.blobs.bytes),
        count(manifest.rows()),
        snapshot.name,
        time(begun.elapsed()),
        count(manifest.accounts),
    ));
}
