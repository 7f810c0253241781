//! Uploads that come in pieces, each a file of its own beside the staging folder until it is whole.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use bytes::Bytes;
use domain::PublicId;
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinHandle, spawn_blocking},
};

use crate::{
    BlobWriter, Error, Staged,
    disk::{Disk, sync_folder},
    staging::{FILE_MODE, PIECES_IN_FLIGHT, StagingName, hash_all, remove_upload},
};

/// A run of bytes that is being added to an upload. What was written before the last [`sync`](Self::sync) survives a power cut.
#[derive(Debug)]
pub struct Appending {
    orders: mpsc::Sender<Order>,
    writer: JoinHandle<Result<u64, Error>>,
}

#[derive(Debug)]
enum Order {
    Write(Bytes),
    Sync(oneshot::Sender<u64>),
}

impl Appending {
    /// Hands over the next bytes; waits while the disk is behind. False when the disk has failed:
    /// [`finish`](Self::finish) tells why.
    pub async fn write(&mut self, piece: Bytes) -> bool {
        self.orders.send(Order::Write(piece)).await.is_ok()
    }

    /// Makes everything durable that was handed over, and says how many bytes the upload has by now; none when the disk
    /// has failed.
    pub async fn sync(&mut self) -> Option<u64> {
        let (told, length) = oneshot::channel();
        self.orders.send(Order::Sync(told)).await.ok()?;
        length.await.ok()
    }

    /// Ends the run, everything durable, and says how many bytes the upload has by now.
    pub async fn finish(self) -> Result<u64, Error> {
        let Self { orders, writer } = self;
        drop(orders);
        joined(writer).await?
    }
}

fn append_all(
    mut file: File,
    path: &Path,
    mut length: u64,
    mut orders: mpsc::Receiver<Order>,
) -> Result<u64, Error> {
    while let Some(order) = orders.blocking_recv() {
        match order {
            Order::Write(piece) => {
                file.write_all(&piece).map_err(Error::at("write", path))?;
                length += piece.len() as u64;
            }
            Order::Sync(told) => {
                file.sync_data().map_err(Error::at("sync", path))?;
                let _nobody_waits_any_more = told.send(length);
            }
        }
    }
    file.sync_data().map_err(Error::at("sync", path))?;
    Ok(length)
}

impl BlobWriter {
    /// Begins an upload without bytes, durably. An id that is taken is an error.
    pub async fn begin_upload(&self, id: PublicId) -> Result<(), Error> {
        self.blocking(move |disk| {
            let path = disk.upload(id);
            create(&path)?;
            sync_folder(&disk.uploads())
        })
        .await
    }

    /// Goes on with an upload after its first `length` bytes; what was written behind them is dropped. None when its file
    /// is not there, or shorter than that.
    pub async fn append_upload(&self, id: PublicId, length: u64) -> Result<Option<Appending>, Error> {
        let opened = self
            .blocking(move |disk| {
                let path = disk.upload(id);
                let Some(mut file) = open(&path, length)? else {
                    return Ok(None);
                };
                file.set_len(length).map_err(Error::at("cut", &path))?;
                file.seek(SeekFrom::Start(length))
                    .map_err(Error::at("seek in", &path))?;
                Ok(Some((file, path)))
            })
            .await?;
        Ok(opened.map(|(file, path)| {
            let (orders, receiver) = mpsc::channel(PIECES_IN_FLIGHT);
            let writer = spawn_blocking(move || append_all(file, &path, length, receiver));
            Appending { orders, writer }
        }))
    }

    /// Makes one upload of several, one after the other, durably. False when one of them is not there in the length that
    /// is given.
    pub async fn join_uploads(&self, into: PublicId, parts: Vec<(PublicId, u64)>) -> Result<bool, Error> {
        self.blocking(move |disk| join(disk, into, &parts)).await
    }

    /// Hashes an upload that has come whole, to be published. The upload itself stays until
    /// [`drop_upload`](Self::drop_upload), so that a publication that fails may be tried again. None when its file is not
    /// there, or not as long as it should be.
    pub async fn gather_upload(&self, id: PublicId, length: u64) -> Result<Option<Staged>, Error> {
        let link = format!("{id}-{}", self.next_staging_name());
        self.blocking(move |disk| {
            let path = disk.upload(id);
            let Some(file) = open(&path, length)? else {
                return Ok(None);
            };
            // A name of its own: what is staged takes its name away when it is dropped.
            let name = StagingName(disk.staging().join(link));
            std::fs::hard_link(&path, &name.0).map_err(Error::at("link", &path))?;
            let staged = hash_all(file, name)?;
            Ok((staged.size_bytes() == length).then_some(staged))
        })
        .await
    }

    /// Drops an upload; one that is gone already is as good.
    pub async fn drop_upload(&self, id: PublicId) -> Result<(), Error> {
        self.blocking(move |disk| remove_upload(&disk.upload(id)).map(drop))
            .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Disk) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let disk = self.disk();
        joined(spawn_blocking(move || work(&disk))).await?
    }
}

async fn joined<T>(task: JoinHandle<T>) -> Result<T, Error> {
    task.await
        .map_err(|panic| Error::at("write", "an upload")(io::Error::other(panic)))
}

fn create(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(FILE_MODE);
    options.open(path).map_err(Error::at("create", path))
}

/// Opens an upload that has `length` bytes at least.
fn open(path: &Path, length: u64) -> Result<Option<File>, Error> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::at("open", path)(error)),
        Ok(file) => {
            let there = file.metadata().map_err(Error::at("look at", path))?.len();
            Ok((there >= length).then_some(file))
        }
    }
}

fn join(disk: &Disk, into: PublicId, parts: &[(PublicId, u64)]) -> Result<bool, Error> {
    let name = StagingName(disk.upload(into));
    let mut whole = create(&name.0)?;
    for (part, length) in parts {
        let path = disk.upload(*part);
        let Some(mut file) = open(&path, *length)? else {
            return Ok(false);
        };
        // Within the kernel, and without copying where the file system can share what two files have in common.
        let copied = io::copy(&mut file, &mut whole).map_err(Error::at("copy", &path))?;
        if copied != *length {
            return Ok(false);
        }
    }
    whole.sync_data().map_err(Error::at("sync", &name.0))?;
    sync_folder(&disk.uploads())?;
    name.keep();
    Ok(true)
}
