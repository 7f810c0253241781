use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::Value;

use crate::{Catalog, Error};

/// Which events are asked for; what is `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this kind.
    pub kind: Option<String>,
    /// Done by this account.
    pub account_id: Option<i64>,
    /// From this address.
    pub client_address: Option<IpAddr>,
    /// At this instant or later.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

/// An event as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "each field is the column of its name; migrations/ explains them"
)]
pub struct EventRecord {
    pub id: i64,
    pub at: Timestamp,
    pub kind: String,
    pub account_id: Option<i64>,
    /// The account's name as it is now.
    pub username: Option<String>,
    pub client_address: Option<IpAddr>,
    pub subject: String,
    pub detail: Value,
}

/// Events, newest first, those before `after`.
pub async fn list_events(
    catalog: &Catalog,
    filter: &EventFilter,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<EventRecord>, Error> {
    const OPERATION: &str = "list events";
    // Planned for the values at hand, for the statement is not kept: a filter that is absent folds away.
    const SQL: &str = "
        SELECT event.id, at, kind, event.account_id, username, client_address, subject, detail
        FROM event LEFT JOIN account ON account.id = event.account_id
        WHERE event.id < coalesce($1::bigint, 9223372036854775807)
          AND ($2::text IS NULL OR kind = $2) AND ($3::bigint IS NULL OR event.account_id = $3)
          AND ($4::inet IS NULL OR client_address = $4)
          AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)
        ORDER BY event.id DESC LIMIT $7";
    let client = catalog.client(OPERATION).await?;
    let rows = client
        .query(
            SQL,
            &[
                &after,
                &filter.kind,
                &filter.account_id,
                &filter.client_address,
                &filter.since,
                &filter.until,
                &limit,
            ],
        )
        .await
        .map_err(Error::statement(OPERATION))?;
    let read = |row: &tokio_postgres::Row| EventRecord {
        id: row.get("id"),
        at: row.get("at"),
        kind: row.get("kind"),
        account_id: row.get("account_id"),
        username: row.get("username"),
        client_address: row.get("client_address"),
        subject: row.get("subject"),
        detail: row.get("detail"),
    };
    Ok(rows.iter().map(read).collect())
}

/// Forgets up to `limit` events from before an instant, the oldest first, and says how many.
pub async fn forget_events(catalog: &Catalog, before: Timestamp, limit: i64) -> Result<u64, Error> {
    const OPERATION: &str = "forget events";
    // Rows arrive in the order of time, so the oldest have the lowest ids.
    const SQL: &str = "
        DELETE FROM event WHERE id IN (
            SELECT id FROM (SELECT id, at FROM event ORDER BY id LIMIT $2) AS oldest WHERE at < $1)";
    let client = catalog.client(OPERATION).await?;
    client
        .execute(SQL, &[&before, &limit])
        .await
        .map_err(Error::statement(OPERATION))
}
