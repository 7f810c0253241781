use catalog::Bearer;
use domain::ImageRefusal;
use http::{HeaderMap, header::CONTENT_LENGTH};

use crate::{Service, problem::Failure};

/// What a form may be longer than its files.
const FORM_BYTES: u64 = 64 << 10;

/// Refuses a request whose declared size can't fit into the store or the account's quota, before its body is read. What passes is judged
/// again, file by file, when it is published.
pub(crate) async fn admit(service: &Service, bearer: &Bearer, headers: &HeaderMap) -> Result<(), Failure> {
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok())
        .unwrap_or_default();
    service.writer().has_room(declared, service.disk_reserve())?;
    let quota = catalog::find_quota(service.catalog(), bearer.account_id).await?;
    // One byte at least: a quota that is used up has no room for any file.
    let least = declared.saturating_sub(FORM_BYTES).max(1);
    match quota {
        Some(quota) if !quota.has_room(least) => Err(ImageRefusal::QuotaExceeded.into()),
        _ => Ok(()),
    }
}
