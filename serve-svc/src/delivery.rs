//! How the bytes of a picture leave: we send them, or nginx does at our word (`X-Accel-Redirect`).
//!
//! Both ways give the same answer. What differs is who cuts a range (nginx cuts its own: it is told 200) and who opens
//! the file; that it is there is checked here in any case, for a picture whose file is lost is answered like one that
//! never was.

mod hot;
mod reply_body;

use std::{
    io,
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use blobs::{BlobReader, OpenBlob, Pieces, StoreSettings};
use bytes::Bytes;
use domain::VariantKey;
use http::HeaderValue;
use sha2::{Digest as _, Sha256 as Sha256Hasher};

pub use reply_body::ReplyBody;

use crate::{answer::range::ByteRange, shelf::Shelved};
pub(crate) use hot::Digest;
use hot::Hot;

/// Who sends the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// serve-svc.
    #[default]
    Stream,
    /// nginx, from its internal location `/_blobs/`.
    Accel,
}

impl FromStr for Delivery {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "stream" => Ok(Self::Stream),
            "accel" => Ok(Self::Accel),
            _ => Err("expected stream or accel"),
        }
    }
}

/// Files up to this size may stay in memory. At 100 KB a view from there costs 20 µs of a core, one that reads the file
/// 26; of larger files the copy into the socket is nearly all.
const SMALL_BYTES: u64 = 128 << 10;

/// How long a file that was seen is taken to be there still, when nginx is the one who opens it. Under a live image
/// nothing unlinks a blob; this is about disks that lose files, not about withdrawn pictures.
const SEEN_FOR: Duration = Duration::from_secs(1);

/// Where the bytes of a picture rest.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// At the image's own key.
    Blob,
    /// Beside it.
    Variant(VariantKey),
}

/// The file of an image is not there, or not all of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// No file, or one of another size.
    #[error("an image's file is not there, or is of another size than it was")]
    Gone,
    /// The bytes are not those that were uploaded.
    #[error("an image's file is damaged")]
    Damaged,
    /// The disk did not say.
    #[error("an image's file can't be read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server of the blobs did not say. It may, later.
    #[error("an image's bytes are out of reach")]
    Away(#[source] blobs::Error),
}

/// Finds bytes.
#[derive(Debug)]
pub(crate) struct Depot {
    blobs: BlobReader,
    is_remote: bool,
    mode: Delivery,
    hot: Hot,
    began: Instant,
}

impl Depot {
    pub(crate) fn new(store: &StoreSettings, mode: Delivery) -> Self {
        let is_remote = store.is_remote();
        Self {
            blobs: BlobReader::new(store),
            is_remote,
            // What is in a bucket nginx can't open.
            mode: if is_remote { Delivery::Stream } else { mode },
            hot: Hot::default(),
            began: Instant::now(),
        }
    }

    pub(crate) fn mode(&self) -> Delivery {
        self.mode
    }

    pub(crate) fn blobs(&self) -> &BlobReader {
        &self.blobs
    }

    /// This part of the image's bytes, on its way.
    pub(crate) async fn open(&self, image: &Shelved, part: ByteRange) -> Result<Payload, Lost> {
        refuse_damaged(image)?;
        let is_small = image.size_bytes <= SMALL_BYTES;
        if is_small && let Some(bytes) = self.hot.get(image.digest) {
            return Ok(cut(&bytes, part));
        }
        if !is_small || !self.hot.wants(image.digest) {
            let blob = self.blob(image, part).await?;
            return Ok(Payload::Pieces(blob.into_pieces()));
        }
        let whole = self.blob(image, ByteRange::whole(image.size_bytes)).await?;
        let bytes = whole
            .into_pieces()
            .read_all()
            .await
            .map_err(|error| self.broken(error))?;
        // INVARIANT: what stays in memory is what was uploaded. It would be shown long after the file was healed.
        if hot::digest_of(&Sha256Hasher::digest(&bytes).into()) != image.digest {
            return Err(Lost::Damaged);
        }
        self.hot.keep(image.digest, &bytes);
        Ok(cut(&bytes, part))
    }

    /// Makes sure that the image's bytes are there, without reading any. Of a bucket that is not asked: its objects don't get lost as
    /// files do, and the row knows all that is answered.
    pub(crate) async fn look_at(&self, image: &Shelved) -> Result<(), Lost> {
        refuse_damaged(image)?;
        if self.is_remote {
            return Ok(());
        }
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now < image.seen.until.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.blob(image, ByteRange::whole(image.size_bytes)).await?;
        let until = now.saturating_add(u64::try_from(SEEN_FOR.as_millis()).unwrap_or_default());
        image.seen.until.store(until, Ordering::Relaxed);
        Ok(())
    }

    /// Bytes that broke off.
    fn broken(&self, error: io::Error) -> Lost {
        if self.is_remote {
            Lost::Away(blobs::Error::Away {
                operation: "read",
                object: "an image".to_owned(),
                source: error.into(),
            })
        } else {
            unreadable(error)
        }
    }

    async fn blob(&self, image: &Shelved, part: ByteRange) -> Result<OpenBlob, Lost> {
        let part = part.first..=part.last;
        let opened = match &image.place {
            Place::Blob => self.blobs.open(&image.key, part).await,
            Place::Variant(key) => self.blobs.open_variant(key, part).await,
        };
        let opened = opened.map_err(|error| {
            if error.is_remote() {
                Lost::Away(error)
            } else {
                unreadable(error)
            }
        });
        let blob = opened?.ok_or(Lost::Gone)?;
        if blob.size_bytes() == image.size_bytes {
            Ok(blob)
        } else {
            Err(Lost::Gone)
        }
    }
}

/// What was found damaged is not shown, whatever the file looks like from outside.
fn refuse_damaged(image: &Shelved) -> Result<(), Lost> {
    if image.is_damaged {
        Err(Lost::Damaged)
    } else {
        Ok(())
    }
}

/// When an image's file was last seen, in milliseconds of the [`Depot`] that saw it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    until: AtomicU64,
}

/// Where nginx finds the bytes: `X-Accel-Redirect`.
pub(crate) fn accel_path(key: &str) -> HeaderValue {
    HeaderValue::try_from(format!("/_blobs/{key}")).unwrap_or(HeaderValue::from_static(""))
}

/// What a reply carries.
pub(crate) enum Payload {
    /// Nothing.
    Empty,
    /// Bytes in memory.
    Bytes(Bytes),
    /// Pieces of a file.
    Pieces(Pieces),
}

/// A part of bytes in memory.
fn cut(bytes: &Bytes, part: ByteRange) -> Payload {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    Payload::Bytes(bytes.slice(place(part.first)..place(part.last.saturating_add(1))))
}

fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Lost {
    Lost::Unreadable(error.into())
}
