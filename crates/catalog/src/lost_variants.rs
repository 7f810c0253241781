//! What the janitor asks about variants whose files may be lost.

use domain::{BlobKey, VariantFormat, VariantKey};
use jiff::Timestamp;

use crate::{Catalog, Error, derive::format_of};

/// A variant that is there, by its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptVariant {
    /// Its blob's row.
    pub blob_id: i64,
    /// Its named width.
    pub named_width: u32,
    /// Its format.
    pub format: VariantFormat,
    /// Where its file is.
    pub key: VariantKey,
}

/// Up to `limit` variants that are there, of live blobs behind the row `after`; all of a blob's or none of them, as long as `limit`
/// is more than a blob can have. Empty at the end.
pub async fn list_kept_variants(
    catalog: &Catalog,
    after: i64,
    limit: usize,
) -> Result<Vec<KeptVariant>, Error> {
    const OPERATION: &str = "list variants";
    const SQL: &str = "
        SELECT variant.blob_id, variant.named_width, variant.format, blob.key
        FROM variant JOIN blob ON blob.id = variant.blob_id
        WHERE variant.blob_id > $1 AND variant.sha256 IS NOT NULL AND variant.due_at IS NULL AND blob.links > 0
        ORDER BY variant.blob_id LIMIT $2";
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query(SQL, &[&after, &most])
        .await
        .map_err(Error::statement(OPERATION))?;
    let mut kept = Vec::with_capacity(rows.len());
    for row in &rows {
        let named_width = row.get::<_, i32>("named_width").unsigned_abs();
        let format = format_of(OPERATION, row)?;
        let blob: BlobKey = row
            .get::<_, &str>("key")
            .parse()
            .map_err(|error| Error::row(OPERATION, error))?;
        kept.push(KeptVariant {
            blob_id: row.get("blob_id"),
            named_width,
            format,
            key: VariantKey::new(&blob, named_width, format),
        });
    }
    if kept.len() == limit {
        // The last blob may have more of them: it comes with the next question.
        let last = kept.last().map(|variant| variant.blob_id);
        let whole = kept
            .iter()
            .filter(|variant| Some(variant.blob_id) != last)
            .count();
        if whole > 0 {
            kept.truncate(whole);
        }
    }
    Ok(kept)
}

/// Wishes anew for variants whose files are lost. Says how many that were: those that somebody else has wished for are none.
pub async fn wish_for_lost_variants(
    catalog: &Catalog,
    lost: &[KeptVariant],
    now: Timestamp,
) -> Result<u64, Error> {
    const OPERATION: &str = "wish for lost variants";
    const SQL: &str = "
        WITH wished AS (
            UPDATE variant SET due_at = $4
            FROM unnest($1::bigint[], $2::integer[], $3::text[]) AS lost (blob_id, named_width, format)
            WHERE (variant.blob_id, variant.named_width, variant.format) = (lost.blob_id, lost.named_width, lost.format)
              AND variant.sha256 IS NOT NULL AND variant.due_at IS NULL
            RETURNING variant.blob_id
        ), told AS (
            SELECT pg_notify('berth_variant_wish', '') FROM wished LIMIT 1
        )
        SELECT (SELECT count(*) FROM wished) AS wished, (SELECT count(*) FROM told) AS told";
    let blobs: Vec<i64> = lost.iter().map(|variant| variant.blob_id).collect();
    let widths: Vec<i32> = lost
        .iter()
        .map(|variant| variant.named_width.cast_signed())
        .collect();
    let formats: Vec<&str> = lost.iter().map(|variant| variant.format.as_str()).collect();
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one(SQL, &[&blobs, &widths, &formats, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.get::<_, i64>("wished").unsigned_abs())
}
