//! image-proxy's `GET /download_db`: every content of the host as an `SQLite` file, for its administrators.
//!
//! It is written page by page, as of one moment, into a file that has lost its name before the first byte is sent: no more is in memory
//! than a few pages of rows, and nothing is left of it, however the download ends.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use blobs::Scratch;
use bytes::Bytes;
use catalog::{ContentRecord, Role};
use domain::{Refusal, Scope};
use futures_util::{Stream, stream};
use http::{
    HeaderValue,
    header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE},
};
use sqlite_snapshot::{Snapshot, SnapshotImage};
use tokio::sync::mpsc::{self, Receiver};
use warp::{Reply as _, reply::Response};

use super::{
    image_proxy::{Denied, enter},
    reply,
};
use crate::{Service, identity::require, problem::Failure, routes::Asked};

pub(super) const ROUTE: &str = "GET /download_db";
/// Pages that may wait for the disk.
const PAGES_AHEAD: usize = 1;
/// Bytes that are read at a time.
const PIECE: usize = 256 << 10;

pub(super) async fn download(service: Service, asked: Asked) -> Response {
    match snapshot(&service, &asked).await {
        Ok((file, bytes)) => {
            let mut response = reply::finish(ROUTE, warp::reply::stream(pieces(file)).into_response());
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/vnd.sqlite3"));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
            let name = HeaderValue::from_static("attachment; filename=\"images.db\"");
            headers.insert(CONTENT_DISPOSITION, name);
            response
        }
        Err(why) => why.response(ROUTE, &service),
    }
}

/// The file and its length. SECURITY: it tells of everybody's images, private ones too, so who may not manage the host gets nothing.
async fn snapshot(service: &Service, asked: &Asked) -> Result<(File, u64), Denied> {
    let bearer = enter(service, asked)
        .await?
        .of_whole_account()
        .map_err(Failure::from)?;
    require(&bearer, Scope::Admin).map_err(Failure::from)?;
    if bearer.role != Role::Admin {
        return Err(Failure::from(Refusal::ScopeMissing(Scope::Admin)).into());
    }
    let scratch = service.writer().scratch().map_err(Failure::from)?;
    let one_at_a_time = service.snapshots().lock().await;
    fill(service, &scratch).await?;
    drop(one_at_a_time);
    Ok(scratch.into_file().map_err(Failure::from)?)
}

async fn fill(service: &Service, scratch: &Scratch) -> Result<(), Failure> {
    let (pages, received) = mpsc::channel(PAGES_AHEAD);
    let path = scratch.path().to_owned();
    let writing = tokio::task::spawn_blocking(move || write(&path, received));
    let read = catalog::read_contents(service.catalog(), pages, service.now()).await;
    // The writer is awaited whatever the reader says: it has the file open.
    let written = writing.await?;
    read?;
    let kind = |error: &sqlite_snapshot::Error| {
        if error.is_full() {
            io::ErrorKind::StorageFull
        } else {
            io::ErrorKind::Other
        }
    };
    written.map_err(|error| scratch.unwritable(io::Error::new(kind(&error), error)).into())
}

fn write(path: &Path, mut pages: Receiver<Vec<ContentRecord>>) -> Result<(), sqlite_snapshot::Error> {
    let mut snapshot = Snapshot::create(path)?;
    while let Some(page) = pages.blocking_recv() {
        let images: Vec<SnapshotImage> = page.into_iter().map(image).collect();
        snapshot.add(&images)?;
    }
    snapshot.finish()
}

fn image(content: ContentRecord) -> SnapshotImage {
    SnapshotImage {
        md5: content.md5.to_string(),
        path: content.key,
        created_at: content.created_at.as_second(),
        original_name: content.name,
        width: content.width,
        height: content.height,
        access_count: content.accesses,
        file_size: content.size_bytes,
        updated_at: content.updated_at.as_second(),
    }
}

/// A file in pieces, read on a thread that may wait for the disk.
fn pieces(file: File) -> impl Stream<Item = Result<Bytes, io::Error>> + Send + Sync {
    stream::try_unfold(file, async |mut file| {
        let reading = tokio::task::spawn_blocking(move || {
            let mut piece = Vec::with_capacity(PIECE);
            file.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
            Ok::<_, io::Error>((piece, file))
        });
        let (piece, file) = reading.await.map_err(io::Error::other)??;
        Ok((!piece.is_empty()).then(|| (piece.into(), file)))
    })
}
