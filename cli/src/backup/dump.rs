//! Rows into the files of a snapshot.

use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    pin::pin,
};

use bytes::{Bytes, BytesMut};
use catalog::{Dump, TableShape};
use domain::Sha256;
use flate2::{Compression, write::GzEncoder};
use futures_util::TryStreamExt as _;
use tokio::sync::mpsc;

use super::{
    folder::{Snapshot, at},
    hashing::{Hashing, PIECE_BYTES},
    manifest::{Hex, TableEntry},
    workers::blocking,
};
use crate::{Failure, progress::Voice};

/// Pieces that may wait for the disk before Postgres is made to wait.
const PIECES_IN_FLIGHT: usize = 8;

/// Writes one table, as it comes.
pub(crate) async fn dump_table(
    dump: &Dump<'_>,
    table: &TableShape,
    snapshot: &Snapshot,
    voice: &Voice,
) -> Result<TableEntry, Failure> {
    let mut entry = TableEntry {
        name: table.name.clone(),
        columns: table.columns.clone(),
        rows: 0,
        bytes: 0,
        sha256: Hex(Sha256([0; 32])),
    };
    let path = snapshot.path(&entry.file());
    let (pieces, received) = mpsc::channel(PIECES_IN_FLIGHT);
    let writing = tokio::spawn(blocking(move || write(&path, received)));
    let mut rows = pin!(dump.copy_out(table).await?);
    let mut piece = BytesMut::with_capacity(PIECE_BYTES);
    // One message a row: too small to be handed over one by one.
    while let Some(row) = rows.try_next().await? {
        entry.rows += 1;
        voice.advance(1);
        piece.extend_from_slice(&row);
        if piece.len() >= PIECE_BYTES && pieces.send(piece.split().freeze()).await.is_err() {
            break; // the disk has failed; what follows says how
        }
    }
    let _disk_has_failed = pieces.send(piece.freeze()).await;
    drop(pieces);
    let (sha256, bytes) = writing.await??;
    (entry.sha256, entry.bytes) = (Hex(sha256), bytes);
    Ok(entry)
}

fn write(path: &Path, mut pieces: mpsc::Receiver<Bytes>) -> Result<(Sha256, u64), Failure> {
    let file = create(path)?;
    let hashing = Hashing::new(BufWriter::with_capacity(PIECE_BYTES, file));
    let mut encoder = GzEncoder::new(hashing, Compression::fast());
    while let Some(piece) = pieces.blocking_recv() {
        encoder.write_all(&piece).map_err(at("write", path))?;
    }
    let (writer, sha256, bytes) = encoder.finish().map_err(at("write", path))?.finish();
    let file = writer
        .into_inner()
        .map_err(|error| at("write", path)(error.into_error()))?;
    file.sync_all().map_err(at("sync", path))?;
    Ok((sha256, bytes))
}

fn create(path: &Path) -> Result<File, Failure> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(at("make", path))
}
