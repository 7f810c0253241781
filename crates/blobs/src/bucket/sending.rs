use std::{fs::File, os::unix::fs::FileExt as _, sync::Arc};

use bytes::Bytes;
use domain::Sha256;
use futures_util::StreamExt as _;
use md5::{Digest as _, Md5 as Md5Hasher};
use object_store::{
    MultipartUpload, ObjectStore as _, ObjectStoreExt as _, PutMultipartOptions, PutPayload, path::Path,
};
use sha2::Sha256 as Sha256Hasher;
use tokio::task::spawn_blocking;

use super::Bucket;
use crate::Error;

/// Files of more bytes go up before their row is locked; smaller ones while it is, in one request.
pub(crate) const SMALL_BYTES: u64 = 1 << 20;
/// What a part holds: the least that the protocol allows, since it is in memory while it is sent. 10,000 of them are 48 GiB.
const PART_BYTES: u64 = 5 << 20;
/// Files that are sent at once; others wait. It bounds the memory that parts take.
pub(super) const AT_ONCE: usize = 8;

/// A file that is to be sent, hashed before.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) file: Arc<File>,
    pub(crate) size_bytes: u64,
    pub(crate) sha256: Sha256,
}

impl Parcel {
    pub(crate) fn is_small(&self) -> bool {
        self.size_bytes <= SMALL_BYTES
    }

    /// Some of its bytes, with their MD5.
    async fn read(&self, offset: u64, length: u64) -> Result<(Bytes, [u8; 16]), Error> {
        let file = Arc::clone(&self.file);
        let reading = spawn_blocking(move || {
            let mut bytes = vec![0; usize::try_from(length).map_err(std::io::Error::other)?];
            file.read_exact_at(&mut bytes, offset)?;
            let md5 = Md5Hasher::digest(&bytes).into();
            Ok((bytes.into(), md5))
        });
        let outcome = reading
            .await
            .unwrap_or_else(|panic| Err(std::io::Error::other(panic)));
        outcome.map_err(Error::at("read", "a staging file"))
    }
}

/// A file whose parts are in the store, and which is no object yet: nobody can see it before it is [completed](Self::complete).
/// Dropped before that, the store is told to forget it; what a killed process leaves the store forgets by its rule for incomplete
/// uploads.
#[derive(Debug)]
pub(crate) struct Ahead {
    path: Path,
    upload: Option<Box<dyn MultipartUpload>>,
    etag: String,
}

/// Bytes that were found in the store, and read.
#[derive(Debug)]
pub(crate) struct There {
    pub(crate) path: Path,
    etag: Option<String>,
}

/// What was done for a large file before its row was locked.
#[derive(Debug)]
pub(crate) enum Sent {
    /// Its parts went up.
    Parts(Ahead),
    /// It was there.
    There(There),
}

impl Ahead {
    pub(crate) fn is_for(&self, path: &Path) -> bool {
        self.path == *path
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        let Some(mut upload) = self.upload.take() else {
            return;
        };
        let path = self.path.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = upload.abort().await {
                    tracing::warn!(%path, %error, "the parts of an upload that was given up stay in the store until its own rule removes them");
                }
            });
        }
    }
}

impl Bucket {
    /// Puts a file into the store for good, whatever is there.
    ///
    /// INVARIANT: the lock of the row that says which bytes belong there is held. The store itself lets anybody write anything.
    pub(crate) async fn send(&self, parcel: &Parcel, path: &Path) -> Result<(), Error> {
        if !parcel.is_small() {
            let ahead = self.send_ahead(parcel, path).await?;
            return self.complete(parcel, ahead).await;
        }
        let _turn = self.sending.acquire().await;
        let (bytes, md5) = parcel.read(0, parcel.size_bytes).await?;
        let put = self.store.put(path, PutPayload::from_bytes(bytes)).await;
        let put = put.map_err(Error::of_bucket("write", path))?;
        // The request's signature covers the SHA-256 of its bytes. A server that does not check that tells by the tag what it has.
        if is_etag(put.e_tag.as_deref(), &hex::encode(md5)) {
            return Ok(());
        }
        match self.find(parcel, path).await? {
            Some(_) => Ok(()),
            None => Err(damaged(
                path,
                "the server said that it is written, and other bytes are there",
            )),
        }
    }

    /// Sends the parts of a file.
    pub(crate) async fn send_ahead(&self, parcel: &Parcel, path: &Path) -> Result<Ahead, Error> {
        let _turn = self.sending.acquire().await;
        let upload = self
            .store
            .put_multipart_opts(path, PutMultipartOptions::default())
            .await;
        // From here on whatever goes wrong drops it, which aborts it.
        let mut ahead = Ahead {
            path: path.clone(),
            upload: Some(upload.map_err(Error::of_bucket("begin to write", path))?),
            etag: String::new(),
        };
        let (mut offset, mut parts, mut md5s) = (0, 0_u32, Md5Hasher::new());
        while offset < parcel.size_bytes {
            let length = PART_BYTES.min(parcel.size_bytes - offset);
            let (bytes, md5) = parcel.read(offset, length).await?;
            let Some(upload) = &mut ahead.upload else { break };
            let sent = upload.put_part(PutPayload::from_bytes(bytes)).await;
            sent.map_err(Error::of_bucket("write a part of", path))?;
            md5s.update(md5);
            parts += 1;
            offset += length;
        }
        ahead.etag = format!("{}-{parts}", hex::encode(md5s.finalize()));
        Ok(ahead)
    }

    /// Makes an object of parts that were sent.
    ///
    /// INVARIANT: as for [`send`](Self::send).
    pub(crate) async fn complete(&self, parcel: &Parcel, mut ahead: Ahead) -> Result<(), Error> {
        let path = ahead.path.clone();
        let Some(mut upload) = ahead.upload.take() else {
            return Ok(());
        };
        match upload.complete().await {
            Ok(put) if is_etag(put.e_tag.as_deref(), &ahead.etag) => Ok(()),
            // Each part's request was signed over its bytes; whether all of them were put together is told by the length.
            Ok(_) => match self.look_at(&path).await? {
                Some((size_bytes, _)) if size_bytes == parcel.size_bytes => Ok(()),
                _ => Err(damaged(
                    &path,
                    "the server said that it is complete, and it is not",
                )),
            },
            Err(error) => {
                // The answer may have been lost, not the object.
                if let Ok(Some(_)) = self.find(parcel, &path).await {
                    return Ok(());
                }
                ahead.upload = Some(upload);
                Err(Error::of_bucket("complete", &path)(error))
            }
        }
    }

    /// Whether exactly these bytes are at a path; then the tag by which they are known there.
    ///
    /// SECURITY: neither the name nor the length tells. A transaction that failed leaves an object that no row speaks of, and another
    /// file of the same MD5 and length can be made to come after it. And bytes rot.
    pub(crate) async fn find(&self, parcel: &Parcel, path: &Path) -> Result<Option<There>, Error> {
        let Some(mut flow) = self.get(path, &(0..u64::MAX)).await? else {
            return Ok(None);
        };
        if flow.size_bytes != parcel.size_bytes {
            return Ok(None);
        }
        let mut hasher = Sha256Hasher::new();
        while let Some(piece) = flow.bytes.next().await {
            hasher.update(piece.map_err(|error| damaged(path, &error.to_string()))?);
        }
        let is_right = parcel.sha256 == Sha256(hasher.finalize().into());
        Ok(is_right.then(|| There {
            path: path.clone(),
            etag: flow.etag,
        }))
    }

    /// Whether what was found is there still.
    pub(crate) async fn is_still(&self, parcel: &Parcel, there: &There) -> Result<bool, Error> {
        let seen = self.look_at(&there.path).await?;
        Ok(seen.is_some_and(|(size_bytes, etag)| size_bytes == parcel.size_bytes && etag == there.etag))
    }
}

fn damaged(path: &Path, reason: &str) -> Error {
    Error::Away {
        operation: "write",
        object: path.to_string(),
        source: reason.to_owned().into(),
    }
}

fn is_etag(told: Option<&str>, expected: &str) -> bool {
    told.is_some_and(|told| told.trim_matches('"').eq_ignore_ascii_case(expected))
}
