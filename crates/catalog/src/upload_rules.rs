use std::{collections::HashMap, time::Duration};

use deadpool_postgres::Transaction;
use domain::{Policy, UploadRules};
use serde_json::Value;

use crate::Error;

/// What the policies of the site and of these albums say about how long their images live, by album, where the settings say
/// `lifetime`. They may change until the transaction ends: rules bind whoever sets an end, not ends that are set.
pub(crate) async fn rules_of_albums(
    transaction: &Transaction<'_>,
    albums: &[i64],
    lifetime: Duration,
) -> Result<HashMap<i64, UploadRules>, Error> {
    const OPERATION: &str = "read the policies of albums";
    const SQL: &str = "
        SELECT album.id, site_policy.policy, coalesce(album.policy, '{}')
        FROM site_policy, album WHERE album.id = ANY ($1)";
    let rows = transaction
        .query(SQL, &[&albums])
        .await
        .map_err(Error::statement(OPERATION))?;
    let rules = rows.iter().map(|row| {
        // One that an older release took and this one can't read says nothing about uploads.
        let policy =
            |column| serde_json::from_value::<Policy>(row.get::<_, Value>(column)).unwrap_or_default();
        (row.get(0), UploadRules::of(lifetime, &[policy(1), policy(2)]))
    });
    Ok(rules.collect())
}
