//! What upload-svc asks while it derives variants: what is due, and how it went.

use std::time::Duration;

use deadpool_postgres::Transaction;
use domain::{BlobKey, Sha256, VariantFormat, VariantKey};
use jiff::{SignedDuration, Timestamp};

use crate::{Catalog, Error};

/// A blob of which variants are due. They are ours until the lease ends, by which they are made, given up or due again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueVariants {
    /// The blob's row.
    pub blob_id: i64,
    /// Where its bytes rest.
    pub key: BlobKey,
    /// Named widths and formats that are due.
    pub wanted: Vec<(u32, VariantFormat)>,
    /// How often they were tried before, those that were tried most.
    pub tries: u16,
}

/// A variant that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVariant {
    /// Its named width.
    pub named_width: u32,
    /// Its format.
    pub format: VariantFormat,
    /// Its own width and height.
    pub dimensions: (u32, u32),
    /// How many bytes.
    pub size_bytes: u64,
    /// Which bytes.
    pub sha256: Sha256,
}

/// What deriving gave of a blob.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Derived {
    /// The variants that were made.
    pub made: Vec<NewVariant>,
    /// Those that there will never be, each with the reason.
    pub none: Vec<(u32, VariantFormat, &'static str)>,
    /// Its look, blurred.
    pub thumbhash: Option<Vec<u8>>,
    /// The colour that most of it has.
    pub dominant_color: Option<[u8; 3]>,
}

/// Claims the variants that have been due longest, those of one blob together, until `now + lease`. None when none is due.
///
/// A process that dies with them loses nothing: they are due again when the lease ends. Nothing is derived of bytes that are damaged; it is
/// due until they are healed.
pub async fn claim_due_variants(
    catalog: &Catalog,
    now: Timestamp,
    lease: Duration,
) -> Result<Option<DueVariants>, Error> {
    const OPERATION: &str = "claim variants to derive";
    // The blob of the first one decides; whatever else of it is due comes along, for it is decoded once for all.
    const CLAIM: &str = "
        WITH first AS (
            SELECT blob_id FROM variant
            WHERE due_at <= $1 AND NOT EXISTS (SELECT FROM damage WHERE damage.blob_id = variant.blob_id)
            ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
        ), due AS (
            SELECT blob_id, named_width, format FROM variant
            WHERE blob_id = (SELECT blob_id FROM first) AND due_at <= $1
            FOR UPDATE SKIP LOCKED
        )
        UPDATE variant SET due_at = $2, tries = least(tries + 1, 1000) FROM due
        WHERE (variant.blob_id, variant.named_width, variant.format) = (due.blob_id, due.named_width, due.format)
        RETURNING variant.blob_id, variant.named_width, variant.format, (variant.tries - 1)::smallint AS tries";
    const BLOB: &str = "SELECT key FROM blob WHERE id = $1";
    let until = later(now, lease);
    let client = catalog.client(OPERATION).await?;
    let claim = client
        .prepare_cached(CLAIM)
        .await
        .map_err(Error::statement(OPERATION))?;
    let rows = client
        .query(&claim, &[&now, &until])
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let blob_id: i64 = first.get("blob_id");
    let blob = client
        .prepare_cached(BLOB)
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(blob) = client
        .query_opt(&blob, &[&blob_id])
        .await
        .map_err(Error::statement(OPERATION))?
    else {
        // Swept meanwhile; its variants went with it.
        return Ok(None);
    };
    let mut wanted = Vec::with_capacity(rows.len());
    for row in &rows {
        wanted.push((
            row.get::<_, i32>("named_width").unsigned_abs(),
            format_of(OPERATION, row)?,
        ));
    }
    Ok(Some(DueVariants {
        blob_id,
        key: blob
            .get::<_, &str>("key")
            .parse()
            .map_err(|error| Error::row(OPERATION, error))?,
        wanted,
        tries: rows
            .iter()
            .map(|row| row.get::<_, i16>("tries").unsigned_abs())
            .max()
            .unwrap_or(0),
    }))
}

pub(crate) fn format_of(operation: &'static str, row: &tokio_postgres::Row) -> Result<VariantFormat, Error> {
    row.get::<_, &str>("format")
        .parse()
        .map_err(|error| Error::row(operation, error))
}

/// Puts the variants of a blob off that could not be derived this time: they are due again after `pause`.
pub async fn put_variants_off(
    catalog: &Catalog,
    due: &DueVariants,
    now: Timestamp,
    pause: Duration,
) -> Result<(), Error> {
    const OPERATION: &str = "put variants off";
    const SQL: &str = "
        UPDATE variant SET due_at = $4 FROM unnest($2::integer[], $3::text[]) AS due (named_width, format)
        WHERE variant.blob_id = $1 AND variant.named_width = due.named_width AND variant.format = due.format
          AND variant.due_at IS NOT NULL";
    let widths: Vec<i32> = due.wanted.iter().map(|(width, _)| width.cast_signed()).collect();
    let formats: Vec<&str> = due.wanted.iter().map(|(_, format)| format.as_str()).collect();
    let client = catalog.client(OPERATION).await?;
    client
        .execute(SQL, &[&due.blob_id, &widths, &formats, &later(now, pause)])
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| now.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

/// Wishes again for what was given up because the file was broken or its decoder failed: its bytes have come once more, and lie
/// in the place of those that nobody could read. The blob's row is locked.
pub(crate) async fn retry_broken(
    transaction: &Transaction<'_>,
    blob_id: i64,
    now: Timestamp,
) -> Result<(), Error> {
    const OPERATION: &str = "try broken variants again";
    const SQL: &str = "
        UPDATE variant SET due_at = $2, tries = 0, none_because = NULL
        WHERE blob_id = $1 AND none_because IN ('broken', 'decoder_failed')";
    let retry = transaction
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(&retry, &[&blob_id, &now])
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

/// Looks at up to `limit` blobs behind the row `after`, and wishes for the thumbnails of pictures and videos that have no
/// variant at all: those that were there before variants were, or whose rows were lost. Says how many there were, and the last row that
/// was looked at; none at the end.
pub async fn wish_for_missing_thumbnails(
    catalog: &Catalog,
    after: i64,
    limit: i64,
    now: Timestamp,
) -> Result<(u64, Option<i64>), Error> {
    const OPERATION: &str = "wish for missing thumbnails";
    const SQL: &str = "
        WITH looked AS (
            SELECT id, media_type, links FROM blob WHERE id > $1 ORDER BY id LIMIT $2
        ), wished AS (
            INSERT INTO variant (blob_id, named_width, format, due_at)
            SELECT id, 300, 'webp', $3 FROM looked
            WHERE media_type NOT IN ('image/avif', 'image/heic') AND links > 0
              AND NOT EXISTS (SELECT FROM variant WHERE variant.blob_id = looked.id)
            ON CONFLICT DO NOTHING RETURNING blob_id
        )
        SELECT (SELECT count(*) FROM wished) AS wished, (SELECT max(id) FROM looked) AS last";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one(SQL, &[&after, &limit, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok((row.get::<_, i64>("wished").unsigned_abs(), row.get("last")))
}

/// The keys of every variant of these blobs that was ever wished for: files may be there for all of them.
pub(crate) async fn keys_of_variants(
    transaction: &Transaction<'_>,
    blobs: &[(i64, &BlobKey)],
) -> Result<Vec<(i64, VariantKey)>, Error> {
    const OPERATION: &str = "find variants to sweep";
    const SQL: &str = "SELECT blob_id, named_width, format FROM variant WHERE blob_id = ANY ($1)";
    let ids: Vec<i64> = blobs.iter().map(|(id, _)| *id).collect();
    let keys: std::collections::HashMap<i64, &BlobKey> = blobs.iter().copied().collect();
    let rows = transaction
        .query(SQL, &[&ids])
        .await
        .map_err(Error::statement(OPERATION))?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let id: i64 = row.get("blob_id");
        if let Some(key) = keys.get(&id) {
            let width = row.get::<_, i32>("named_width").unsigned_abs();
            found.push((id, VariantKey::new(key, width, format_of(OPERATION, row)?)));
        }
    }
    Ok(found)
}
