use domain::{BlobKey, Expiry, Md5, MediaType, PublicId, Sha256, Visibility, hotlink::Level};
use jiff::Timestamp;
use tokio_postgres::{Row, types::ToSql};

use crate::{Catalog, Error};

/// What serve-svc must know of an image to answer for it. It may have expired since it was read: ask
/// [`domain::is_live`] at each use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveImage {
    /// Its row.
    pub id: i64,
    /// Its name in URLs.
    pub public_id: PublicId,
    /// The row of its bytes.
    pub blob_id: i64,
    /// Where they rest.
    pub key: BlobKey,
    /// What its bytes are.
    pub sha256: Sha256,
    /// What clients call its bytes.
    pub md5: Md5,
    /// How many bytes.
    pub size_bytes: u64,
    /// Of which format.
    pub media_type: MediaType,
    /// Width and height in pixels, as they are stored.
    pub dimensions: Option<(u32, u32)>,
    /// Whether its bytes were found lost or changed: they must not be shown.
    pub is_damaged: bool,
    /// Who may see it.
    pub visibility: Visibility,
    /// Its file name.
    pub name: String,
    /// When anything of it last changed, its bytes too.
    pub updated_at: Timestamp,
    /// When it ends by itself, by the views that were folded.
    pub expiry: Expiry,
    /// Whether views keep it alive, so that it may end later than that.
    pub slides: bool,
    /// The album that it is in.
    pub album_id: i64,
    /// How often its signed links were taken back.
    pub link_generation: i32,
    /// Who may embed it.
    pub rules: HotlinkTexts,
}

/// What is said about embedding an image: the `hotlink` of each level's policy, as JSON, where it has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "each field is the level of its name")]
pub struct HotlinkTexts {
    pub site: Option<String>,
    pub album: Option<String>,
    pub image: Option<String>,
}

impl HotlinkTexts {
    /// The levels and what they say, the site first.
    #[must_use]
    pub fn levels(&self) -> [(Level, Option<&str>); 3] {
        [
            (Level::Site, self.site.as_deref()),
            (Level::Album, self.album.as_deref()),
            (Level::Image, self.image.as_deref()),
        ]
    }
}

macro_rules! select_live {
    ($condition:literal) => {
        concat!(
            "SELECT image.id, image.public_id, image.visibility, image.name, image.updated_at, ends_at(image) AS expires_at,
                    image.expires_at IS NOT NULL AND sliding(image) IS NOT NULL AS slides,
                    image.blob_id, image.album_id, image.link_generation,
                    blob.width, blob.height, blob.key, blob.sha256, blob.md5, blob.size_bytes, blob.media_type,
                    EXISTS (SELECT FROM damage WHERE damage.blob_id = blob.id) AS is_damaged,
                    (SELECT nullif(policy -> 'hotlink', 'null') FROM site_policy)::text AS site_rules,
                    nullif(album.policy -> 'hotlink', 'null')::text AS album_rules,
                    nullif(image.policy -> 'hotlink', 'null')::text AS image_rules
             FROM image JOIN blob ON blob.id = image.blob_id JOIN album ON album.id = image.album_id
             WHERE image.ended_at IS NULL AND ",
            $condition
        )
    };
}

/// The image of this id, unless it was withdrawn or swept.
pub async fn find_live_by_id(catalog: &Catalog, public_id: PublicId) -> Result<Option<LiveImage>, Error> {
    const SQL: &str = select_live!("image.public_id = $1");
    find(catalog, "find an image by its id", SQL, &[&public_id.as_str()]).await
}

/// The oldest image over the blob at this key that is live at `now` (or was a moment ago, where views keep it alive: some may not be
/// folded yet) and not private: what a path that carries an MD5 answers with. Some older hosts' clients are given that path as the image's
/// link, so it shows what a link shows: unlisted images, too.
pub async fn find_live_by_key(
    catalog: &Catalog,
    key: &BlobKey,
    now: Timestamp,
) -> Result<Option<LiveImage>, Error> {
    const SQL: &str = select_live!(
        "blob.key = $1 AND image.visibility <> 'private' AND (image.expires_at IS NULL OR image.expires_at > $2 OR sliding(image) IS NOT NULL AND ends_at(image) > $2 - interval '3 seconds')
         ORDER BY image.id LIMIT 1"
    );
    find(catalog, "find an image by its path", SQL, &[&key.as_str(), &now]).await
}

async fn find(
    catalog: &Catalog,
    operation: &'static str,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Option<LiveImage>, Error> {
    let row = catalog.find_row(operation, sql, parameters).await?;
    row.map(|row| read(operation, &row)).transpose()
}

fn read(operation: &'static str, row: &Row) -> Result<LiveImage, Error> {
    let text = |column: &str| row.get::<_, &str>(column);
    let pixels = |column: &str| row.get::<_, Option<i32>>(column).map(i32::unsigned_abs);
    let media_type = text("media_type");
    Ok(LiveImage {
        id: row.get("id"),
        public_id: text("public_id")
            .parse()
            .map_err(|error| Error::row(operation, error))?,
        blob_id: row.get("blob_id"),
        dimensions: pixels("width").zip(pixels("height")),
        key: text("key")
            .parse()
            .map_err(|error| Error::row(operation, error))?,
        sha256: Sha256::from_slice(row.get("sha256")).map_err(|error| Error::row(operation, error))?,
        md5: Md5::from_slice(row.get("md5")).map_err(|error| Error::row(operation, error))?,
        size_bytes: row.get::<_, i64>("size_bytes").unsigned_abs(),
        media_type: MediaType::from_mime(media_type).ok_or_else(|| Error::row(operation, media_type))?,
        is_damaged: row.get("is_damaged"),
        visibility: text("visibility")
            .parse()
            .map_err(|error| Error::row(operation, error))?,
        name: text("name").to_owned(),
        updated_at: row.get("updated_at"),
        expiry: Expiry::from_option(row.get("expires_at")),
        slides: row.get("slides"),
        album_id: row.get("album_id"),
        link_generation: row.get("link_generation"),
        rules: HotlinkTexts {
            site: row.get("site_rules"),
            album: row.get("album_rules"),
            image: row.get("image_rules"),
        },
    })
}
