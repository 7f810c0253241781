use std::net::IpAddr;

use deadpool_postgres::Transaction;
use domain::{Expiry, PublicId, is_live};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    Catalog, ChangeError, Error, Event,
    events::record_in,
    image::{Expected, ImageRecord, read_locked},
    publish::find_standing,
    quota::{charge, link},
    withdraw::{Locked, lock_with_blob},
};

const OPERATION: &str = "restore an image";

/// What holds for bringing images back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreTerms {
    /// Until when those live whose time is over.
    pub renewed: Expiry,
    /// What ended then or before is gone for good.
    pub grace_began: Timestamp,
}

/// Brings back an image that was withdrawn or has expired, if it is what its client expects, and gives it; one that is live is given as it is. If its time is
/// over it lives as its terms say. It can be brought back until the grace ends, whether or not the janitor has come by.
pub async fn restore(
    catalog: &Catalog,
    account_id: i64,
    public_id: PublicId,
    terms: RestoreTerms,
    expected: Expected<'_>,
    client_address: Option<IpAddr>,
    now: Timestamp,
) -> Result<ImageRecord, ChangeError> {
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let locked = lock_with_blob(&transaction, account_id, public_id).await?;
    let locked = locked.ok_or(ChangeError::NotFound)?;
    if !expected(&read_locked(OPERATION, &transaction, locked.id).await?) {
        return Err(ChangeError::Unexpected);
    }
    if bring_back(&transaction, account_id, &locked, terms, now).await? {
        let event = Event {
            kind: "restore",
            account_id: Some(account_id),
            client_address,
            subject: public_id.to_string(),
            detail: json!({}),
        };
        record_in(&transaction, &event, now).await?;
    }
    let image = read_locked(OPERATION, &transaction, locked.id).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    drop(client);
    catalog.until_heard().await;
    Ok(image)
}

/// Makes an image whose rows are locked live again; false when it is.
pub(crate) async fn bring_back(
    transaction: &Transaction<'_>,
    account_id: i64,
    locked: &Locked,
    terms: RestoreTerms,
    now: Timestamp,
) -> Result<bool, ChangeError> {
    const REVIVE: &str = "
        UPDATE image SET ended_at = NULL, ended_by = NULL, updated_at = $2, expires_at = $3,
            ends_by_policy = ends_by_policy OR $4 WHERE id = $1";
    let image = read_locked(OPERATION, transaction, locked.id).await?;
    let is_over = !is_live(image.expiry, now);
    if image.ended.is_none() && !is_over {
        return Ok(false);
    }
    // One that has expired may not have been written off yet.
    let ended_at = image.ended.as_ref().map(|(at, _)| *at).or(image.expiry.at());
    if ended_at.is_some_and(|at| at <= terms.grace_began) {
        return Err(ChangeError::NotFound);
    }
    if image.ended.is_some() {
        let standing = find_standing(transaction, account_id, locked.blob_id, locked.size_bytes, now).await?;
        if let Some(other) = standing {
            return Err(ChangeError::AlreadyLive(other));
        }
        link(transaction, locked.blob_id).await?;
        if !charge(transaction, account_id, 1, locked.size_bytes).await? {
            return Err(ChangeError::QuotaExceeded);
        }
    }
    let expiry = if is_over { terms.renewed } else { image.expiry };
    let statement = transaction
        .prepare_cached(REVIVE)
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(&statement, &[&locked.id, &now, &expiry.at(), &is_over])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(true)
}
