//! What serve-svc asks about variants, and how it wishes for one.

use domain::{NotKept, Sha256, VariantFormat};
use jiff::Timestamp;
use serde_json::Value;

use crate::{Catalog, Error, derive::format_of};

/// A variant that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantRecord {
    /// Its named width.
    pub named_width: u32,
    /// Its format.
    pub format: VariantFormat,
    /// Its own width in pixels.
    pub width: u32,
    /// Its own height in pixels.
    pub height: u32,
    /// How many bytes.
    pub size_bytes: u64,
    /// Which bytes.
    pub sha256: Sha256,
}

/// The variants of an image as [`crate::image::COLUMNS`] gathers them, one array each, so that a list of images stays one
/// question.
pub(crate) fn read_all(
    operation: &'static str,
    gathered: Option<Value>,
) -> Result<Vec<VariantRecord>, Error> {
    type Row = (u32, VariantFormat, u32, u32, u64, String);
    let rows: Vec<Row> = gathered
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| Error::row(operation, error))?
        .unwrap_or_default();
    let read = |(named_width, format, width, height, size_bytes, sha256): Row| {
        Ok(VariantRecord {
            named_width,
            format,
            width,
            height,
            size_bytes,
            sha256: sha256.parse().map_err(|error| Error::row(operation, error))?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// What is known of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariantState {
    /// It is there.
    There(VariantRecord),
    /// Somebody has wished for it; `larger` is the next larger one that is there.
    Wished {
        /// What to show meanwhile.
        larger: Option<VariantRecord>,
    },
    /// Nobody has wished for it yet.
    Unknown {
        /// What to show meanwhile.
        larger: Option<VariantRecord>,
    },
    /// There is none, for those of its blob that are there take all the room: the next larger one is the answer, or the original.
    NoRoom {
        /// The next larger one that is there.
        larger: Option<VariantRecord>,
    },
    /// There is none and there will be none: the original is the answer.
    Never,
}

/// What is known of a blob's variant of this named width and format.
pub async fn find_variant(
    catalog: &Catalog,
    blob_id: i64,
    named_width: u32,
    format: VariantFormat,
) -> Result<VariantState, Error> {
    const OPERATION: &str = "find a variant";
    const SQL: &str = "
        SELECT named_width, format, width, height, size_bytes, sha256, none_because FROM variant
        WHERE blob_id = $1 AND format = $3 AND named_width >= $2 ORDER BY named_width";
    let client = catalog.client(OPERATION).await?;
    let statement = client
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    let rows = client
        .query(
            &statement,
            &[&blob_id, &named_width.cast_signed(), &format.as_str()],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    let (mut meant, mut larger) = (None, None);
    for row in &rows {
        let record = read(OPERATION, row)?;
        if row.get::<_, i32>("named_width").unsigned_abs() != named_width {
            larger = larger.or(record);
        } else if let Some(record) = record {
            return Ok(VariantState::There(record));
        } else {
            meant = Some(row.get::<_, Option<&str>>("none_because"));
        }
    }
    Ok(match meant {
        None => VariantState::Unknown { larger },
        Some(None) => VariantState::Wished { larger },
        Some(Some(reason)) if reason == NotKept::NoRoom.as_str() => VariantState::NoRoom { larger },
        Some(Some(_)) => VariantState::Never,
    })
}

fn read(operation: &'static str, row: &tokio_postgres::Row) -> Result<Option<VariantRecord>, Error> {
    let Some(sha256) = row.get::<_, Option<&[u8]>>("sha256") else {
        return Ok(None);
    };
    let pixels = |column: &str| row.get::<_, i32>(column).unsigned_abs();
    Ok(Some(VariantRecord {
        named_width: pixels("named_width"),
        format: format_of(operation, row)?,
        width: pixels("width"),
        height: pixels("height"),
        size_bytes: row.get::<_, i64>("size_bytes").unsigned_abs(),
        sha256: Sha256::from_slice(sha256).map_err(|error| Error::row(operation, error))?,
    }))
}

/// Wishes for a variant that nobody has wished for. One of a blob that was swept meanwhile is no error, and no wish.
pub async fn wish_for_variant(
    catalog: &Catalog,
    blob_id: i64,
    named_width: u32,
    format: VariantFormat,
    now: Timestamp,
) -> Result<(), Error> {
    const OPERATION: &str = "wish for a variant";
    const SQL: &str = "
        WITH wished AS (
            INSERT INTO variant (blob_id, named_width, format, due_at)
            SELECT id, $2, $3, $4 FROM blob WHERE id = $1 ON CONFLICT DO NOTHING RETURNING blob_id
        )
        SELECT pg_notify('berth_variant_wish', '') FROM wished";
    execute(catalog, OPERATION, SQL, blob_id, named_width, format, now).await
}

/// Wishes anew for a variant whose file is lost.
pub async fn wish_for_lost_variant(
    catalog: &Catalog,
    blob_id: i64,
    named_width: u32,
    format: VariantFormat,
    now: Timestamp,
) -> Result<(), Error> {
    const OPERATION: &str = "wish for a lost variant";
    const SQL: &str = "
        WITH wished AS (
            UPDATE variant SET due_at = $4
            WHERE blob_id = $1 AND named_width = $2 AND format = $3 AND sha256 IS NOT NULL AND due_at IS NULL RETURNING blob_id
        )
        SELECT pg_notify('berth_variant_wish', '') FROM wished";
    execute(catalog, OPERATION, SQL, blob_id, named_width, format, now).await
}

async fn execute(
    catalog: &Catalog,
    operation: &'static str,
    sql: &str,
    blob_id: i64,
    named_width: u32,
    format: VariantFormat,
    now: Timestamp,
) -> Result<(), Error> {
    let client = catalog.client(operation).await?;
    let statement = client
        .prepare_cached(sql)
        .await
        .map_err(Error::statement(operation))?;
    client
        .execute(
            &statement,
            &[&blob_id, &named_width.cast_signed(), &format.as_str(), &now],
        )
        .await
        .map(drop)
        .map_err(Error::statement(operation))
}
