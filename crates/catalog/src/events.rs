use std::net::IpAddr;

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use serde_json::Value;

use crate::{Catalog, Error};

/// Something that an operator may want to know later.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happened: `upload`, `withdraw`, …
    pub kind: &'static str,
    /// Who did it.
    pub account_id: Option<i64>,
    /// From where.
    pub client_address: Option<IpAddr>,
    /// What it is about: a public id, a user name.
    pub subject: String,
    /// More about it.
    pub detail: Value,
}

/// Writes an event down.
pub async fn record(catalog: &Catalog, event: &Event, now: Timestamp) -> Result<(), Error> {
    let client = catalog.client("record an event").await?;
    record_in(&client, event, now).await
}

/// Writes an event down in a transaction that is under way.
pub(crate) async fn record_in(
    client: &impl GenericClient,
    event: &Event,
    now: Timestamp,
) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO event (at, kind, account_id, client_address, subject, detail) VALUES ($1, $2, $3, $4, $5, $6)";
    client
        .execute(
            SQL,
            &[
                &now,
                &event.kind,
                &event.account_id,
                &event.client_address,
                &event.subject,
                &event.detail,
            ],
        )
        .await
        .map(drop)
        .map_err(Error::statement("record an event"))
}
