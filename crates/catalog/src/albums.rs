use domain::PublicId;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::{Row, error::SqlState};

use crate::{BulkAction, BulkCaller, Catalog, Error, Event, change_many, record};

/// An owner's named group of images.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "each field is the column of its name; migrations/ explains them"
)]
pub struct AlbumRecord {
    pub id: i64,
    pub account_id: i64,
    pub name: String,
    pub description: String,
    pub policy: Option<Value>,
    /// Live images in it.
    pub images: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The album that every account has, that can be neither renamed nor deleted.
pub const DEFAULT_ALBUM: &str = "default";

/// What an album is made of, or changed to; what is absent stays as it is, or empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct AlbumPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    /// The inner value is null for the site's policy.
    pub policy: Option<Option<Value>>,
}

/// Why an album was not made, changed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum AlbumError {
    /// The rows could not be written.
    #[error(transparent)]
    Catalog(#[from] Error),
    /// The account has no such album.
    #[error("there is no such album")]
    NotFound,
    /// The account has another album of that name.
    #[error("the album's name is taken")]
    NameTaken,
    /// It is not what the client expected.
    #[error("the album is not as expected")]
    Unexpected,
    /// It is the one that must stay.
    #[error("the album `default` stays as it is")]
    IsDefault,
}

/// Whether an album is still what its client believes it to be (`If-Match`); asked while its row is locked.
pub type ExpectedAlbum<'a> = &'a (dyn Fn(&AlbumRecord) -> bool + Send + Sync);

/// What becomes of the live images of an album that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlbumContents {
    /// They move to the owner's album `default`.
    #[default]
    Keep,
    /// They are withdrawn, and wait there for their restoring.
    Withdraw,
}

pub(crate) const COLUMNS: &str = "id, account_id, name, description, policy, images, created_at, updated_at";

pub(crate) fn read(row: &Row) -> AlbumRecord {
    AlbumRecord {
        id: row.get("id"),
        account_id: row.get("account_id"),
        name: row.get("name"),
        description: row.get("description"),
        policy: row.get("policy"),
        images: row.get::<_, i64>("images").unsigned_abs(),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    }
}

/// Up to `limit` albums of an account (or this one alone, where one is given), in the order in which they were made, from behind the one of number `after`.
pub async fn list_albums(
    catalog: &Catalog,
    account_id: i64,
    only: Option<i64>,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<AlbumRecord>, Error> {
    const OPERATION: &str = "list albums";
    let sql = format!(
        "SELECT {COLUMNS} FROM album WHERE account_id = $1 AND id > $2 AND ($4::bigint IS NULL OR id = $4) ORDER BY account_id, id LIMIT $3"
    );
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query(&sql, &[&account_id, &after.unwrap_or(0), &limit, &only])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(rows.iter().map(read).collect())
}

/// The album of this number, if it is this account's; anybody's when no account is given.
pub async fn find_album(
    catalog: &Catalog,
    owner: Option<i64>,
    id: i64,
) -> Result<Option<AlbumRecord>, Error> {
    const OPERATION: &str = "describe an album";
    let sql =
        format!("SELECT {COLUMNS} FROM album WHERE id = $1 AND ($2::bigint IS NULL OR account_id = $2)");
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_opt(&sql, &[&id, &owner])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.as_ref().map(read))
}

/// Makes an album. Its name must be given.
pub async fn create_album(
    catalog: &Catalog,
    account_id: i64,
    name: &str,
    rest: &AlbumPatch,
    now: Timestamp,
) -> Result<AlbumRecord, AlbumError> {
    const OPERATION: &str = "create an album";
    let sql = format!(
        "INSERT INTO album (account_id, name, description, policy, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (account_id, name) DO NOTHING RETURNING {COLUMNS}"
    );
    let description = rest.description.as_deref().unwrap_or_default();
    let policy = rest.policy.clone().flatten();
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_opt(&sql, &[&account_id, &name, &description, &policy, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    row.as_ref().map(read).ok_or(AlbumError::NameTaken)
}

/// Changes an album of this account, if it is as `expected`, and gives it as it is now.
pub async fn patch_album(
    catalog: &Catalog,
    account_id: i64,
    id: i64,
    patch: &AlbumPatch,
    expected: ExpectedAlbum<'_>,
    now: Timestamp,
) -> Result<AlbumRecord, AlbumError> {
    const OPERATION: &str = "change an album";
    let held = format!("SELECT {COLUMNS} FROM album WHERE id = $1 AND account_id = $2 FOR UPDATE");
    let sql = format!(
        "UPDATE album SET name = coalesce($3, name), description = coalesce($4, description),
            policy = CASE WHEN $5 THEN $6::jsonb ELSE policy END, updated_at = $7
         WHERE id = $1 AND account_id = $2 RETURNING {COLUMNS}"
    );
    let policy = patch.policy.clone().flatten();
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let before = transaction
        .query_opt(&held, &[&id, &account_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    let before = before.as_ref().map(read).ok_or(AlbumError::NotFound)?;
    if !expected(&before) {
        return Err(AlbumError::Unexpected);
    }
    if before.name == DEFAULT_ALBUM && patch.name.as_ref().is_some_and(|name| name != DEFAULT_ALBUM) {
        return Err(AlbumError::IsDefault);
    }
    let row = transaction
        .query_one(
            &sql,
            &[
                &id,
                &account_id,
                &patch.name,
                &patch.description,
                &patch.policy.is_some(),
                &policy,
                &now,
            ],
        )
        .await;
    let changed = match row {
        Ok(row) => read(&row),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => return Err(AlbumError::NameTaken),
        Err(error) => return Err(Error::statement(OPERATION)(error).into()),
    };
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    drop(client);
    if patch.policy.is_some() {
        catalog.until_heard().await;
    }
    Ok(changed)
}

/// Rows in one statement.
const BATCH: i64 = 1_000;
/// Uploads into the album while it is being deleted begin it anew; whoever uploads faster than that keeps it.
const TRIES: usize = 20;

/// Deletes an album of this account. Images that come into it meanwhile go the way of the others.
pub async fn delete_album(
    catalog: &Catalog,
    caller: BulkCaller,
    account_id: i64,
    id: i64,
    contents: AlbumContents,
    now: Timestamp,
) -> Result<(), AlbumError> {
    const OPERATION: &str = "delete an album";
    let album = find_album(catalog, Some(account_id), id).await?;
    let album = album.ok_or(AlbumError::NotFound)?;
    if album.name == DEFAULT_ALBUM {
        return Err(AlbumError::IsDefault);
    }
    for _ in 0..TRIES {
        if contents == AlbumContents::Withdraw {
            withdraw_all(catalog, caller, id, now).await?;
        }
        move_to_default(catalog, account_id, id, now).await?;
        let client = catalog.client(OPERATION).await?;
        let deleted = client
            .execute(
                "DELETE FROM album WHERE id = $1 AND account_id = $2",
                &[&id, &account_id],
            )
            .await;
        match deleted {
            Ok(0) => return Err(AlbumError::NotFound),
            Ok(_) => {
                drop(client);
                let event = Event {
                    kind: "album_deleted",
                    account_id: Some(caller.account_id),
                    client_address: caller.client_address,
                    subject: album.name,
                    detail: json!({ "album": id, "images": if contents == AlbumContents::Keep { "keep" } else { "withdraw" } }),
                };
                catalog.until_heard().await;
                return Ok(record(catalog, &event, now).await?);
            }
            Err(error) if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) => {}
            Err(error) => return Err(Error::statement(OPERATION)(error).into()),
        }
    }
    Err(Error::row(OPERATION, "images keep coming into the album").into())
}

async fn withdraw_all(catalog: &Catalog, caller: BulkCaller, id: i64, now: Timestamp) -> Result<(), Error> {
    const OPERATION: &str = "find the images of an album";
    const SQL: &str = "
        SELECT public_id FROM image WHERE album_id = $1 AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > $2) LIMIT $3";
    loop {
        let client = catalog.client(OPERATION).await?;
        let rows = client
            .query(SQL, &[&id, &now, &BATCH])
            .await
            .map_err(Error::statement(OPERATION))?;
        drop(client);
        let ids: Result<Vec<PublicId>, _> = rows.iter().map(|row| row.get::<_, &str>(0).parse()).collect();
        let ids = ids.map_err(|error| Error::row(OPERATION, error))?;
        if ids.is_empty() {
            return Ok(());
        }
        let outcomes = change_many(catalog, caller, &ids, BulkAction::Withdraw, now).await?;
        if !outcomes.values().any(Result::is_ok) {
            return Ok(()); // somebody else has just ended them all
        }
    }
}

/// Moves every image of an album, ended ones too, to the owner's `default`.
async fn move_to_default(catalog: &Catalog, account_id: i64, id: i64, now: Timestamp) -> Result<(), Error> {
    const OPERATION: &str = "empty an album";
    const SQL: &str = "
        WITH target AS (
            SELECT id FROM image WHERE id IN (SELECT id FROM image WHERE album_id = $1 LIMIT $4) AND album_id = $1 ORDER BY id FOR UPDATE
        )
        UPDATE image SET album_id = (SELECT id FROM album WHERE account_id = $2 AND name = 'default'), updated_at = $3
        FROM target WHERE image.id = target.id";
    loop {
        let client = catalog.client(OPERATION).await?;
        let moved = client
            .execute(SQL, &[&id, &account_id, &now, &BATCH])
            .await
            .map_err(Error::statement(OPERATION))?;
        if moved == 0 {
            return Ok(());
        }
    }
}
