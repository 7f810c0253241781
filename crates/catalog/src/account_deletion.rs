use domain::PasswordHash;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    AccountError, Catalog, Error,
    account_changes::{Actor, hold},
    events::record_in,
};

/// Images that are withdrawn in one transaction: their locks are held for some tens of milliseconds.
const BATCH: i64 = 500;

/// Deletes an account: nobody can sign in to it or use its tokens from now on, its name is free, and every one of its
/// images is withdrawn when this returns; says how many that were. What is left is a row without name, password or rights.
///
/// A deletion that was cut off goes on when it is asked for again, or by [`withdraw_of_deleted`].
pub async fn delete_account(
    catalog: &Catalog,
    id: i64,
    actor: Actor,
    now: Timestamp,
) -> Result<u64, AccountError> {
    match bury(catalog, id, actor, now).await {
        Ok(()) => {}
        Err(AccountError::NotFound) if has_live_images_of_deleted(catalog, id).await? => {}
        Err(error) => return Err(error),
    }
    let mut withdrawn = 0;
    loop {
        let batch = withdraw_batch(catalog, id, now).await?;
        if batch == 0 {
            catalog.until_heard().await;
            return Ok(withdrawn);
        }
        withdrawn += batch;
    }
}

/// Withdraws a batch of what an interrupted deletion has left, and says how many images that were.
pub async fn withdraw_of_deleted(catalog: &Catalog, now: Timestamp) -> Result<u64, Error> {
    const OPERATION: &str = "look for what deletions have left";
    const SQL: &str = "
        SELECT id FROM account WHERE deleted_at IS NOT NULL
          AND EXISTS (SELECT FROM image WHERE image.account_id = account.id AND image.ended_at IS NULL) LIMIT 1";
    let client = catalog.client(OPERATION).await?;
    let left = client
        .query_opt(SQL, &[])
        .await
        .map_err(Error::statement(OPERATION))?;
    drop(client);
    match left {
        Some(row) => withdraw_batch(catalog, row.get(0), now).await,
        None => Ok(0),
    }
}

/// Takes an account's name, credentials and rights. The lock on its row waits for uploads that are just being published, and
/// those that come later find no account.
async fn bury(catalog: &Catalog, id: i64, actor: Actor, now: Timestamp) -> Result<(), AccountError> {
    const OPERATION: &str = "delete an account";
    const BURY: &str = "
        UPDATE account SET username = '#' || id, role = 'member', password_hash = $2, deleted_at = $3,
            disabled_at = coalesce(disabled_at, $3) WHERE id = $1";
    const REST: [&str; 3] = [
        "DELETE FROM session WHERE account_id = $1",
        "DELETE FROM token WHERE account_id = $1",
        "UPDATE album SET name = '#' || id, description = '', policy = NULL WHERE account_id = $1 AND name <> 'default'",
    ];
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let held = hold(&transaction, id).await?;
    if held.is_last_admin {
        return Err(AccountError::LastAdmin);
    }
    transaction
        .execute(BURY, &[&id, &PasswordHash::of_nobody().as_phc(), &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    for statement in REST {
        transaction
            .execute(statement, &[&id])
            .await
            .map_err(Error::statement(OPERATION))?;
    }
    let event = actor.event("account_deleted", &held.username, json!({ "account": id }));
    record_in(&transaction, &event, now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(())
}

async fn has_live_images_of_deleted(catalog: &Catalog, id: i64) -> Result<bool, Error> {
    const OPERATION: &str = "look for what a deletion has left";
    const SQL: &str = "
        SELECT EXISTS (SELECT FROM account JOIN image ON image.account_id = account.id
            WHERE account.id = $1 AND account.deleted_at IS NOT NULL AND image.ended_at IS NULL)";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one(SQL, &[&id])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.get(0))
}

/// Withdraws up to [`BATCH`] live images of an account: blobs, then images, then the account, as the crate's rule about
/// locks says. An image whose bytes are being replaced is found by the next batch.
async fn withdraw_batch(catalog: &Catalog, account_id: i64, now: Timestamp) -> Result<u64, Error> {
    const OPERATION: &str = "withdraw an account's images";
    const BLOBS: &str = "
        SELECT id FROM blob WHERE id IN (
            SELECT blob_id FROM image WHERE account_id = $1 AND ended_at IS NULL ORDER BY id DESC LIMIT $2)
        ORDER BY id FOR UPDATE";
    const IMAGES: &str = "
        SELECT id FROM image WHERE account_id = $1 AND ended_at IS NULL AND blob_id = ANY ($2) ORDER BY id FOR UPDATE";
    const END: &str = "
        WITH ended AS (
            UPDATE image SET ended_at = $2, ended_by = 'withdrawn' WHERE id = ANY ($1) RETURNING blob_id
        ), counted AS (
            SELECT blob_id, count(*) AS images FROM ended GROUP BY blob_id
        ), unlinked AS (
            UPDATE blob SET links = links - images, doomed_at = CASE WHEN links = images THEN $2::timestamptz END
            FROM counted WHERE blob.id = counted.blob_id RETURNING images, images * size_bytes AS bytes
        )
        SELECT coalesce(sum(images), 0)::bigint, coalesce(sum(bytes), 0)::bigint FROM unlinked";
    const USE: &str =
        "UPDATE account SET used_files = used_files - $2, used_bytes = used_bytes - $3 WHERE id = $1";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let ids = |rows: Vec<tokio_postgres::Row>| rows.iter().map(|row| row.get(0)).collect::<Vec<i64>>();
    let blobs = transaction
        .query(BLOBS, &[&account_id, &BATCH])
        .await
        .map_err(Error::statement(OPERATION))?;
    if blobs.is_empty() {
        return Ok(0);
    }
    let images = transaction
        .query(IMAGES, &[&account_id, &ids(blobs)])
        .await
        .map_err(Error::statement(OPERATION))?;
    let ended = transaction
        .query_one(END, &[&ids(images), &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    let (images, bytes): (i64, i64) = (ended.get(0), ended.get(1));
    transaction
        .execute(USE, &[&account_id, &images, &bytes])
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    // None of the batch was there any more, and others may be: the caller asks again.
    Ok(images.unsigned_abs().max(1))
}
