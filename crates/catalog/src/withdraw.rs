use std::net::IpAddr;

use deadpool_postgres::Transaction;
use domain::PublicId;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    Catalog, ChangeError, Error, Event,
    events::record_in,
    image::{Expected, read_locked},
    quota::{charge, unlink},
};

const OPERATION: &str = "withdraw an image";

/// Withdraws an image of this account at once. False when it has none of that id that is live.
pub async fn withdraw(
    catalog: &Catalog,
    account_id: i64,
    public_id: PublicId,
    client_address: Option<IpAddr>,
    now: Timestamp,
) -> Result<bool, Error> {
    match withdraw_if(catalog, account_id, public_id, &|_| true, client_address, now).await {
        Ok(()) => Ok(true),
        Err(ChangeError::Catalog(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// Withdraws an image of this account at once, if it is what its client expects.
pub async fn withdraw_if(
    catalog: &Catalog,
    account_id: i64,
    public_id: PublicId,
    expected: Expected<'_>,
    client_address: Option<IpAddr>,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let event = Event {
        kind: "withdraw",
        account_id: Some(account_id),
        client_address,
        subject: public_id.to_string(),
        detail: json!({}),
    };
    withdraw_with(catalog, account_id, public_id, expected, event, now).await
}

/// Withdraws an image of this account at once for somebody who came with its delete link, while the link is good.
pub async fn withdraw_by_link(
    catalog: &Catalog,
    account_id: i64,
    public_id: PublicId,
    is_good: Expected<'_>,
    client_address: Option<IpAddr>,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let event = Event {
        kind: "withdraw",
        // Nobody has shown who they are.
        account_id: None,
        client_address,
        subject: public_id.to_string(),
        detail: json!({ "by": "delete_link" }),
    };
    withdraw_with(catalog, account_id, public_id, is_good, event, now).await
}

async fn withdraw_with(
    catalog: &Catalog,
    account_id: i64,
    public_id: PublicId,
    expected: Expected<'_>,
    event: Event,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let Some(locked) = lock_with_blob(&transaction, account_id, public_id).await? else {
        return Err(ChangeError::NotFound);
    };
    let image = read_locked(OPERATION, &transaction, locked.id).await?;
    if image.ended.is_some() || !domain::is_live(image.expiry, now) {
        return Err(ChangeError::NotFound);
    }
    if !expected(&image) {
        return Err(ChangeError::Unexpected);
    }
    end(&transaction, account_id, &locked, now).await?;
    record_in(&transaction, &event, now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    drop(client);
    catalog.until_heard().await;
    Ok(())
}

/// An image whose row is locked, and its blob's.
pub(crate) struct Locked {
    pub(crate) id: i64,
    pub(crate) blob_id: i64,
    pub(crate) size_bytes: i64,
}

/// Keeps an image's bytes from being replaced until the transaction ends. Comes before every other lock.
pub(crate) async fn hold_bytes(transaction: &Transaction<'_>, public_id: PublicId) -> Result<(), Error> {
    const SQL: &str = "SELECT pg_advisory_xact_lock(hashtext('image bytes'), hashtext($1))";
    let statement = transaction
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(&statement, &[&public_id.as_str()])
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}

/// Locks the row of an image's blob, then the image's, as the crate's rule about locks says. Ended images too.
pub(crate) async fn lock_with_blob(
    transaction: &Transaction<'_>,
    account_id: i64,
    public_id: PublicId,
) -> Result<Option<Locked>, Error> {
    const BLOB: &str = "
        SELECT id, size_bytes FROM blob
        WHERE id = (SELECT blob_id FROM image WHERE public_id = $1 AND account_id = $2) FOR UPDATE";
    const IMAGE: &str = "
        SELECT id FROM image WHERE public_id = $1 AND account_id = $2 AND blob_id = $3 FOR UPDATE";
    let id = public_id.as_str();
    hold_bytes(transaction, public_id).await?;
    let blob = transaction
        .query_opt(BLOB, &[&id, &account_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(blob) = blob else { return Ok(None) };
    let (blob_id, size_bytes): (i64, i64) = (blob.get(0), blob.get(1));
    let image = transaction
        .query_opt(IMAGE, &[&id, &account_id, &blob_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(image.map(|image| Locked {
        id: image.get(0),
        blob_id,
        size_bytes,
    }))
}

/// Ends a live image whose rows are locked.
pub(crate) async fn end(
    transaction: &Transaction<'_>,
    account_id: i64,
    locked: &Locked,
    now: Timestamp,
) -> Result<(), Error> {
    const END: &str = "UPDATE image SET ended_at = $2, ended_by = 'withdrawn', updated_at = $2 WHERE id = $1";
    unlink(transaction, locked.blob_id, now).await?;
    charge(transaction, account_id, -1, -locked.size_bytes).await?;
    let statement = transaction
        .prepare_cached(END)
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(&statement, &[&locked.id, &now])
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}
