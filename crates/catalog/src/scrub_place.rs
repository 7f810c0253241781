//! How far the janitor is with reading every blob again.

use jiff::Timestamp;

use crate::{Catalog, Error};

/// How far the reading of all blobs is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScrubPlace {
    /// The last blob's row that was read; 0 at the beginning of a round.
    pub after: i64,
    /// When this round began; none before the first.
    pub began_at: Option<Timestamp>,
    /// When a round last came to its end.
    pub ended_at: Option<Timestamp>,
    /// Blobs that were read in this round.
    pub blobs: u64,
    /// Bytes that were read in this round.
    pub bytes: u64,
}

/// Where it is, and the number of the youngest blob's row: `(place, last)`.
pub async fn find_scrub_place(catalog: &Catalog) -> Result<(ScrubPlace, i64), Error> {
    const OPERATION: &str = "find how far the scrub is";
    const SQL: &str = "
        SELECT after, began_at, ended_at, blobs, bytes, (SELECT coalesce(max(id), 0) FROM blob) AS last FROM scrub";
    let Some(row) = catalog.find_row(OPERATION, SQL, &[]).await? else {
        return Err(Error::row(OPERATION, "there is no place"));
    };
    let place = ScrubPlace {
        after: row.get("after"),
        began_at: row.get("began_at"),
        ended_at: row.get("ended_at"),
        blobs: row.get::<_, i64>("blobs").unsigned_abs(),
        bytes: row.get::<_, i64>("bytes").unsigned_abs(),
    };
    Ok((place, row.get("last")))
}

/// Remembers where it is.
pub async fn save_scrub_place(catalog: &Catalog, place: &ScrubPlace) -> Result<(), Error> {
    const OPERATION: &str = "remember how far the scrub is";
    const SQL: &str = "UPDATE scrub SET after = $1, began_at = $2, ended_at = $3, blobs = $4, bytes = $5";
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let client = catalog.client(OPERATION).await?;
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] = [
        &place.after,
        &place.began_at,
        &place.ended_at,
        &number(place.blobs),
        &number(place.bytes),
    ];
    client
        .execute(SQL, &parameters)
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}
