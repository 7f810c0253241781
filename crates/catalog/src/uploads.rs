use domain::PublicId;
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::{Catalog, Error};

/// What an upload in pieces is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadShape {
    /// A file.
    Whole,
    /// A part of one, to be joined with others.
    Part,
    /// A file that was joined of parts.
    Joined,
}

impl UploadShape {
    fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Part => "part",
            Self::Joined => "joined",
        }
    }
}

/// An upload in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRecord {
    /// Its name in URLs, and its file's.
    pub id: PublicId,
    /// Whose it is.
    pub account_id: i64,
    /// The only album that the token is good for with which it was begun.
    pub album_id: Option<i64>,
    /// What it is.
    pub shape: UploadShape,
    /// Bytes that it will have.
    pub length: u64,
    /// Bytes that are here for good. INVARIANT: all of them only when there is an image, or when it is a part.
    pub offset: u64,
    /// What its client says about it, as it was written.
    pub metadata: String,
    /// What a joined one was joined of.
    pub parts: Vec<PublicId>,
    /// The image that came of it.
    pub image: Option<PublicId>,
    /// When it is given up.
    pub expires_at: Timestamp,
}

const COLUMNS: &str =
    "id, account_id, album_id, shape, length_bytes, offset_bytes, metadata, parts, image_id, expires_at";

fn read(operation: &'static str, row: &Row) -> Result<UploadRecord, Error> {
    let id = |text: &str| text.parse().map_err(|error| Error::row(operation, error));
    let shape = match row.get("shape") {
        "whole" => UploadShape::Whole,
        "part" => UploadShape::Part,
        _ => UploadShape::Joined,
    };
    let parts: Vec<&str> = row.get("parts");
    Ok(UploadRecord {
        id: id(row.get("id"))?,
        account_id: row.get("account_id"),
        album_id: row.get("album_id"),
        shape,
        length: row.get::<_, i64>("length_bytes").unsigned_abs(),
        offset: row.get::<_, i64>("offset_bytes").unsigned_abs(),
        metadata: row.get("metadata"),
        parts: parts.into_iter().map(id).collect::<Result<_, _>>()?,
        image: row.get::<_, Option<&str>>("image_id").map(id).transpose()?,
        expires_at: row.get("expires_at"),
    })
}

fn bytes(operation: &'static str, count: u64) -> Result<i64, Error> {
    i64::try_from(count).map_err(|error| Error::row(operation, error))
}

/// Writes a new upload down.
pub async fn create_upload(catalog: &Catalog, new: &UploadRecord, now: Timestamp) -> Result<(), Error> {
    const OPERATION: &str = "begin an upload";
    const SQL: &str = "
        INSERT INTO upload (id, account_id, shape, length_bytes, offset_bytes, metadata, parts, created_at, expires_at, album_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let parts: Vec<&str> = new.parts.iter().map(PublicId::as_str).collect();
    let client = catalog.client(OPERATION).await?;
    client
        .execute(
            SQL,
            &[
                &new.id.as_str(),
                &new.account_id,
                &new.shape.as_str(),
                &bytes(OPERATION, new.length)?,
                &bytes(OPERATION, new.offset)?,
                &new.metadata,
                &parts,
                &now,
                &new.expires_at,
                &new.album_id,
            ],
        )
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

/// An upload of this account.
pub async fn find_upload(
    catalog: &Catalog,
    account_id: i64,
    id: PublicId,
) -> Result<Option<UploadRecord>, Error> {
    const OPERATION: &str = "look at an upload";
    let sql = format!("SELECT {COLUMNS} FROM upload WHERE id = $1 AND account_id = $2");
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_opt(&sql, &[&id.as_str(), &account_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    row.map(|row| read(OPERATION, &row)).transpose()
}

/// How many uploads of an account are under way, and how many bytes they will have.
pub async fn count_uploads(catalog: &Catalog, account_id: i64, now: Timestamp) -> Result<(u64, u64), Error> {
    const OPERATION: &str = "count uploads";
    const SQL: &str = "
        SELECT count(*), coalesce(sum(length_bytes), 0)::bigint FROM upload
        WHERE account_id = $1 AND image_id IS NULL AND expires_at > $2";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one(SQL, &[&account_id, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok((
        row.get::<_, i64>(0).unsigned_abs(),
        row.get::<_, i64>(1).unsigned_abs(),
    ))
}

/// Becomes the one who writes to an upload, until `until`; none when it is not there or another one holds it.
pub async fn hold_upload(
    catalog: &Catalog,
    (account_id, id): (i64, PublicId),
    holder: [u8; 16],
    until: Timestamp,
    now: Timestamp,
) -> Result<Option<UploadRecord>, Error> {
    const OPERATION: &str = "hold an upload";
    let sql = format!(
        "UPDATE upload SET holder = $3, held_until = $4
         WHERE id = $1 AND account_id = $2 AND (held_until IS NULL OR held_until <= $5) AND expires_at > $5
         RETURNING {COLUMNS}"
    );
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_opt(
            &sql,
            &[&id.as_str(), &account_id, &holder.as_slice(), &until, &now],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    row.map(|row| read(OPERATION, &row)).transpose()
}

/// Goes on holding an upload whose first `offset` bytes are here for good; false when it is another's by now, or gone.
pub async fn save_upload(
    catalog: &Catalog,
    (id, holder): (PublicId, [u8; 16]),
    offset: u64,
    until: Timestamp,
    expires_at: Timestamp,
) -> Result<bool, Error> {
    const OPERATION: &str = "save an upload";
    const SQL: &str = "
        UPDATE upload SET offset_bytes = $3, held_until = $4, expires_at = $5 WHERE id = $1 AND holder = $2 AND image_id IS NULL";
    let client = catalog.client(OPERATION).await?;
    let offset = bytes(OPERATION, offset)?;
    let rows = client
        .execute(
            SQL,
            &[&id.as_str(), &holder.as_slice(), &offset, &until, &expires_at],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(rows == 1)
}

/// Lets go of an upload; with an image it is over.
pub async fn release_upload(
    catalog: &Catalog,
    (id, holder): (PublicId, [u8; 16]),
    image: Option<PublicId>,
) -> Result<(), Error> {
    const OPERATION: &str = "release an upload";
    const SQL: &str = "
        UPDATE upload SET holder = NULL, held_until = NULL, image_id = coalesce($3, image_id),
            offset_bytes = CASE WHEN $3::text IS NULL THEN offset_bytes ELSE length_bytes END
        WHERE id = $1 AND holder = $2";
    let client = catalog.client(OPERATION).await?;
    let image = image.as_ref().map(PublicId::as_str);
    client
        .execute(SQL, &[&id.as_str(), &holder.as_slice(), &image])
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

/// Forgets an upload, whoever holds it. False when it was not there.
pub async fn delete_upload(catalog: &Catalog, account_id: i64, id: PublicId) -> Result<bool, Error> {
    const OPERATION: &str = "drop an upload";
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .execute(
            "DELETE FROM upload WHERE id = $1 AND account_id = $2",
            &[&id.as_str(), &account_id],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(rows == 1)
}

/// Lets uploads expire at `at` that would have lived longer.
pub async fn shorten_uploads(
    catalog: &Catalog,
    account_id: i64,
    ids: &[PublicId],
    at: Timestamp,
) -> Result<(), Error> {
    const OPERATION: &str = "shorten uploads";
    const SQL: &str =
        "UPDATE upload SET expires_at = least(expires_at, $3) WHERE id = ANY ($1) AND account_id = $2";
    let ids: Vec<&str> = ids.iter().map(PublicId::as_str).collect();
    let client = catalog.client(OPERATION).await?;
    client
        .execute(SQL, &[&ids, &account_id, &at])
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

/// Forgets up to `limit` uploads that were over at `now` and that nobody holds, and has `remove` drop their bytes before that is
/// final. A failure leaves the rows for the next time. Says how many.
pub async fn forget_uploads<F>(
    catalog: &Catalog,
    limit: i64,
    now: Timestamp,
    remove: impl FnOnce(Vec<PublicId>) -> F,
) -> Result<u64, Error>
where
    F: Future<Output = ()>,
{
    const OPERATION: &str = "forget uploads";
    // Who wants to go on with one waits for the deletion, and then finds none.
    const SQL: &str = "
        DELETE FROM upload WHERE expires_at <= $1 AND (held_until IS NULL OR held_until <= $1) AND id IN
            (SELECT id FROM upload WHERE expires_at <= $1 AND (held_until IS NULL OR held_until <= $1) ORDER BY expires_at LIMIT $2)
        RETURNING id";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let rows = transaction
        .query(SQL, &[&now, &limit])
        .await
        .map_err(Error::statement(OPERATION))?;
    let ids = rows.iter().map(|row| row.get::<_, &str>(0).parse());
    let ids: Vec<PublicId> = ids
        .collect::<Result<_, _>>()
        .map_err(|error| Error::row(OPERATION, error))?;
    remove(ids).await;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(rows.len() as u64)
}

/// How many uploads are over at `now`.
pub async fn count_forgotten_uploads(catalog: &Catalog, now: Timestamp) -> Result<u64, Error> {
    const OPERATION: &str = "count uploads that are over";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one("SELECT count(*) FROM upload WHERE expires_at <= $1", &[&now])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}
