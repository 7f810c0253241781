use std::time::Duration;

use domain::{Expiry, Policy, Refusal, UploadRules};
use jiff::Timestamp;

use crate::{Service, problem::Failure};

/// What the policies of the site and of the album say about uploads of this account.
pub(crate) async fn upload_rules(
    service: &Service,
    account_id: i64,
    album_id: Option<i64>,
) -> Result<UploadRules, Failure> {
    let said = catalog::find_upload_policies(service.catalog(), account_id, album_id).await?;
    // One that an older release took and this one can't read says nothing about uploads.
    let policies = said.map(|policy| serde_json::from_value::<Policy>(policy).unwrap_or_default());
    Ok(UploadRules::of(service.lifetime(), &policies))
}

/// When an upload ends whose client wants this lifetime, or does not say.
pub(crate) fn expiry(
    rules: &UploadRules,
    wanted: Option<Duration>,
    now: Timestamp,
) -> Result<Expiry, Refusal> {
    rules.expiry(wanted, now).map_err(|error| Refusal::InvalidField {
        field: "expires_in",
        reason: error.to_string(),
    })
}
