use std::net::IpAddr;

use domain::PublicId;
use jiff::Timestamp;
use serde_json::json;

use crate::{Catalog, Error, Event, events::record_in};

/// Withdraws an image of this account at once. False when it has none of that id that is live.
pub async fn withdraw(
    catalog: &Catalog,
    account_id: i64,
    public_id: PublicId,
    client_address: Option<IpAddr>,
    now: Timestamp,
) -> Result<bool, Error> {
    const OPERATION: &str = "withdraw an image";
    // The blob's row first: see the crate's rule about locks.
    const LOCK: &str = "
        SELECT id, size_bytes FROM blob
        WHERE id = (SELECT blob_id FROM image WHERE public_id = $1 AND account_id = $2) FOR UPDATE";
    const END: &str = "
        UPDATE image SET ended_at = $3, ended_by = 'withdrawn', updated_at = $3
        WHERE public_id = $1 AND account_id = $2 AND blob_id = $4 AND ended_at IS NULL
          AND (expires_at IS NULL OR expires_at > $3)";
    const UNLINK: &str = "
        UPDATE blob SET links = links - 1, doomed_at = CASE WHEN links = 1 THEN $2::timestamptz END WHERE id = $1";
    const USE: &str =
        "UPDATE account SET used_files = used_files - 1, used_bytes = used_bytes - $2 WHERE id = $1";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let id = public_id.as_str();
    let locked = transaction
        .query_opt(LOCK, &[&id, &account_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(locked) = locked else { return Ok(false) };
    let (blob_id, size): (i64, i64) = (locked.get(0), locked.get(1));
    let ended = transaction
        .execute(END, &[&id, &account_id, &now, &blob_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    if ended == 0 {
        return Ok(false);
    }
    transaction
        .execute(UNLINK, &[&blob_id, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(USE, &[&account_id, &size])
        .await
        .map_err(Error::statement(OPERATION))?;
    let event = Event {
        kind: "withdraw",
        account_id: Some(account_id),
        client_address,
        subject: public_id.to_string(),
        detail: json!({}),
    };
    record_in(&transaction, &event, now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(true)
}
