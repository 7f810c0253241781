use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::Row;

use crate::{Catalog, ChangeError, Error, Event, events::record_in};

/// What holds for the whole site, over the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePolicy {
    /// The policy; `{}` when nobody has said anything.
    pub policy: Value,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The site's policy.
pub async fn find_site_policy(catalog: &Catalog) -> Result<SitePolicy, Error> {
    const OPERATION: &str = "read the site's policy";
    let client = catalog.client(OPERATION).await?;
    let row = client
        .query_one("SELECT policy, updated_at FROM site_policy", &[])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(read(&row))
}

/// Sets the site's policy, if it is what the client expects ([`ChangeError::Unexpected`] if not), and writes both down.
pub async fn set_site_policy(
    catalog: &Catalog,
    policy: &Value,
    expected: &(dyn Fn(&SitePolicy) -> bool + Send + Sync),
    account_id: i64,
    client_address: Option<IpAddr>,
    now: Timestamp,
) -> Result<SitePolicy, ChangeError> {
    const OPERATION: &str = "set the site's policy";
    const LOCK: &str = "SELECT policy, updated_at FROM site_policy FOR UPDATE";
    const SET: &str = "UPDATE site_policy SET policy = $1, updated_at = $2 RETURNING policy, updated_at";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let before = transaction
        .query_one(LOCK, &[])
        .await
        .map_err(Error::statement(OPERATION))?;
    let before = read(&before);
    if !expected(&before) {
        return Err(ChangeError::Unexpected);
    }
    let after = transaction
        .query_one(SET, &[&policy, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    let after = read(&after);
    let event = Event {
        kind: "policy",
        account_id: Some(account_id),
        client_address,
        subject: "site".to_owned(),
        detail: json!({ "from": before.policy, "to": after.policy }),
    };
    record_in(&transaction, &event, now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    drop(client);
    catalog.until_heard().await;
    Ok(after)
}

fn read(row: &Row) -> SitePolicy {
    SitePolicy {
        policy: row.get("policy"),
        updated_at: row.get("updated_at"),
    }
}

/// The policies that hold for uploads of this account into this album, its `default` where none is named: the site's and the
/// album's. `{}` where a level says nothing.
pub async fn find_upload_policies(
    catalog: &Catalog,
    account_id: i64,
    album_id: Option<i64>,
) -> Result<[Value; 2], Error> {
    const OPERATION: &str = "read the policies of an upload";
    const SQL: &str = "
        SELECT site_policy.policy, coalesce(album.policy, '{}')
        FROM site_policy LEFT JOIN album ON album.account_id = $1
            AND CASE WHEN $2::bigint IS NULL THEN album.name = 'default' ELSE album.id = $2 END";
    let client = catalog.client(OPERATION).await?;
    let statement = client
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    let row = client
        .query_one(&statement, &[&account_id, &album_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok([row.get(0), row.get(1)])
}
