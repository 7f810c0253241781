use domain::{Scope, Scopes, TokenHash};
use jiff::Timestamp;

use crate::{Catalog, Error, Role};

/// A token to be kept. The token itself stays with who asked for it.
#[derive(Debug)]
pub struct NewToken<'a> {
    /// Whose it is.
    pub account_id: i64,
    /// What is kept of it.
    pub hash: TokenHash,
    /// How it begins.
    pub hint: &'a str,
    /// What its owner calls it.
    pub name: &'a str,
    /// What it may do.
    pub scopes: &'a Scopes,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// What a caller showed to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// A token.
    Token {
        /// Its row.
        id: i64,
        /// Requests a minute that it is good for.
        rate_per_minute: Option<i32>,
        /// When it stops working.
        expires_at: Option<Timestamp>,
    },
    /// A session, as bearer or as cookie.
    Session {
        /// Its row.
        id: i64,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// The account's name and password, with this request alone.
    Password,
}

/// Who a good credential speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The credential.
    pub credential: Credential,
    /// Its account.
    pub account_id: i64,
    /// The account's role.
    pub role: Role,
    /// What it may do. INVARIANT: `admin` is among them only while the account is an administrator's.
    pub scopes: Scopes,
    /// The only album of the account that it is good for, and that its uploads go to; none for all of them.
    pub album_id: Option<i64>,
}

impl Bearer {
    /// Whether the credential is good for what lies in this album. SECURITY: one that is bound to an album is good for no other,
    /// an administrator's neither.
    #[must_use]
    pub fn reaches(&self, album_id: i64) -> bool {
        self.album_id.is_none_or(|bound| bound == album_id)
    }
}

/// Keeps a token; gives its id.
pub async fn create_token(catalog: &Catalog, new: &NewToken<'_>, now: Timestamp) -> Result<i64, Error> {
    const OPERATION: &str = "create a token";
    const SQL: &str = "
        INSERT INTO token (account_id, hash, hint, name, scopes, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one(
            SQL,
            &[
                &new.account_id,
                &new.hash.0.0.as_slice(),
                &new.hint,
                &new.name,
                &new.scopes.words(),
                &now,
                &new.expires_at,
            ],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.get(0))
}

/// Who a token speaks for; none when it is unknown, revoked, expired, or its account is disabled. Its last use is
/// written at most once a minute, so that a thousand uploads are not a thousand rewrites of one row.
pub async fn find_bearer(
    catalog: &Catalog,
    hash: TokenHash,
    now: Timestamp,
) -> Result<Option<Bearer>, Error> {
    const OPERATION: &str = "find a token";
    const SQL: &str = "
        WITH found AS (
            SELECT token.id, token.account_id, account.role, token.scopes, token.album_id, token.last_used_at,
                   token.rate_per_minute, token.expires_at
            FROM token JOIN account ON account.id = token.account_id
            WHERE token.hash = $1 AND token.revoked_at IS NULL AND account.disabled_at IS NULL
              AND (token.expires_at IS NULL OR token.expires_at > $2)
        ), used AS (
            UPDATE token SET last_used_at = $2 FROM found
            WHERE token.id = found.id AND (found.last_used_at IS NULL OR found.last_used_at < $2 - interval '1 minute')
        )
        SELECT id, account_id, role, scopes, album_id, rate_per_minute, expires_at FROM found";
    let row = Catalog::in_time(
        OPERATION,
        catalog.find_row(OPERATION, SQL, &[&hash.0.0.as_slice(), &now]),
    )
    .await?;
    let Some(row) = row else { return Ok(None) };
    let role: &str = row.get("role");
    let words: Vec<String> = row.get("scopes");
    let scopes: Result<Scopes, _> = words.iter().map(|word| word.parse::<Scope>()).collect();
    let role = Role::read(role).ok_or_else(|| Error::row(OPERATION, role))?;
    let scopes = scopes.map_err(|error| Error::row(OPERATION, error))?;
    Ok(Some(Bearer {
        credential: Credential::Token {
            id: row.get("id"),
            rate_per_minute: row.get("rate_per_minute"),
            expires_at: row.get("expires_at"),
        },
        account_id: row.get("account_id"),
        role,
        scopes: scopes.without_admin_unless(role == Role::Admin),
        album_id: row.get("album_id"),
    }))
}
