use std::net::IpAddr;

use deadpool_postgres::Transaction;
use domain::{PasswordHash, Scrub};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    AccountRecord, Catalog, Error, Event, NewAccount, Role,
    accounts::{COLUMNS, read},
    events::record_in,
};

/// Who changes an account, for the record.
#[derive(Debug, Clone, Copy)]
pub struct Actor {
    /// The account that asked.
    pub account_id: i64,
    /// From where.
    pub client_address: Option<IpAddr>,
}

/// What an account may hold: `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Bytes of live images, shared or not.
    pub bytes: Option<i64>,
    /// Live images.
    pub files: Option<i64>,
}

/// What is to be changed of an account; what is `None` stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct AccountPatch<'a> {
    /// What it may do.
    pub role: Option<Role>,
    /// Bytes at most; `Some(None)` lifts the limit.
    #[allow(clippy::option_option, reason = "to stay as it is, to be lifted, to be set")]
    pub quota_bytes: Option<Option<i64>>,
    /// Images at most; `Some(None)` lifts the limit.
    #[allow(clippy::option_option, reason = "to stay as it is, to be lifted, to be set")]
    pub quota_files: Option<Option<i64>>,
    /// Whether it is shut out.
    pub disabled: Option<bool>,
    /// What of its files' metadata is taken out; `Some(None)` leaves it to the settings.
    #[allow(clippy::option_option, reason = "to stay as it is, to be lifted, to be set")]
    pub scrub: Option<Option<Scrub>>,
    /// A new password.
    pub password: Option<&'a PasswordHash>,
}

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The rows could not be written.
    #[error(transparent)]
    Catalog(#[from] Error),
    /// There is no such account, or not any more.
    #[error("there is no such account")]
    NotFound,
    /// It is not what the client expected.
    #[error("the account is not as expected")]
    Unexpected,
    /// Nobody would be left who may administer.
    #[error("this is the last administrator")]
    LastAdmin,
}

/// Makes an account with its album `default`. None when the name is taken.
pub async fn make_account(
    catalog: &Catalog,
    new: &NewAccount<'_>,
    quotas: Quotas,
    actor: Actor,
    now: Timestamp,
) -> Result<Option<AccountRecord>, Error> {
    const OPERATION: &str = "make an account";
    let sql = format!(
        "WITH made AS (
            INSERT INTO account (username, role, password_hash, created_at, quota_bytes, quota_files)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (lower(username)) DO NOTHING RETURNING {COLUMNS}
        ), album AS (
            INSERT INTO album (account_id, name, created_at, updated_at) SELECT id, 'default', $4, $4 FROM made
        )
        SELECT {COLUMNS} FROM made"
    );
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let made = transaction
        .query_opt(
            &sql,
            &[
                &new.username.as_str(),
                &new.role.as_str(),
                &new.password_hash,
                &now,
                &quotas.bytes,
                &quotas.files,
            ],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(made) = made else { return Ok(None) };
    let account = read(OPERATION, &made)?;
    let detail = json!({ "account": account.id, "role": account.role.as_str() });
    let event = actor.event("account_created", &account.username, detail);
    record_in(&transaction, &event, now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(Some(account))
}

/// Accounts in the order of their ids, those behind `after`.
pub async fn list_accounts(
    catalog: &Catalog,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<AccountRecord>, Error> {
    const OPERATION: &str = "list accounts";
    let sql = format!(
        "SELECT {COLUMNS} FROM account WHERE deleted_at IS NULL AND id > coalesce($1::bigint, 0) ORDER BY id LIMIT $2"
    );
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query(&sql, &[&after, &limit])
        .await
        .map_err(Error::statement(OPERATION))?;
    rows.iter().map(|row| read(OPERATION, row)).collect()
}

/// Whether an account is still what its client believes it to be (`If-Match`); asked while its row is locked.
pub type ExpectedAccount<'a> = &'a (dyn Fn(&AccountRecord) -> bool + Send + Sync);

/// Changes an account, if it is as `expected`. Who is disabled, or gets a new password, is signed out everywhere.
pub async fn patch_account(
    catalog: &Catalog,
    id: i64,
    patch: &AccountPatch<'_>,
    expected: ExpectedAccount<'_>,
    actor: Actor,
    now: Timestamp,
) -> Result<AccountRecord, AccountError> {
    const OPERATION: &str = "change an account";
    let sql = format!(
        "UPDATE account SET
            role = coalesce($2, role),
            quota_bytes = CASE WHEN $3::boolean THEN $4::bigint ELSE quota_bytes END,
            quota_files = CASE WHEN $5::boolean THEN $6::bigint ELSE quota_files END,
            disabled_at = CASE WHEN $7::boolean IS NULL THEN disabled_at WHEN $7 THEN coalesce(disabled_at, $8) END,
            password_hash = coalesce($9, password_hash),
            scrub = CASE WHEN $10::boolean THEN $11 ELSE scrub END
         WHERE id = $1 RETURNING {COLUMNS}"
    );
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let held = hold(&transaction, id).await?;
    let before = transaction
        .query_one(&format!("SELECT {COLUMNS} FROM account WHERE id = $1"), &[&id])
        .await
        .map_err(Error::statement(OPERATION))?;
    if !expected(&read(OPERATION, &before)?) {
        return Err(AccountError::Unexpected);
    }
    let loses_admin = patch.role == Some(Role::Member) || patch.disabled == Some(true);
    if loses_admin && held.is_last_admin {
        return Err(AccountError::LastAdmin);
    }
    let row = transaction
        .query_one(
            &sql,
            &[
                &id,
                &patch.role.map(Role::as_str),
                &patch.quota_bytes.is_some(),
                &patch.quota_bytes.flatten(),
                &patch.quota_files.is_some(),
                &patch.quota_files.flatten(),
                &patch.disabled,
                &now,
                &patch.password.map(PasswordHash::as_phc),
                &patch.scrub.is_some(),
                &patch.scrub.flatten().map(Scrub::as_str),
            ],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    if patch.disabled == Some(true) || patch.password.is_some() {
        transaction
            .execute("DELETE FROM session WHERE account_id = $1", &[&id])
            .await
            .map_err(Error::statement(OPERATION))?;
    }
    let account = read(OPERATION, &row)?;
    let event = actor.event("account_changed", &account.username, patch.detail(&account));
    record_in(&transaction, &event, now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(account)
}

impl AccountPatch<'_> {
    /// What was changed, with its new value; of a password only that it was.
    fn detail(&self, after: &AccountRecord) -> serde_json::Value {
        let mut detail = json!({ "account": after.id });
        if self.role.is_some() {
            detail["role"] = json!(after.role.as_str());
        }
        if self.quota_bytes.is_some() {
            detail["quota_bytes"] = json!(after.quota_bytes);
        }
        if self.quota_files.is_some() {
            detail["quota_files"] = json!(after.quota_files);
        }
        if self.scrub.is_some() {
            detail["scrub"] = json!(after.scrub);
        }
        if let Some(disabled) = self.disabled {
            detail["disabled"] = json!(disabled);
        }
        if self.password.is_some() {
            detail["password"] = json!("changed");
        }
        detail
    }
}

impl Actor {
    pub(crate) fn event(self, kind: &'static str, subject: &str, detail: serde_json::Value) -> Event {
        Event {
            kind,
            account_id: Some(self.account_id),
            client_address: self.client_address,
            subject: subject.to_owned(),
            detail,
        }
    }
}

/// An account whose row is locked, and every administrator's.
pub(crate) struct Held {
    pub(crate) username: String,
    pub(crate) is_last_admin: bool,
}

/// Locks an account that is not deleted, and the rows of all administrators, in the order of their ids: two who demote
/// each other go one by one, and the second finds itself the last.
pub(crate) async fn hold(transaction: &Transaction<'_>, id: i64) -> Result<Held, AccountError> {
    const OPERATION: &str = "hold an account";
    const SQL: &str = "
        SELECT id, username, role = 'admin' AND disabled_at IS NULL AS is_admin FROM account
        WHERE deleted_at IS NULL AND (id = $1 OR (role = 'admin' AND disabled_at IS NULL)) ORDER BY id FOR UPDATE";
    let rows = transaction
        .query(SQL, &[&id])
        .await
        .map_err(Error::statement(OPERATION))?;
    let own = rows.iter().find(|row| row.get::<_, i64>("id") == id);
    let own = own.ok_or(AccountError::NotFound)?;
    let admins = rows.iter().filter(|row| row.get("is_admin")).count();
    Ok(Held {
        username: own.get("username"),
        is_last_admin: own.get("is_admin") && admins == 1,
    })
}
