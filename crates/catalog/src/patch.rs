use std::net::IpAddr;

use deadpool_postgres::Transaction;
use domain::{Expiry, FileName, PublicId, Visibility};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    Catalog, ChangeError, Error, Event,
    events::record_in,
    image::{Expected, ImageRecord, read_locked},
};

const OPERATION: &str = "change an image";

/// What to change of an image; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct ImagePatch {
    pub name: Option<FileName>,
    pub description: Option<String>,
    pub album_id: Option<i64>,
    pub expiry: Option<Expiry>,
    pub visibility: Option<Visibility>,
    /// The inner value is null for the album's policy.
    pub policy: Option<Option<Value>>,
}

/// Changes a live image of this account, if it is what its client expects, and gives it as it is now.
pub async fn patch_image(
    catalog: &Catalog,
    account_id: i64,
    public_id: PublicId,
    patch: &ImagePatch,
    expected: Expected<'_>,
    client_address: Option<IpAddr>,
    now: Timestamp,
) -> Result<ImageRecord, ChangeError> {
    const LOCK: &str = "
        SELECT id FROM image WHERE public_id = $1 AND account_id = $2 AND ended_at IS NULL
          AND (expires_at IS NULL OR expires_at > $3) FOR UPDATE";
    let mut client = catalog.client(OPERATION).await?;
    let transaction = client.transaction().await.map_err(Error::statement(OPERATION))?;
    if let Some(album_id) = patch.album_id
        && !hold_album(&transaction, account_id, album_id).await?
    {
        return Err(ChangeError::NoSuchAlbum);
    }
    let row = transaction
        .query_opt(LOCK, &[&public_id.as_str(), &account_id, &now])
        .await
        .map_err(Error::statement(OPERATION))?;
    let id: i64 = row.ok_or(ChangeError::NotFound)?.get(0);
    let before = read_locked(OPERATION, &transaction, id).await?;
    if !expected(&before) {
        return Err(ChangeError::Unexpected);
    }
    write(&transaction, id, &before, patch, now).await?;
    let event = Event {
        kind: "change",
        account_id: Some(account_id),
        client_address,
        subject: public_id.to_string(),
        detail: json!({ "fields": patch.fields() }),
    };
    record_in(&transaction, &event, now).await?;
    let after = read_locked(OPERATION, &transaction, id).await?;
    transaction.commit().await.map_err(Error::statement(OPERATION))?;
    drop(client);
    catalog.until_heard().await;
    Ok(after)
}

impl ImagePatch {
    /// The names of what changes, for the audit log: the values may be private.
    fn fields(&self) -> Vec<&'static str> {
        let all = [
            ("name", self.name.is_some()),
            ("description", self.description.is_some()),
            ("album", self.album_id.is_some()),
            ("expires_at", self.expiry.is_some()),
            ("visibility", self.visibility.is_some()),
            ("policy", self.policy.is_some()),
        ];
        all.iter()
            .filter(|(_, said)| *said)
            .map(|(name, _)| *name)
            .collect()
    }
}

/// Whether the account has this album; if so it stays until the transaction ends. Comes before the locks of images.
pub(crate) async fn hold_album(
    transaction: &Transaction<'_>,
    account_id: i64,
    album_id: i64,
) -> Result<bool, Error> {
    const SQL: &str = "SELECT FROM album WHERE id = $1 AND account_id = $2 FOR KEY SHARE";
    let row = transaction
        .query_opt(SQL, &[&album_id, &account_id])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.is_some())
}

async fn write(
    transaction: &Transaction<'_>,
    id: i64,
    before: &ImageRecord,
    patch: &ImagePatch,
    now: Timestamp,
) -> Result<(), Error> {
    const SQL: &str = "
        UPDATE image SET name = $2, description = $3, album_id = $4, expires_at = $5, visibility = $6, policy = $7, updated_at = $8,
            ends_by_policy = ends_by_policy AND NOT $9
        WHERE id = $1";
    let name = patch.name.as_ref().map_or(before.name.as_str(), FileName::as_str);
    let description = patch.description.as_ref().unwrap_or(&before.description);
    let album_id = patch.album_id.unwrap_or(before.album_id);
    let expires_at = patch.expiry.unwrap_or(before.expiry).at();
    let visibility = patch.visibility.unwrap_or(before.visibility).as_str();
    let policy = patch.policy.as_ref().unwrap_or(&before.policy);
    let statement = transaction
        .prepare_cached(SQL)
        .await
        .map_err(Error::statement(OPERATION))?;
    transaction
        .execute(
            &statement,
            &[
                &id,
                &name,
                &description,
                &album_id,
                &expires_at,
                &visibility,
                &policy,
                &now,
                &patch.expiry.is_some(),
            ],
        )
        .await
        .map(drop)
        .map_err(Error::statement(OPERATION))
}
