//! The end of deriving: what was made is judged by the room that its blob has for it, put in place and written down.

use std::collections::HashSet;

use deadpool_postgres::Transaction;
use domain::{MediaType, VariantFormat, VariantRoom};

use crate::{Catalog, Derived, Error, NewVariant, derive::format_of};

const OPERATION: &str = "keep variants";

/// Why what was derived was not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError<B> {
    /// The rows could not be written.
    #[error(transparent)]
    Catalog(#[from] Error),
    /// The bytes could not be put in place.
    #[error("the bytes could not be put in place")]
    Bytes(#[source] B),
}

/// Keeps what was derived, as far as the blob has room for it: locks the blob's row, judges ([`VariantRoom`]), has `place` put
/// the bytes of what is kept at their keys for good, writes the rows, commits. Says what is kept and what is not; none
/// when the blob was swept meanwhile: nothing was placed then.
///
/// INVARIANT: a variant's file is put in place only while its blob's row is locked and its own row is there, so a sweep
/// finds either both or none; and what its variants take of the disk is judged one after the other.
pub async fn keep_variants<B, F>(
    catalog: &Catalog,
    blob_id: i64,
    derived: Derived,
    place: impl FnOnce(Vec<(u32, VariantFormat)>) -> F,
) -> Result<Option<Derived>, KeepError<B>>
where
    F: Future<Output = Result<(), B>>,
{
    // Not FOR UPDATE: it waits for a sweep, and holds up nobody who only links to the blob.
    const LOCK: &str = "SELECT media_type, size_bytes FROM blob WHERE id = $1 FOR NO KEY UPDATE";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let lock = transaction
        .prepare_cached(LOCK)
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(blob) = transaction
        .query_opt(&lock, &[&blob_id])
        .await
        .map_err(Error::statement(OPERATION))?
    else {
        return Ok(None);
    };
    let media_type: &str = blob.get("media_type");
    let media_type = MediaType::from_mime(media_type).ok_or_else(|| Error::row(OPERATION, media_type))?;
    let room = VariantRoom::of(media_type, blob.get::<_, i64>("size_bytes").unsigned_abs());
    let derived = judge(&transaction, blob_id, room, derived).await?;
    let kept = derived.made.iter().map(|made| (made.named_width, made.format));
    place(kept.collect()).await.map_err(KeepError::Bytes)?;
    write(&transaction, blob_id, &derived).await?;
    describe(&transaction, blob_id, &derived).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(Some(derived))
}

/// What of it is kept beside the variants that are there. One that was kept before, and is derived again because its file was
/// lost, has its room.
async fn judge(
    transaction: &Transaction<'_>,
    blob_id: i64,
    mut room: VariantRoom,
    derived: Derived,
) -> Result<Derived, Error> {
    const THERE: &str =
        "SELECT named_width, format, size_bytes FROM variant WHERE blob_id = $1 AND sha256 IS NOT NULL";
    let there = transaction
        .prepare_cached(THERE)
        .await
        .map_err(Error::statement(OPERATION))?;
    let rows = transaction
        .query(&there, &[&blob_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    let mut known = HashSet::new();
    for row in &rows {
        let width = row.get::<_, i32>("named_width").unsigned_abs();
        known.insert((width, format_of(OPERATION, row)?));
        room.take(width, row.get::<_, i64>("size_bytes").unsigned_abs());
    }
    let mut judged = Derived {
        made: Vec::new(),
        ..derived
    };
    let mut made: Vec<NewVariant> = derived.made;
    made.sort_by_key(|made| VariantRoom::precedence(made.named_width, made.format));
    for variant in made {
        let (width, format) = (variant.named_width, variant.format);
        let found = if known.contains(&(width, format)) {
            Ok(())
        } else {
            room.find(width, format, variant.size_bytes)
        };
        match found {
            Ok(()) => judged.made.push(variant),
            Err(reason) => judged.none.push((width, format, reason.as_str())),
        }
    }
    Ok(judged)
}

async fn write(transaction: &Transaction<'_>, blob_id: i64, derived: &Derived) -> Result<(), Error> {
    const MADE: &str = "
        UPDATE variant SET due_at = NULL, tries = 0, none_because = NULL, width = $4, height = $5, size_bytes = $6, sha256 = $7
        WHERE blob_id = $1 AND named_width = $2 AND format = $3";
    const NONE: &str = "
        UPDATE variant SET due_at = NULL, tries = 0, none_because = $4, width = NULL, height = NULL, size_bytes = NULL, sha256 = NULL
        WHERE blob_id = $1 AND named_width = $2 AND format = $3";
    let number = |pixels: u32| i32::try_from(pixels).map_err(|error| Error::row(OPERATION, error));
    for variant in &derived.made {
        let (width, height) = variant.dimensions;
        let size = i64::try_from(variant.size_bytes).map_err(|error| Error::row(OPERATION, error))?;
        let made = transaction
            .prepare_cached(MADE)
            .await
            .map_err(Error::statement(OPERATION))?;
        transaction
            .execute(
                &made,
                &[
                    &blob_id,
                    &number(variant.named_width)?,
                    &variant.format.as_str(),
                    &number(width)?,
                    &number(height)?,
                    &size,
                    &variant.sha256.0.as_slice(),
                ],
            )
            .await
            .map_err(Error::statement(OPERATION))?;
    }
    for (named_width, format, reason) in &derived.none {
        let none = transaction
            .prepare_cached(NONE)
            .await
            .map_err(Error::statement(OPERATION))?;
        transaction
            .execute(
                &none,
                &[&blob_id, &number(*named_width)?, &format.as_str(), reason],
            )
            .await
            .map_err(Error::statement(OPERATION))?;
    }
    Ok(())
}

async fn describe(transaction: &Transaction<'_>, blob_id: i64, derived: &Derived) -> Result<(), Error> {
    const DESCRIBE: &str = "
        UPDATE blob SET thumbhash = coalesce($2, thumbhash), dominant_color = coalesce($3, dominant_color) WHERE id = $1";
    if derived.thumbhash.is_none() && derived.dominant_color.is_none() {
        return Ok(());
    }
    let colour = derived.dominant_color.map(|colour| colour.to_vec());
    let describe = transaction
        .prepare_cached(DESCRIBE)
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(&describe, &[&blob_id, &derived.thumbhash, &colour])
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}
