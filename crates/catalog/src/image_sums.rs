use jiff::Timestamp;

use crate::{Catalog, Error};

/// What live images come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSums {
    /// How many.
    pub images: i64,
    /// Their views, and how often their bytes were sent again.
    pub accesses: i64,
    /// Their bytes, if none were shared.
    pub bytes: i64,
    /// The newest one's name and when it came.
    pub latest: Option<(String, Timestamp)>,
    /// What the whole database takes on its disk.
    pub database_bytes: i64,
}

/// Sums up an account's live images, or everybody's. Looks at each of them: meant for older hosts' clients, which ask rarely.
pub async fn sum_up_images(
    catalog: &Catalog,
    owner: Option<i64>,
    now: Timestamp,
) -> Result<ImageSums, Error> {
    const OPERATION: &str = "sum up images";
    const SUMS: &str = "
        SELECT count(*), coalesce(sum(image.size_bytes), 0)::bigint,
               coalesce(sum(image.sent_again + coalesce(view_count.views, 0)), 0)::bigint,
               pg_database_size(current_database())
        FROM image LEFT JOIN view_count ON view_count.image_id = image.id
        WHERE ($1::bigint IS NULL OR image.account_id = $1) AND image.ended_at IS NULL
          AND (image.expires_at IS NULL OR image.expires_at > $2)";
    const LATEST: &str = "
        SELECT name, created_at FROM image
        WHERE ($1::bigint IS NULL OR account_id = $1) AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
        ORDER BY id DESC LIMIT 1";
    let client = catalog.client(OPERATION).await?;
    let sums = client
        .query_one(SUMS, &[&owner, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    let latest = client
        .query_opt(LATEST, &[&owner, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(ImageSums {
        images: sums.get(0),
        bytes: sums.get(1),
        accesses: sums.get(2),
        latest: latest.map(|row| (row.get(0), row.get(1))),
        database_bytes: sums.get(3),
    })
}
