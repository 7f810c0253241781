use std::net::IpAddr;

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use serde_json::json;

use crate::{Catalog, Error, Event, NewToken, events::record_in};

/// What binds a token beside its scopes and its expiry.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenBounds {
    /// The only album that it is good for.
    pub album_id: Option<i64>,
    /// Requests a minute.
    pub rate_per_minute: Option<i32>,
    /// The token that made it.
    pub made_by: Option<i64>,
}

/// A token as its owner sees it in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "each field is the column of its name; migrations/ explains them"
)]
pub struct TokenRecord {
    pub id: i64,
    pub hint: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub album_id: Option<i64>,
    pub rate_per_minute: Option<i32>,
    pub made_by: Option<i64>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

/// Keeps a token within bounds; gives its id. None when the account has no such album, or the maker was revoked just now.
pub async fn grant_token(
    catalog: &Catalog,
    new: &NewToken<'_>,
    bounds: &TokenBounds,
    client_address: Option<IpAddr>,
    now: Timestamp,
) -> Result<Option<i64>, Error> {
    const OPERATION: &str = "grant a token";
    // The maker's row is held, so that whoever revokes it waits and then finds this one.
    const MAKER: &str =
        "SELECT FROM token WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL FOR SHARE";
    const KEEP: &str = "
        INSERT INTO token (account_id, hash, hint, name, scopes, created_at, expires_at, album_id, rate_per_minute, made_by)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8::bigint, $9, $10
        WHERE $8::bigint IS NULL OR EXISTS (SELECT FROM album WHERE id = $8 AND account_id = $1)
        RETURNING id";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    if let Some(maker) = bounds.made_by {
        let held = transaction
            .query_opt(MAKER, &[&maker, &new.account_id])
            .await
            .map_err(Error::statement(OPERATION))?;
        if held.is_none() {
            return Ok(None);
        }
    }
    let hash = new.hash.0.0.as_slice();
    let kept = transaction
        .query_opt(
            KEEP,
            &[
                &new.account_id,
                &hash,
                &new.hint,
                &new.name,
                &new.scopes.words(),
                &now,
                &new.expires_at,
                &bounds.album_id,
                &bounds.rate_per_minute,
                &bounds.made_by,
            ],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(kept) = kept else { return Ok(None) };
    let id: i64 = kept.get(0);
    let event = Event {
        kind: "token_created",
        account_id: Some(new.account_id),
        client_address,
        subject: new.hint.to_owned(),
        detail: json!({ "token": id, "name": new.name, "scopes": new.scopes.words() }),
    };
    record_in(&transaction, &event, now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(Some(id))
}

/// The account's tokens that are not revoked, newest first, those before `after`.
pub async fn list_tokens(
    catalog: &Catalog,
    account_id: i64,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<TokenRecord>, Error> {
    const OPERATION: &str = "list tokens";
    const SQL: &str = "
        SELECT id, hint, name, scopes, album_id, rate_per_minute, made_by, created_at, expires_at, last_used_at
        FROM token WHERE account_id = $1 AND revoked_at IS NULL AND id < coalesce($2::bigint, 9223372036854775807)
        ORDER BY id DESC LIMIT $3";
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query(SQL, &[&account_id, &after, &limit])
        .await
        .map_err(Error::statement(OPERATION))?;
    let read = |row: &tokio_postgres::Row| TokenRecord {
        id: row.get("id"),
        hint: row.get("hint"),
        name: row.get("name"),
        scopes: row.get("scopes"),
        album_id: row.get("album_id"),
        rate_per_minute: row.get("rate_per_minute"),
        made_by: row.get("made_by"),
        created_at: row.get("created_at"),
        expires_at: row.get("expires_at"),
        last_used_at: row.get("last_used_at"),
    };
    Ok(rows.iter().map(read).collect())
}

/// Revokes a token of this account and those that it made, and says how many that were; none when it has no such token.
pub async fn revoke_token(
    catalog: &Catalog,
    account_id: i64,
    id: i64,
    client_address: Option<IpAddr>,
    now: Timestamp,
) -> Result<Option<u64>, Error> {
    const OPERATION: &str = "revoke a token";
    const FIND: &str =
        "SELECT hint, name FROM token WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL FOR UPDATE";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let found = transaction
        .query_opt(FIND, &[&id, &account_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    let Some(found) = found else { return Ok(None) };
    let revoked = revoke_with_descendants(&transaction, id, now).await?;
    let event = Event {
        kind: "token_revoked",
        account_id: Some(account_id),
        client_address,
        subject: found.get("hint"),
        detail: json!({ "token": id, "name": found.get::<_, &str>("name"), "revoked": revoked }),
    };
    record_in(&transaction, &event, now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    Ok(Some(revoked))
}

/// Again until none is left: one that was being made while the others were looked for is found the next time.
async fn revoke_with_descendants(
    transaction: &Transaction<'_>,
    id: i64,
    now: Timestamp,
) -> Result<u64, Error> {
    const OPERATION: &str = "revoke a token";
    const REVOKE: &str = "
        WITH RECURSIVE family AS (
            SELECT $1::bigint AS id
            UNION SELECT token.id FROM token JOIN family ON token.made_by = family.id
        )
        UPDATE token SET revoked_at = $2 WHERE id IN (SELECT id FROM family) AND revoked_at IS NULL";
    let mut revoked = 0;
    loop {
        let more = transaction
            .execute(REVOKE, &[&id, &now])
            .await
            .map_err(Error::statement(OPERATION))?;
        if more == 0 {
            return Ok(revoked);
        }
        revoked += more;
    }
}
