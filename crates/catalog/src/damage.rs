//! Blobs whose bytes were found lost or changed, and what ends that.
//!
//! A row of `damage` stands from the moment that the janitor is sure to the moment that the right bytes are back: nothing of the blob is shown
//! meanwhile, and nobody is told that its bytes are here. INVARIANT: the row comes and goes while the blob's row is locked, so it never speaks of
//! a file that an upload has just put right.

use deadpool_postgres::Transaction;
use domain::{BlobKey, Md5, PublicId, Sha256};
use jiff::Timestamp;
use serde_json::json;
use tokio_postgres::Row;

use crate::{Catalog, Error, Event, events::record_in, sweep::loss_of};

/// What is wrong with a blob's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// There is none.
    Lost,
    /// It has another length than the row says.
    Length,
    /// It has other bytes.
    Bytes,
    /// The disk does not give its bytes back.
    Unreadable,
}

impl Damage {
    /// Its name in the table, the log and `/v1/events`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Length => "length",
            Self::Bytes => "bytes",
            Self::Unreadable => "unreadable",
        }
    }

    fn read(operation: &'static str, text: &str) -> Result<Self, Error> {
        [Self::Lost, Self::Length, Self::Bytes, Self::Unreadable]
            .into_iter()
            .find(|damage| damage.as_str() == text)
            .ok_or_else(|| Error::row(operation, text))
    }
}

/// A blob as its row says that its file should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedBlob {
    /// Its row.
    pub id: i64,
    /// Where its bytes should rest.
    pub key: BlobKey,
    /// How many.
    pub size_bytes: u64,
    /// Their MD5.
    pub md5: Md5,
    /// Their SHA-256.
    pub sha256: Sha256,
    /// What was found wrong with it before.
    pub damage: Option<Damage>,
}

const EXPECTED: &str = "
    SELECT blob.id, blob.key, blob.size_bytes, blob.md5, blob.sha256, damage.what
    FROM blob LEFT JOIN damage ON damage.blob_id = blob.id";

/// Up to `limit` blobs behind the row `after` and not behind the row `last`, those that nothing links to any more, too: they can be restored.
pub async fn list_expected_blobs(
    catalog: &Catalog,
    after: i64,
    last: i64,
    limit: i64,
) -> Result<Vec<ExpectedBlob>, Error> {
    const OPERATION: &str = "list blobs to read again";
    let sql = format!("{EXPECTED} WHERE blob.id > $1 AND blob.id <= $2 ORDER BY blob.id LIMIT $3");
    let client = catalog.client(OPERATION).await?;
    let statement = client
        .prepare_cached(&sql)
        .await
        .map_err(Error::statement(OPERATION))?;
    let rows = client
        .query(&statement, &[&after, &last, &limit])
        .await
        .map_err(Error::statement(OPERATION))?;
    rows.iter().map(|row| read_expected(OPERATION, row)).collect()
}

/// Up to `limit` blobs behind the row `after` that are known to be damaged.
pub async fn list_damaged_blobs(
    catalog: &Catalog,
    after: i64,
    limit: i64,
) -> Result<Vec<ExpectedBlob>, Error> {
    const OPERATION: &str = "list damaged blobs";
    let sql = format!("{EXPECTED} WHERE damage.blob_id > $1 ORDER BY damage.blob_id LIMIT $2");
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query(&sql, &[&after, &limit])
        .await
        .map_err(Error::statement(OPERATION))?;
    rows.iter().map(|row| read_expected(OPERATION, row)).collect()
}

fn read_expected(operation: &'static str, row: &Row) -> Result<ExpectedBlob, Error> {
    let what: Option<&str> = row.get("what");
    Ok(ExpectedBlob {
        id: row.get("id"),
        key: row
            .get::<_, &str>("key")
            .parse()
            .map_err(|error| Error::row(operation, error))?,
        size_bytes: row.get::<_, i64>("size_bytes").unsigned_abs(),
        md5: Md5::from_slice(row.get("md5")).map_err(|error| Error::row(operation, error))?,
        sha256: Sha256::from_slice(row.get("sha256")).map_err(|error| Error::row(operation, error))?,
        damage: what.map(|what| Damage::read(operation, what)).transpose()?,
    })
}

/// How many blobs are known to be damaged.
pub async fn count_damaged(catalog: &Catalog) -> Result<u64, Error> {
    const OPERATION: &str = "count damaged blobs";
    const SQL: &str = "SELECT count(*) FROM damage";
    let row = catalog.find_row(OPERATION, SQL, &[]).await?;
    Ok(row.map_or(0, |row| row.get::<_, i64>(0).unsigned_abs()))
}

/// What became of a suspicion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was swept meanwhile: nobody misses it.
    Swept,
    /// Its bytes are as they should be. If it was known to be damaged, it is not any more.
    Whole,
    /// It is damaged, and that is written down.
    Damaged {
        /// How.
        damage: Damage,
        /// Whether it was known before.
        is_new: bool,
        /// Some of the live images over it, for the log.
        images: Vec<PublicId>,
    },
}

/// Has `look` look at a blob's file once more while its row is locked, and writes down what it says: no upload of these bytes puts them in place
/// meanwhile and no sweep takes them away. What can't be told is an error of `look`, which changes nothing.
pub async fn judge_blob<E, F>(
    catalog: &Catalog,
    blob_id: i64,
    now: Timestamp,
    look: impl FnOnce() -> F,
) -> Result<Verdict, E>
where
    E: From<Error>,
    F: Future<Output = Result<Option<Damage>, E>>,
{
    const OPERATION: &str = "judge a blob";
    const LOCK: &str = "SELECT key FROM blob WHERE id = $1 FOR UPDATE";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let row = transaction
        .query_opt(LOCK, &[&blob_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(row) = row else { return Ok(Verdict::Swept) };
    let key: &str = row.get(0);
    let damage = tokio::select! {
        looked = look() => looked?,
        error = loss_of(&transaction) => return Err(Error::statement(OPERATION)(error).into()),
    };
    let verdict = match damage {
        None => {
            heal(&transaction, blob_id, key, now).await?;
            Verdict::Whole
        }
        Some(damage) => accuse(&transaction, (blob_id, key), damage, now).await?,
    };
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(verdict)
}

async fn accuse(
    transaction: &Transaction<'_>,
    (blob_id, key): (i64, &str),
    damage: Damage,
    now: Timestamp,
) -> Result<Verdict, Error> {
    const OPERATION: &str = "write down that a blob is damaged";
    const INSERT: &str = "
        INSERT INTO damage (blob_id, what, found_at) VALUES ($1, $2, $3) ON CONFLICT (blob_id) DO NOTHING";
    const UPDATE: &str = "UPDATE damage SET what = $2 WHERE blob_id = $1";
    const IMAGES: &str =
        "SELECT public_id FROM image WHERE blob_id = $1 AND ended_at IS NULL ORDER BY id LIMIT 20";
    let what = damage.as_str();
    let statement = Error::statement;
    let is_new = transaction
        .execute(INSERT, &[&blob_id, &what, &now])
        .await
        .map_err(statement(OPERATION))?
        > 0;
    let images = transaction
        .query(IMAGES, &[&blob_id])
        .await
        .map_err(statement(OPERATION))?
        .iter()
        .map(|row| row.get::<_, &str>(0).parse())
        .collect::<Result<Vec<PublicId>, _>>()
        .map_err(|error| Error::row(OPERATION, error))?;
    if is_new {
        let names: Vec<&str> = images.iter().map(PublicId::as_str).collect();
        let event = Event {
            kind: "blob_damaged",
            account_id: None,
            client_address: None,
            subject: key.to_owned(),
            detail: json!({ "damage": what, "images": names }),
        };
        record_in(transaction, &event, now).await?;
    } else {
        transaction
            .execute(UPDATE, &[&blob_id, &what])
            .await
            .map_err(statement(OPERATION))?;
    }
    Ok(Verdict::Damaged {
        damage,
        is_new,
        images,
    })
}

/// Says that a blob's bytes are as they should be again, after its file was put back by other means than an upload. False where nobody had said
/// otherwise.
pub async fn mark_blob_whole(catalog: &Catalog, blob_id: i64, now: Timestamp) -> Result<bool, Error> {
    const OPERATION: &str = "say that a blob is whole";
    const LOCK: &str = "SELECT key FROM blob WHERE id = $1 FOR UPDATE";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let row = transaction
        .query_opt(LOCK, &[&blob_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(row) = row else { return Ok(false) };
    let was_damaged = heal(&transaction, blob_id, row.get(0), now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    drop(client);
    if was_damaged {
        catalog.until_heard().await;
    }
    Ok(was_damaged)
}

/// The right bytes are in place and the blob's row is locked. What was derived while they may have been wrong is derived anew. Says whether
/// anybody had found them damaged.
pub(crate) async fn heal(
    transaction: &Transaction<'_>,
    blob_id: i64,
    key: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    const OPERATION: &str = "say that a blob is whole";
    const HEAL: &str = "DELETE FROM damage WHERE blob_id = $1 RETURNING what";
    const DERIVE: &str = "
        UPDATE variant SET due_at = $2, tries = 0 WHERE blob_id = $1 AND none_because IS NULL AND due_at IS NULL";
    let statement = transaction
        .prepare_cached(HEAL)
        .await
        .map_err(Error::statement(OPERATION))?;
    let row = transaction
        .query_opt(&statement, &[&blob_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(row) = row else { return Ok(false) };
    transaction
        .execute(DERIVE, &[&blob_id, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    let event = Event {
        kind: "blob_healed",
        account_id: None,
        client_address: None,
        subject: key.to_owned(),
        detail: json!({ "damage": row.get::<_, &str>(0) }),
    };
    record_in(transaction, &event, now).await?;
    Ok(true)
}
