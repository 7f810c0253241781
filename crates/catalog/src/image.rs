use deadpool_postgres::Transaction;
use domain::{Camera, Expiry, Md5, MediaType, PublicId, Sha256, TakenSource, Visibility};
use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::{Row, types::Json};

use crate::{Catalog, Error, VariantRecord, variants::read_all};

/// An image as its owner sees it.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "each field is the column of its name; migrations/ explains them"
)]
pub struct ImageRecord {
    pub id: i64,
    pub public_id: PublicId,
    pub account_id: i64,
    pub album_id: i64,
    pub key: String,
    pub md5: Md5,
    pub sha256: Sha256,
    pub size_bytes: u64,
    pub media_type: MediaType,
    /// Those that are there now, the narrowest first.
    pub variants: Vec<VariantRecord>,
    pub thumbhash: Option<Vec<u8>>,
    /// Red, green, blue.
    pub dominant_color: Option<[u8; 3]>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub camera: Option<Camera>,
    pub name: String,
    pub description: String,
    pub visibility: Visibility,
    pub policy: Option<Value>,
    pub views: u64,
    /// How often its bytes were sent again.
    pub sent_again: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub taken_at: Option<Timestamp>,
    pub taken_offset_minutes: Option<i16>,
    pub taken_source: Option<TakenSource>,
    pub expiry: Expiry,
    /// Nobody said when it ends: a policy of its album or the site may let views keep it alive.
    pub ends_by_policy: bool,
    /// How often its signed links and its delete link were taken back.
    pub link_generation: i32,
    /// Since when it has ended, and by what: `withdrawn` or `expired`.
    pub ended: Option<(Timestamp, String)>,
}

pub(crate) const COLUMNS: &str = "
    image.id, image.public_id, image.account_id, image.album_id, image.name, image.description, image.visibility, image.policy,
    image.created_at, image.updated_at, image.taken_at, image.taken_offset_minutes, image.taken_source, image.expires_at, image.ends_by_policy, image.ended_at, image.ended_by, image.sent_again, image.link_generation, blob.key, blob.md5, blob.sha256, blob.size_bytes, blob.media_type, blob.width, blob.height, blob.thumbhash, blob.dominant_color, blob.camera,
    (SELECT jsonb_agg(jsonb_build_array(named_width, format, width, height, size_bytes, encode(sha256, 'hex')) ORDER BY named_width, format DESC)
        FROM variant WHERE variant.blob_id = blob.id AND variant.sha256 IS NOT NULL) AS variants,
    coalesce((SELECT views FROM view_count WHERE view_count.image_id = image.id), 0) AS views";

/// Whether an image is still what its client believes it to be (`If-Match`); asked while its row is locked.
pub type Expected<'a> = &'a (dyn Fn(&ImageRecord) -> bool + Send + Sync);

/// Why an image was not changed. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The rows could not be written.
    #[error(transparent)]
    Catalog(#[from] Error),
    /// There is no such image, or none in a state that allows it.
    #[error("there is no such image")]
    NotFound,
    /// It is not what the client expected.
    #[error("the image is not as expected")]
    Unexpected,
    /// The owner has no album of that id.
    #[error("there is no such album")]
    NoSuchAlbum,
    /// The owner has a live image of the same bytes: this one.
    #[error("the same bytes are live as {0}")]
    AlreadyLive(PublicId),
    /// It does not fit into the owner's quota.
    #[error("the quota is used up")]
    QuotaExceeded,
    /// It would live longer than its album's policy lets it.
    #[error(transparent)]
    TooLong(#[from] domain::TooLong),
}

/// The image of this id that was not withdrawn, with its count as of the last fold. It may have expired: ask
/// [`domain::is_live`].
pub async fn find_image(catalog: &Catalog, public_id: PublicId) -> Result<Option<ImageRecord>, Error> {
    let image = find_image_even_ended(catalog, public_id).await?;
    Ok(image.filter(|image| image.ended.is_none()))
}

/// The image of this id as long as its row is there: one that has ended can still be restored.
pub async fn find_image_even_ended(
    catalog: &Catalog,
    public_id: PublicId,
) -> Result<Option<ImageRecord>, Error> {
    const OPERATION: &str = "describe an image";
    let sql = format!(
        "SELECT {COLUMNS} FROM image JOIN blob ON blob.id = image.blob_id WHERE image.public_id = $1"
    );
    let row = catalog.find_row(OPERATION, &sql, &[&public_id.as_str()]).await?;
    row.map(|row| read(OPERATION, &row)).transpose()
}

/// The image of this row, which the transaction has locked.
pub(crate) async fn read_locked(
    operation: &'static str,
    transaction: &Transaction<'_>,
    id: i64,
) -> Result<ImageRecord, Error> {
    let sql = format!("SELECT {COLUMNS} FROM image JOIN blob ON blob.id = image.blob_id WHERE image.id = $1");
    let statement = transaction
        .prepare_cached(&sql)
        .await
        .map_err(Error::statement(operation))?;
    let row = transaction
        .query_one(&statement, &[&id])
        .await
        .map_err(Error::statement(operation))?;
    read(operation, &row)
}

pub(crate) fn read(operation: &'static str, row: &Row) -> Result<ImageRecord, Error> {
    let text = |column: &str| row.get::<_, &str>(column);
    let pixels = |column: &str| row.get::<_, Option<i32>>(column).map(i32::unsigned_abs);
    let media_type = text("media_type");
    let ended_at: Option<Timestamp> = row.get("ended_at");
    Ok(ImageRecord {
        id: row.get("id"),
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
        variants: read_all(operation, row.get("variants"))?,
        thumbhash: row.get("thumbhash"),
        dominant_color: row
            .get::<_, Option<&[u8]>>("dominant_color")
            .and_then(|colour| colour.try_into().ok()),
        width: pixels("width"),
        height: pixels("height"),
        camera: camera_of(row).map_err(|error| Error::row(operation, error))?,
        name: text("name").to_owned(),
        description: text("description").to_owned(),
        visibility: text("visibility")
            .parse()
            .map_err(|error| Error::row(operation, error))?,
        policy: row.get("policy"),
        views: row.get::<_, i64>("views").unsigned_abs(),
        sent_again: row.get::<_, i64>("sent_again").unsigned_abs(),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
        taken_at: row.get("taken_at"),
        taken_offset_minutes: row.get("taken_offset_minutes"),
        taken_source: row
            .get::<_, Option<&str>>("taken_source")
            .map(str::parse)
            .transpose()
            .map_err(|error| Error::row(operation, error))?,
        expiry: Expiry::from_option(row.get("expires_at")),
        ends_by_policy: row.get("ends_by_policy"),
        link_generation: row.get("link_generation"),
        ended: ended_at.zip(row.get("ended_by")),
    })
}

fn camera_of(row: &Row) -> Result<Option<Camera>, tokio_postgres::Error> {
    let camera: Option<Json<Camera>> = row.try_get("camera")?;
    Ok(camera.map(|Json(camera)| camera))
}
