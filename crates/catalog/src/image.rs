use domain::{Expiry, Md5, MediaType, PublicId, Sha256, Visibility};
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::{Catalog, Error};

/// An image as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "each field is the column of its name; migrations/ explains them"
)]
pub struct ImageRecord {
    pub public_id: PublicId,
    pub account_id: i64,
    pub album_id: i64,
    pub key: String,
    pub md5: Md5,
    pub sha256: Sha256,
    pub size_bytes: u64,
    pub media_type: MediaType,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub name: String,
    pub description: String,
    pub visibility: Visibility,
    pub views: u64,
    pub created_at: Timestamp,
    pub taken_at: Option<Timestamp>,
    pub expiry: Expiry,
}

pub(crate) const COLUMNS: &str = "
    image.public_id, image.account_id, image.album_id, image.name, image.description, image.visibility, image.created_at, image.taken_at,
    image.expires_at, blob.key, blob.md5, blob.sha256, blob.size_bytes, blob.media_type, blob.width, blob.height,
    coalesce((SELECT views FROM view_count WHERE view_count.image_id = image.id), 0) AS views";

/// The image of this id that was not withdrawn, with its count as of the last fold. It may have expired: ask
/// [`domain::is_live`].
pub async fn find_image(catalog: &Catalog, public_id: PublicId) -> Result<Option<ImageRecord>, Error> {
    const OPERATION: &str = "describe an image";
    let sql = format!(
        "SELECT {COLUMNS} FROM image JOIN blob ON blob.id = image.blob_id
         WHERE image.public_id = $1 AND image.ended_at IS NULL"
    );
    let client = catalog.client(OPERATION).await?;
    let statement = client
        .prepare_cached(&sql)
        .await
        .map_err(Error::statement(OPERATION))?;
    let row = client
        .query_opt(&statement, &[&public_id.as_str()])
        .await
        .map_err(Error::statement(OPERATION))?;
    row.map(|row| read(OPERATION, &row)).transpose()
}

pub(crate) fn read(operation: &'static str, row: &Row) -> Result<ImageRecord, Error> {
    let text = |column: &str| row.get::<_, &str>(column);
    let pixels = |column: &str| row.get::<_, Option<i32>>(column).map(i32::unsigned_abs);
    let media_type = text("media_type");
    Ok(ImageRecord {
        public_id: text("public_id")
            .parse()
            .map_err(|error| Error::row(operation, error))?,
        account_id: row.get("account_id"),
        album_id: row.get("album_id"),
        key: text("key").to_owned(),
        md5: Md5::from_slice(row.get("md5")).map_err(|error| Error::row(operation, error))?,
        sha256: Sha256::from_slice(row.get("sha256")).map_err(|error| Error::row(operation, error))?,
        size_bytes: row.get::<_, i64>("size_bytes").unsigned_abs(),
        media_type: MediaType::from_mime(media_type).ok_or_else(|| Error::row(operation, media_type))?,
        width: pixels("width"),
        height: pixels("height"),
        name: text("name").to_owned(),
        description: text("description").to_owned(),
        visibility: text("visibility")
            .parse()
            .map_err(|error| Error::row(operation, error))?,
        views: row.get::<_, i64>("views").unsigned_abs(),
        created_at: row.get("created_at"),
        taken_at: row.get("taken_at"),
        expiry: Expiry::from_option(row.get("expires_at")),
    })
}
