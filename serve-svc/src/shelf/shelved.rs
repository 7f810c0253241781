use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use catalog::{LiveImage, VariantRecord};
use domain::{BlobKey, Expiry, MediaType, PublicId, Sha256, VariantFormat, VariantKey, Visibility, is_live};
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};

use crate::{
    answer::{conditional::Validators, disposition::disposition},
    delivery::{Digest, Place, Seen, accel_path},
    embedding::{Embedding, Embeddings},
    variants::Variants,
};

/// So long after it was answered, a view is in the database: folds are a second apart.
const SETTLED: Duration = Duration::from_secs(3);
/// For how long an image that views keep alive is believed to live while the database is away.
const KEPT: SignedDuration = SignedDuration::from_secs(60);

/// Hexadecimal digits of the SHA-256 in an entity tag: 128 bits, so that no two files ever share one.
const ETAG_DIGITS: usize = 32;

/// An image on the shelf: what a view needs of its row, with the headers that never change for it already written.
#[derive(Debug)]
pub(crate) struct Shelved {
    /// Its row.
    pub(crate) row: i64,
    pub(crate) public_id: PublicId,
    pub(crate) blob_id: i64,
    pub(crate) key: BlobKey,
    /// Where the bytes rest: at the key, or beside it if this is a variant.
    pub(crate) place: Place,
    /// What the bytes are.
    pub(crate) digest: Digest,
    /// Whether the blob's own bytes were found lost or changed; its variants are files of their own.
    pub(crate) is_damaged: bool,
    pub(crate) size_bytes: u64,
    pub(crate) media_type: MediaType,
    pub(crate) dimensions: Option<(u32, u32)>,
    name: String,
    pub(crate) visibility: Visibility,
    /// The album that it is in.
    pub(crate) album: i64,
    /// How often its signed links were taken back.
    pub(crate) link_generation: i32,
    /// Who may embed it.
    pub(crate) embedding: Arc<Embedding>,
    pub(crate) expiry: Expiry,
    /// Whether views keep it alive, so that it may end later than that.
    slides: bool,
    modified: i64,
    pub(crate) etag: HeaderValue,
    pub(crate) last_modified: HeaderValue,
    pub(crate) disposition: HeaderValue,
    /// Where nginx finds the bytes.
    pub(crate) accel: HeaderValue,
    pub(crate) seen: Seen,
    pub(crate) variants: Variants,
}

impl Shelved {
    pub(crate) fn new(image: LiveImage, embeddings: &Embeddings) -> Self {
        let (digest, etag) = digest_and_etag(&image.sha256);
        let modified = image.updated_at.as_second().max(0);
        Self {
            row: image.id,
            public_id: image.public_id,
            digest,
            is_damaged: image.is_damaged,
            size_bytes: image.size_bytes,
            media_type: image.media_type,
            dimensions: image.dimensions,
            visibility: image.visibility,
            album: image.album_id,
            link_generation: image.link_generation,
            embedding: embeddings.of(image.rules),
            expiry: image.expiry,
            slides: image.slides,
            modified,
            etag,
            last_modified: header(http_date(modified)),
            disposition: disposition(&image.name, image.media_type),
            accel: accel_path(image.key.as_str()),
            seen: Seen::default(),
            variants: Variants::default(),
            name: image.name,
            blob_id: image.blob_id,
            place: Place::Blob,
            key: image.key,
        }
    }

    /// The same image in a variant's bytes: counted, judged and ended as the image is.
    pub(crate) fn variant(&self, variant: &VariantRecord) -> Self {
        let (digest, etag) = digest_and_etag(&variant.sha256);
        let key = VariantKey::new(&self.key, variant.named_width, variant.format);
        let media_type = match variant.format {
            VariantFormat::Webp => MediaType::Webp,
            VariantFormat::Jpeg => MediaType::Jpeg,
        };
        Self {
            row: self.row,
            public_id: self.public_id,
            blob_id: self.blob_id,
            key: self.key.clone(),
            digest,
            is_damaged: false,
            size_bytes: variant.size_bytes,
            media_type,
            dimensions: Some((variant.width, variant.height)),
            name: self.name.clone(),
            visibility: self.visibility,
            album: self.album,
            link_generation: self.link_generation,
            embedding: Arc::clone(&self.embedding),
            expiry: self.expiry,
            slides: self.slides,
            modified: self.modified,
            etag,
            last_modified: self.last_modified.clone(),
            disposition: disposition(&self.name, media_type),
            accel: accel_path(key.as_str()),
            seen: Seen::default(),
            variants: Variants::default(),
            place: Place::Variant(key),
        }
    }

    /// Whether it is there at `now` at all, for whomever.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        is_live(self.expiry, now)
    }

    /// Whether its end has passed, but views that came before it may have moved it on: the database must be asked.
    pub(crate) fn may_have_slid(&self, now: Timestamp) -> bool {
        self.slides && !self.is_live(now)
    }

    /// How long to wait until every view that came before its end is in the database; nothing where that is so.
    pub(crate) fn unsettled(&self, now: Timestamp) -> Option<Duration> {
        let since = now.duration_since(self.expiry.at().filter(|_| self.may_have_slid(now))?);
        SETTLED
            .checked_sub(since.unsigned_abs())
            .filter(|wait| !wait.is_zero())
    }

    /// The same, alive a little longer: nobody can say now whether views have moved its end.
    pub(crate) fn kept(&self, now: Timestamp) -> Self {
        let until = now.checked_add(KEPT).unwrap_or(now);
        Self {
            expiry: Expiry::At(until),
            etag: self.etag.clone(),
            last_modified: self.last_modified.clone(),
            disposition: self.disposition.clone(),
            accel: self.accel.clone(),
            key: self.key.clone(),
            place: self.place.clone(),
            name: self.name.clone(),
            embedding: Arc::clone(&self.embedding),
            seen: Seen::default(),
            variants: Variants::default(),
            ..*self
        }
    }

    /// Whether a path that carries its MD5 shows it at `now`.
    pub(crate) fn is_shown_by_path(&self, now: Timestamp) -> bool {
        self.is_live(now) && self.visibility != Visibility::Private
    }

    pub(crate) fn validators(&self) -> Validators<'_> {
        Validators {
            etag: self.etag.to_str().unwrap_or_default(),
            modified: self.modified,
        }
    }
}

/// By what bytes are known in memory, and their entity tag.
fn digest_and_etag(sha256: &Sha256) -> (Digest, HeaderValue) {
    let mut digits = sha256.to_string();
    digits.truncate(ETAG_DIGITS);
    let digest = Digest::from_str_radix(&digits, 16).unwrap_or_default();
    (digest, header(format!("\"{digits}\"")))
}

fn http_date(seconds: i64) -> String {
    // INVARIANT: `seconds` is not negative, and a year of more than four digits does not come out of Postgres.
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs()))
}

fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shelf::tests::{embeddings, image};

    #[test]
    fn the_validators_are_those_of_the_bytes_and_of_the_upload() {
        let mut image = image(1);
        image.sha256 = domain::Sha256([0xab; 32]);
        image.updated_at = "2026-11-21T09:00:00.75Z".parse().unwrap();
        let shelved = Shelved::new(image, &embeddings());
        assert_eq!(shelved.etag, "\"abababababababababababababababab\"");
        assert_eq!(shelved.last_modified, "Sat, 21 Nov 2026 09:00:00 GMT");
        assert_eq!(shelved.validators().etag, "\"abababababababababababababababab\"");
    }

    #[test]
    fn a_path_shows_images_that_are_not_private_until_they_expire() {
        let now: Timestamp = "2026-11-21T09:00:00Z".parse().unwrap();
        for (visibility, expiry, shown) in [
            (Visibility::Public, Expiry::Never, true),
            (Visibility::Unlisted, Expiry::Never, true),
            (Visibility::Private, Expiry::Never, false),
            (
                Visibility::Public,
                Expiry::At("2026-11-21T09:00:00.001Z".parse().unwrap()),
                true,
            ),
            (Visibility::Public, Expiry::At(now), false),
        ] {
            let mut image = image(1);
            (image.visibility, image.expiry) = (visibility, expiry);
            assert_eq!(
                Shelved::new(image, &embeddings()).is_shown_by_path(now),
                shown,
                "{visibility} {expiry:?}"
            );
        }
    }
}
