//! `berth restore --only`: files of a live berth that are lost or damaged, back from the backup. No row is touched, but
//! for the mark that a blob is damaged.

use std::{path::Path, sync::Arc};

use blobs::BlobWriter;
use catalog::{
    Catalog, StoredBlob, find_stored_by_id, find_stored_by_md5, hold_blob, list_damaged_blobs,
    mark_blob_whole,
};
use domain::{Md5, PublicId};
use process::{Clock, settings::Sources};

use super::put::stage;
use crate::{
    Failure,
    backup::{
        folder::{BackupFolder, blob_file},
        hashing::hash_file,
        source::Source,
        workers::blocking,
    },
    database::Place,
    figures::count,
    progress::Voice,
    verify::find_fault,
};

/// What became of one blob.
enum Outcome {
    Whole,
    Healed,
    /// The backup does not have its bytes.
    Unknown,
    /// It was swept meanwhile.
    Gone,
}

/// Heals the blobs under these ids, or with these MD5s.
pub(crate) async fn run(
    sources: Sources,
    data: Option<&Path>,
    root: &Path,
    only: &[String],
    voice: Voice,
) -> Result<(), Failure> {
    let place = Place::load(sources, data)?;
    let folder = BackupFolder::open_to_read(root)?;
    let (source, writer) = (Source::new(place.reader().await?), place.writer()?);
    let database = place.open().await?;
    let outcome = heal_all(&database.catalog, &source, &writer, &folder, only, &voice).await;
    database.close().await?;
    let (healed, whole, failed) = outcome?;
    voice.say(format!(
        "Healed {} files; {} were whole already · 已修复 {0} 个文件",
        count(healed),
        count(whole)
    ));
    if failed == 0 {
        Ok(())
    } else {
        Err(format!(
            "{} could not be healed; see above · 部分文件未能修复",
            count(failed)
        )
        .into())
    }
}

async fn heal_all(
    catalog: &Catalog,
    source: &Source,
    writer: &BlobWriter,
    folder: &BackupFolder,
    only: &[String],
    voice: &Voice,
) -> Result<(u64, u64, u64), Failure> {
    let (mut healed, mut whole, mut failed) = (0, 0, 0);
    for name in only {
        let blobs = find(catalog, name).await?;
        if blobs.is_empty() && name != DAMAGED {
            voice.complain(format!("{name}: there is no such image · 没有该图片"));
            failed += 1;
        }
        for blob in blobs {
            match heal(catalog, source, writer, folder, &blob).await? {
                Outcome::Whole => whole += 1,
                Outcome::Healed => {
                    healed += 1;
                    voice.say(format!("{name}: {} is back · 已恢复", blob.key));
                }
                Outcome::Unknown => {
                    failed += 1;
                    voice.complain(format!(
                        "{name}: the backup does not have the bytes of {} (SHA-256 {}), or not undamaged · 备份中没有该文件",
                        blob.key, blob.sha256
                    ));
                }
                Outcome::Gone => {
                    failed += 1;
                    voice.complain(format!("{name}: it was removed meanwhile · 已被删除"));
                }
            }
        }
    }
    Ok((healed, whole, failed))
}

/// Every blob that the janitor found damaged.
const DAMAGED: &str = "damaged";

async fn find(catalog: &Catalog, name: &str) -> Result<Vec<StoredBlob>, Failure> {
    if name == DAMAGED {
        return find_damaged(catalog).await;
    }
    if let Ok(md5) = name.parse::<Md5>() {
        return Ok(find_stored_by_md5(catalog, md5).await?);
    }
    let id: PublicId = name.parse().map_err(|_| {
        format!(
            "{name:?} is neither the id of an image nor an MD5, nor the word {DAMAGED} · 不是图片 ID 或 MD5"
        )
    })?;
    Ok(find_stored_by_id(catalog, id).await?.into_iter().collect())
}

async fn find_damaged(catalog: &Catalog) -> Result<Vec<StoredBlob>, Failure> {
    const PAGE: i64 = 1_000;
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = list_damaged_blobs(catalog, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.id;
        all.extend(page.into_iter().map(|blob| StoredBlob {
            id: blob.id,
            sha256: blob.sha256,
            key: blob.key,
            size_bytes: blob.size_bytes,
        }));
    }
}

async fn heal(
    catalog: &Catalog,
    source: &Source,
    writer: &BlobWriter,
    folder: &BackupFolder,
    blob: &StoredBlob,
) -> Result<Outcome, Failure> {
    let (reading, looked) = (source.clone(), blob.clone());
    if blocking(move || find_fault(&looked, &reading, &Voice::new(true)))
        .await?
        .is_none()
    {
        // Somebody may have put the file back by hand.
        mark_blob_whole(catalog, blob.id, Clock::system().now()).await?;
        return Ok(Outcome::Whole);
    }
    let extension = blob.key.as_str().rsplit('.').next().unwrap_or_default();
    let path = folder.root().join(blob_file(blob.sha256, extension));
    if hash_file(&path, |_| {})?.is_none_or(|(found, _)| found != blob.sha256) {
        return Ok(Outcome::Unknown);
    }
    let staged = Arc::new(stage(writer, &path, blob.sha256).await?);
    writer.send_ahead(&staged, &blob.key).await?;
    let put = hold_blob(catalog, blob, Clock::system().now(), || {
        writer.publish(staged, blob.key.clone())
    })
    .await?;
    match put {
        Some(published) => published.map(|()| Outcome::Healed).map_err(Into::into),
        None => Ok(Outcome::Gone),
    }
}
