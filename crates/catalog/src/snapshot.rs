//! Every content that is live, page by page, as of one moment: what an older host's `/download_db` is written from.

use domain::Md5;
use jiff::Timestamp;
use tokio::sync::mpsc::Sender;
use tokio_postgres::{IsolationLevel, Row};

use crate::{Catalog, Error};

/// Contents of a page.
const PAGE: i64 = 1_000;

/// The oldest live image of one content, whoever's it is and whoever may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "each field is the column of its name; migrations/ explains them"
)]
pub struct ContentRecord {
    pub md5: Md5,
    pub key: String,
    pub name: String,
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// Its views, and how often its bytes were sent again.
    pub accesses: u64,
    pub size_bytes: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Hands over every content that is live at `now`, in the order of the MD5s and each MD5 once, a page at a time: as many are in memory as `pages`
/// holds, and one page more. All pages show the same moment. Ends early, and without an error, when nobody takes them any more.
pub async fn read_contents(
    catalog: &Catalog,
    pages: Sender<Vec<ContentRecord>>,
    now: Timestamp,
) -> Result<(), Error> {
    const OPERATION: &str = "read every content";
    // The index of the MD5s gives the order; two files of one MD5 stand side by side in it.
    const SQL: &str = "
        SELECT DISTINCT ON (blob.md5) blob.md5, blob.key, blob.width, blob.height, blob.size_bytes,
               oldest.name, oldest.created_at, oldest.updated_at,
               oldest.sent_again + coalesce((SELECT views FROM view_count WHERE view_count.image_id = oldest.id), 0) AS accesses
        FROM blob CROSS JOIN LATERAL (
            SELECT id, name, created_at, updated_at, sent_again FROM image
            WHERE image.blob_id = blob.id AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > $1)
            ORDER BY id LIMIT 1
        ) AS oldest
        WHERE ($2::bytea IS NULL OR blob.md5 > $2)
        ORDER BY blob.md5, oldest.id LIMIT $3";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(Error::statement(OPERATION))?;
    let statement = transaction
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    let mut after: Option<Md5> = None;
    loop {
        let begin = after.as_ref().map(|md5| md5.0.as_slice());
        let rows = transaction
            .query(&statement, &[&now, &begin, &PAGE])
            .await
            .map_err(Error::statement(OPERATION))?;
        let page: Vec<ContentRecord> = rows
            .iter()
            .map(|row| read(OPERATION, row))
            .collect::<Result<_, _>>()?;
        let is_last = i64::try_from(page.len()).unwrap_or(PAGE) < PAGE;
        after = page.last().map(|content| content.md5);
        if (!page.is_empty() && pages.send(page).await.is_err()) || is_last {
            return Ok(());
        }
    }
}

fn read(operation: &'static str, row: &Row) -> Result<ContentRecord, Error> {
    let pixels = |column: &str| row.get::<_, Option<i32>>(column).map(i32::unsigned_abs);
    Ok(ContentRecord {
        md5: Md5::from_slice(row.get("md5")).map_err(|error| Error::row(operation, error))?,
        key: row.get("key"),
        name: row.get("name"),
        width: pixels("width"),
        height: pixels("height"),
        accesses: row.get::<_, i64>("accesses").unsigned_abs(),
        size_bytes: row.get::<_, i64>("size_bytes").unsigned_abs(),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    })
}
