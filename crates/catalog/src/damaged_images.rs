use domain::{MediaType, PublicId};

use crate::{Catalog, Error};

/// Live images whose bytes are damaged: they are not shown until somebody sends the bytes again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DamagedImages {
    /// How many.
    pub count: u64,
    /// The oldest of them: their ids, names and formats.
    pub first: Vec<(PublicId, String, MediaType)>,
}

/// Those of the account `owner`, or of all; `limit` of them by name.
pub async fn find_damaged_images(
    catalog: &Catalog,
    owner: Option<i64>,
    limit: i64,
) -> Result<DamagedImages, Error> {
    const OPERATION: &str = "find damaged images";
    const SQL: &str = "
        SELECT image.public_id, image.name, blob.media_type, count(*) OVER () AS count
        FROM damage JOIN blob ON blob.id = damage.blob_id JOIN image ON image.blob_id = blob.id
        WHERE image.ended_at IS NULL AND ($1::bigint IS NULL OR image.account_id = $1)
        ORDER BY image.id LIMIT $2";
    let client = catalog.client(OPERATION).await?;
    let statement = client
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    let rows = client
        .query(&statement, &[&owner, &limit])
        .await
        .map_err(Error::statement(OPERATION))?;
    let first = rows.iter().map(|row| {
        let mime = row.get::<_, &str>("media_type");
        Ok((
            row.get::<_, &str>("public_id")
                .parse()
                .map_err(|error| Error::row(OPERATION, error))?,
            row.get("name"),
            MediaType::from_mime(mime).ok_or_else(|| Error::row(OPERATION, mime))?,
        ))
    });
    Ok(DamagedImages {
        count: rows
            .first()
            .map_or(0, |row| row.get::<_, i64>("count").unsigned_abs()),
        first: first.collect::<Result<_, Error>>()?,
    })
}
