use std::net::IpAddr;

use domain::PublicId;
use jiff::Timestamp;
use serde_json::json;

use crate::{Catalog, ChangeError, Error, Event, events::record_in};

/// Takes back every signed link and the delete link of a live image (of this album, where one is given) that were given out so far.
pub async fn revoke_links(
    catalog: &Catalog,
    account_id: i64,
    public_id: PublicId,
    album_id: Option<i64>,
    client_address: Option<IpAddr>,
    now: Timestamp,
) -> Result<(), ChangeError> {
    const OPERATION: &str = "revoke an image's links";
    const SQL: &str = "
        UPDATE image SET link_generation = link_generation + 1
        WHERE public_id = $1 AND account_id = $2 AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > $3)
          AND ($4::bigint IS NULL OR album_id = $4)";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    let revoked = transaction
        .execute(SQL, &[&public_id.as_str(), &account_id, &now, &album_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    if revoked == 0 {
        return Err(ChangeError::NotFound);
    }
    let event = Event {
        kind: "links_revoked",
        account_id: Some(account_id),
        client_address,
        subject: public_id.to_string(),
        detail: json!({}),
    };
    record_in(&transaction, &event, now).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    drop(client);
    catalog.until_heard().await;
    Ok(())
}
