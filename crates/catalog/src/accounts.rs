use domain::{Scrub, Username};
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::{Catalog, Error};

/// What an account may do beyond its own images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Admin,
    /// Its own images.
    Member,
}

impl Role {
    /// The word in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        [Self::Admin, Self::Member]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

/// An account to be made.
#[derive(Debug)]
pub struct NewAccount<'a> {
    /// What it signs in with.
    pub username: &'a Username,
    /// What it may do.
    pub role: Role,
    /// argon2id in PHC form.
    pub password_hash: &'a str,
}

/// An account as its owner and administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "each field is the column of its name; migrations/ explains them"
)]
pub struct AccountRecord {
    pub id: i64,
    pub username: String,
    pub role: Role,
    pub quota_bytes: Option<i64>,
    pub quota_files: Option<i64>,
    pub used_bytes: i64,
    pub used_files: i64,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    pub scrub: Option<Scrub>,
}

pub(crate) const COLUMNS: &str =
    "id, username, role, quota_bytes, quota_files, used_bytes, used_files, created_at, disabled_at, scrub";

pub(crate) fn read(operation: &'static str, row: &Row) -> Result<AccountRecord, Error> {
    let role: &str = row.get("role");
    Ok(AccountRecord {
        id: row.get("id"),
        username: row.get("username"),
        role: Role::read(role).ok_or_else(|| Error::row(operation, role))?,
        quota_bytes: row.get("quota_bytes"),
        quota_files: row.get("quota_files"),
        used_bytes: row.get("used_bytes"),
        used_files: row.get("used_files"),
        created_at: row.get("created_at"),
        disabled_at: row.get("disabled_at"),
        scrub: row
            .get::<_, Option<&str>>("scrub")
            .map(str::parse)
            .transpose()
            .map_err(|error| Error::row(operation, error))?,
    })
}

/// The account of this id, unless it was deleted.
pub async fn find_account(catalog: &Catalog, id: i64) -> Result<Option<AccountRecord>, Error> {
    const OPERATION: &str = "describe an account";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_opt(
            &format!("SELECT {COLUMNS} FROM account WHERE id = $1 AND deleted_at IS NULL"),
            &[&id],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    row.map(|row| read(OPERATION, &row)).transpose()
}

/// Whether there is any account yet.
pub async fn has_accounts(catalog: &Catalog) -> Result<bool, Error> {
    const OPERATION: &str = "look for accounts";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one("SELECT EXISTS (SELECT FROM account)", &[])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.get(0))
}

/// Makes an account and its album `default`. None when the name is taken.
pub async fn create_account(
    catalog: &Catalog,
    new: &NewAccount<'_>,
    now: Timestamp,
) -> Result<Option<i64>, Error> {
    const OPERATION: &str = "create an account";
    const SQL: &str = "
        WITH made AS (
            INSERT INTO account (username, role, password_hash, created_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (lower(username)) DO NOTHING RETURNING id
        ), album AS (
            INSERT INTO album (account_id, name, created_at, updated_at) SELECT id, 'default', $4, $4 FROM made
        )
        SELECT id FROM made";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_opt(
            SQL,
            &[
                &new.username.as_str(),
                &new.role.as_str(),
                &new.password_hash,
                &now,
            ],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.map(|row| row.get(0)))
}

/// The account of this name, in any case.
pub async fn find_account_id(catalog: &Catalog, username: &Username) -> Result<Option<i64>, Error> {
    const OPERATION: &str = "find an account";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_opt(
            "SELECT id FROM account WHERE lower(username) = lower($1)",
            &[&username.as_str()],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.map(|row| row.get(0)))
}
