//! Delete links: `/d/{token}`. Whoever has one may withdraw its image, without an account; older hosts give one with each
//! upload, and programs keep it. Its secret is a [`domain::DeleteToken`]; nothing is stored for it.

use std::net::IpAddr;

use catalog::{ChangeError, ImageRecord, Standing};
use domain::{DeleteToken, Refusal, Scope, is_live};

use crate::{Service, problem::Failure};

/// The secret that withdraws this image: what the older hosts call `hash`.
pub(crate) fn token(service: &Service, image: &ImageRecord) -> DeleteToken {
    service
        .delete_tokens()
        .make(image.public_id, image.link_generation)
}

/// The page that asks, and then withdraws this image.
pub(crate) fn url(service: &Service, image: &ImageRecord) -> String {
    format!("{}/d/{}", service.base_url(), token(service, image))
}

/// Whether the reply to an upload may carry the image's delete link. SECURITY: a token that may only upload must not come to
/// withdraw what was there before, by sending its bytes once more, nor one that is bound to an album what lies in another.
pub(crate) fn may_be_told(bearer: &catalog::Bearer, image: &ImageRecord, standing: Standing) -> bool {
    let manages = bearer.scopes.contains(Scope::Manage) && bearer.reaches(image.album_id);
    standing == Standing::Uploaded || manages
}

/// The live image that a delete token is good for. [`Refusal::NotFound`] for all others, whatever is wrong with them.
pub(crate) async fn find(service: &Service, text: &str) -> Result<ImageRecord, Failure> {
    let token: DeleteToken = text.parse().map_err(|_| Refusal::NotFound)?;
    let image = catalog::find_image(service.catalog(), token.public_id()).await?;
    let image = image.filter(|image| {
        is_live(image.expiry, service.now()) && service.delete_tokens().is_good(token, image.link_generation)
    });
    Ok(image.ok_or(Refusal::NotFound)?)
}

/// Withdraws the image that a delete token is good for, and says which it was.
pub(crate) async fn withdraw(service: &Service, text: &str, client: IpAddr) -> Result<ImageRecord, Failure> {
    let image = find(service, text).await?;
    let token: DeleteToken = text.parse().map_err(|_| Refusal::NotFound)?;
    let is_good = |image: &ImageRecord| service.delete_tokens().is_good(token, image.link_generation);
    let withdrawn = catalog::withdraw_by_link(
        service.catalog(),
        image.account_id,
        image.public_id,
        &is_good,
        Some(client),
        service.now(),
    )
    .await;
    match withdrawn {
        Ok(()) => Ok(image),
        // Taken back a moment ago.
        Err(ChangeError::Unexpected) => Err(Refusal::NotFound.into()),
        Err(error) => Err(error.into()),
    }
}
