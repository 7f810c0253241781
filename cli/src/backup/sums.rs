//! `SHA256SUMS` of a snapshot: a line for each file, as `sha256sum -c` reads it in the snapshot's folder.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
};

use domain::Sha256;

use super::{
    folder::{BackupFolder, MANIFEST, SUMS, Snapshot, at},
    hashing::{PIECE_BYTES, sha256},
    manifest::Manifest,
    rows::BlobRows,
};
use crate::Failure;

/// From a snapshot's folder to that of all backups.
const UP: &str = "../../";

/// Hands over every line that the file must have: it follows from the manifest and the rows.
fn each_line(
    snapshot: &Snapshot,
    manifest: &Manifest,
    manifest_json: &[u8],
    mut line: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    line(&format!("{}  {MANIFEST}\n", sha256(manifest_json)))?;
    for table in &manifest.tables {
        line(&format!("{}  {}\n", table.sha256.0, table.file()))?;
    }
    let missing: HashSet<Sha256> = manifest.missing.iter().map(|blob| blob.sha256.0).collect();
    for blob in BlobRows::open(snapshot, manifest)? {
        let blob = blob?;
        if !missing.contains(&blob.sha256) {
            line(&format!("{}  {UP}{}\n", blob.sha256, blob.file()))?;
        }
    }
    Ok(())
}

/// Writes it.
pub(crate) fn write(
    folder: &BackupFolder,
    snapshot: &Snapshot,
    manifest: &Manifest,
    manifest_json: &[u8],
) -> Result<(), Failure> {
    let draft = folder.draft()?;
    let mut writer = BufWriter::with_capacity(PIECE_BYTES, &draft.file);
    each_line(snapshot, manifest, manifest_json, |line| {
        writer
            .write_all(line.as_bytes())
            .map_err(at("write", draft.path()))
    })?;
    writer.flush().map_err(at("write", draft.path()))?;
    drop(writer);
    draft.keep_at(&snapshot.path(SUMS))
}

/// Holds it against what it must be; says what is wrong with it. It vouches for the manifest, and the manifest for the tables.
pub(crate) fn find_fault(
    snapshot: &Snapshot,
    manifest: &Manifest,
    manifest_json: &[u8],
) -> Result<Option<String>, Failure> {
    let path = snapshot.path(SUMS);
    let Ok(file) = File::open(&path) else {
        return Ok(Some("it is not there, or can't be opened".to_owned()));
    };
    let mut lines = BufReader::with_capacity(PIECE_BYTES, file);
    let (mut found, mut number, mut fault) = (Vec::new(), 0_u64, None);
    each_line(snapshot, manifest, manifest_json, |expected| {
        number += 1;
        found.clear();
        lines.read_until(b'\n', &mut found).map_err(at("read", &path))?;
        if found != expected.as_bytes() && fault.is_none() {
            fault = Some(format!(
                "its line {number} is not what {MANIFEST} and the rows say"
            ));
        }
        Ok(())
    })?;
    if fault.is_none() && !lines.fill_buf().map_err(at("read", &path))?.is_empty() {
        fault = Some(format!("it has more than the {number} lines that it should"));
    }
    Ok(fault)
}

/// Whether its first line vouches for this manifest.
pub(crate) fn vouches_for(snapshot: &Snapshot, manifest_json: &[u8]) -> bool {
    let expected = format!("{}  {MANIFEST}\n", sha256(manifest_json));
    let mut first = String::new();
    File::open(snapshot.path(SUMS))
        .and_then(|file| BufReader::new(file).read_line(&mut first))
        .is_ok()
        && first == expected
}
