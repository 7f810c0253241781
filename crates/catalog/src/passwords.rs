use std::net::IpAddr;

use domain::PasswordHash;
use jiff::Timestamp;
use serde_json::json;

use crate::{Catalog, Error, Event, events::record_in};

/// A new password for an account.
#[derive(Debug)]
pub struct NewPassword<'a> {
    /// Whose it is.
    pub account_id: i64,
    /// The hash that the old password was checked against.
    pub old: &'a PasswordHash,
    /// What takes its place.
    pub new: &'a PasswordHash,
    /// The session that may stay: the one that asked.
    pub keep_session: Option<i64>,
}

/// What an account's password is held against.
pub async fn find_password(catalog: &Catalog, account_id: i64) -> Result<Option<PasswordHash>, Error> {
    const OPERATION: &str = "find a password";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_opt("SELECT password_hash FROM account WHERE id = $1", &[&account_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.map(|row| PasswordHash::from_phc(row.get(0))))
}

/// Changes a password and closes the account's other sessions. False when the password is not the old one any more.
pub async fn change_password(
    catalog: &Catalog,
    change: &NewPassword<'_>,
    client_address: Option<IpAddr>,
    now: Timestamp,
) -> Result<bool, Error> {
    const OPERATION: &str = "change a password";
    // The row stays locked until the sessions are gone: see `open_session`.
    const CHANGE: &str = "
        UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING username";
    const CLOSE: &str = "DELETE FROM session WHERE account_id = $1 AND id IS DISTINCT FROM $2";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let changed = transaction
        .query_opt(
            CHANGE,
            &[&change.account_id, &change.old.as_phc(), &change.new.as_phc()],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(changed) = changed else { return Ok(false) };
    let closed = transaction
        .execute(CLOSE, &[&change.account_id, &change.keep_session])
        .await
        .map_err(Error::statement(OPERATION))?;
    let event = Event {
        kind: "password_changed",
        account_id: Some(change.account_id),
        client_address,
        subject: changed.get(0),
        detail: json!({ "sessions_closed": closed }),
    };
    record_in(&transaction, &event, now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(true)
}
