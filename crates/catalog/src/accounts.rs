use domain::Username;
use jiff::Timestamp;

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
