use domain::{Md5, Sha256};
use jiff::Timestamp;

use crate::{
    Catalog, Error,
    image::{COLUMNS, ImageRecord, read},
};

/// What bytes are known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is its digest")]
pub enum Content {
    Md5(Md5),
    Sha256(Sha256),
}

/// The live images of this account (of this album of it, where one is given) over these bytes, or over what was left of these bytes when their metadata had been taken
/// out. Two files with one MD5 may both be there. What is damaged is not: whoever has the bytes shall send them.
pub async fn find_by_content(
    catalog: &Catalog,
    account_id: i64,
    album_id: Option<i64>,
    content: Content,
    now: Timestamp,
) -> Result<Vec<ImageRecord>, Error> {
    const OPERATION: &str = "look for bytes";
    // Two files of one MD5 are made on purpose; whoever makes a hundred need not see them all.
    const MOST: i64 = 100;
    let (column, digest) = match &content {
        Content::Md5(md5) => ("md5", md5.0.as_slice()),
        Content::Sha256(sha256) => ("sha256", sha256.0.as_slice()),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM blob JOIN image ON image.blob_id = blob.id
         WHERE blob.id IN (
             SELECT id FROM blob WHERE {column} = $1
             UNION ALL SELECT blob_id FROM sent_file WHERE account_id = $2 AND {column} = $1)
           AND image.account_id = $2 AND image.ended_at IS NULL AND (image.expires_at IS NULL OR image.expires_at > $3)
           AND ($5::bigint IS NULL OR image.album_id = $5)
           AND NOT EXISTS (SELECT FROM damage WHERE damage.blob_id = blob.id)
         ORDER BY image.id LIMIT $4"
    );
    let client = catalog.client(OPERATION).await?;
    let statement = client
        .prepare_cached(&sql)
        .await
        .map_err(Error::statement(OPERATION))?;
    let rows = client
        .query(&statement, &[&digest, &account_id, &now, &MOST, &album_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    rows.iter().map(|row| read(OPERATION, row)).collect()
}

/// The oldest live public image of this MD5, whoever's it is, unless its bytes are damaged.
pub async fn find_public_by_md5(
    catalog: &Catalog,
    md5: Md5,
    now: Timestamp,
) -> Result<Option<ImageRecord>, Error> {
    const OPERATION: &str = "look for a public image of these bytes";
    let sql = format!(
        "SELECT {COLUMNS} FROM blob JOIN image ON image.blob_id = blob.id
         WHERE blob.md5 = $1 AND image.visibility = 'public'
           AND image.ended_at IS NULL AND (image.expires_at IS NULL OR image.expires_at > $2)
           AND NOT EXISTS (SELECT FROM damage WHERE damage.blob_id = blob.id)
         ORDER BY image.id LIMIT 1"
    );
    let row = catalog
        .find_row(OPERATION, &sql, &[&md5.0.as_slice(), &now])
        .await?;
    row.map(|row| read(OPERATION, &row)).transpose()
}
