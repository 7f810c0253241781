use std::{fmt, net::IpAddr};

use domain::{PasswordHash, Scopes};
use jiff::Timestamp;

use crate::{
    Bearer, Catalog, Credential, Error, Event, Role,
    accounts::{AccountRecord, COLUMNS, read},
    events::record_in,
};

/// What names a session in its JWT (`jti`): 16 random bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionKey(pub [u8; 16]);

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

/// Someone who wants to sign in: the account, and what their password is held against.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The account.
    pub account: AccountRecord,
    /// The hash of its password.
    pub password: PasswordHash,
}

/// The account that signs in under this name, disabled ones too: their password costs the same time.
pub async fn find_sign_in(catalog: &Catalog, username: &str) -> Result<Option<SignIn>, Error> {
    const OPERATION: &str = "find who signs in";
    // Nobody's name: Postgres takes no such text, and would call the question a failure.
    if username.contains('\0') {
        return Ok(None);
    }
    let sql = format!("SELECT {COLUMNS}, password_hash FROM account WHERE lower(username) = lower($1)");
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_opt(&sql, &[&username])
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(SignIn {
        account: read(OPERATION, &row)?,
        password: PasswordHash::from_phc(row.get("password_hash")),
    }))
}

/// A session to be opened.
#[derive(Debug)]
pub struct NewSession {
    /// Whose it is.
    pub account_id: i64,
    /// What names it.
    pub key: SessionKey,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// From where it was opened.
    pub client_address: Option<IpAddr>,
}

/// Opens a session, and forgets those of the account that are over. False when the account was disabled, or its password changed from
/// the one that was `checked`, while that was being checked.
pub async fn open_session(
    catalog: &Catalog,
    new: &NewSession,
    checked: &PasswordHash,
    now: Timestamp,
) -> Result<bool, Error> {
    const OPERATION: &str = "open a session";
    // INVARIANT: the account's row is held while the session is written, so that whoever disables it or changes its password
    // either finds this session or is found here.
    const LOCK: &str = "
        SELECT username FROM account WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL FOR SHARE";
    const FORGET: &str = "DELETE FROM session WHERE account_id = $1 AND expires_at <= $2";
    const OPEN: &str = "
        INSERT INTO session (account_id, jti, created_at, expires_at, client_address) VALUES ($1, $2, $3, $4, $5)";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let locked = transaction
        .query_opt(LOCK, &[&new.account_id, &checked.as_phc()])
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(locked) = locked else { return Ok(false) };
    transaction
        .execute(FORGET, &[&new.account_id, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    let key = new.key.0.as_slice();
    transaction
        .execute(
            OPEN,
            &[&new.account_id, &key, &now, &new.expires_at, &new.client_address],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    let event = Event {
        kind: "sign_in",
        account_id: Some(new.account_id),
        client_address: new.client_address,
        subject: locked.get(0),
        detail: serde_json::json!({}),
    };
    record_in(&transaction, &event, now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(true)
}

/// Who a session speaks for; none when it is closed or over, or its account is disabled.
pub async fn find_session(
    catalog: &Catalog,
    key: SessionKey,
    now: Timestamp,
) -> Result<Option<Bearer>, Error> {
    const OPERATION: &str = "find a session";
    const SQL: &str = "
        SELECT session.id, session.account_id, account.role, session.expires_at
        FROM session JOIN account ON account.id = session.account_id
        WHERE session.jti = $1 AND session.expires_at > $2 AND account.disabled_at IS NULL";
    let row = Catalog::in_time(
        OPERATION,
        catalog.find_row(OPERATION, SQL, &[&key.0.as_slice(), &now]),
    )
    .await?;
    let Some(row) = row else { return Ok(None) };
    let role: &str = row.get("role");
    let role = Role::read(role).ok_or_else(|| Error::row(OPERATION, role))?;
    Ok(Some(Bearer {
        credential: Credential::Session {
            id: row.get("id"),
            expires_at: row.get("expires_at"),
        },
        account_id: row.get("account_id"),
        role,
        scopes: Scopes::all().without_admin_unless(role == Role::Admin),
        album_id: None,
    }))
}

/// Closes a session: its JWT is worth nothing from now on.
pub async fn close_session(
    catalog: &Catalog,
    (account_id, session_id): (i64, i64),
    client_address: Option<IpAddr>,
    now: Timestamp,
) -> Result<(), Error> {
    const OPERATION: &str = "close a session";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let closed = transaction
        .execute("DELETE FROM session WHERE id = $1", &[&session_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    if closed == 1 {
        let event = Event {
            kind: "sign_out",
            account_id: Some(account_id),
            client_address,
            subject: String::new(),
            detail: serde_json::json!({}),
        };
        record_in(&transaction, &event, now).await?;
    }
    transaction.commit().await.map_err(Error::statement(OPERATION))
}

/// Forgets up to `limit` sessions that were over at `now`, and says how many.
pub async fn forget_sessions(catalog: &Catalog, limit: i64, now: Timestamp) -> Result<u64, Error> {
    const OPERATION: &str = "forget sessions";
    const SQL: &str = "
        DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
    let client = catalog.client(OPERATION).await?;
    client
        .execute(SQL, &[&now, &limit])
        .await
        .map_err(Error::statement(OPERATION))
}
