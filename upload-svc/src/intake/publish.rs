use std::{net::IpAddr, sync::Arc};

use catalog::{Bearer, NewImage, Published};
use domain::{Checksum, Expiry, FileName};

use super::{checksum, form::ReceivedFile, inspect::inspect, options::Options};
use crate::{Service, identity::album_for, problem::Failure};

/// Inspects one staged file and publishes it.
pub(crate) async fn publish(
    service: &Service,
    bearer: &Bearer,
    client: IpAddr,
    file: ReceivedFile,
    options: &Options,
    checksums: &[Checksum],
) -> Result<Published, Failure> {
    let staged = Arc::new(file.staged?);
    checksum::check(checksums, &staged)?;
    let blob = inspect(service, &staged).await?;
    let now = service.now();
    let fallback = format!("image.{}", blob.media_type.extension());
    let name = options
        .name
        .as_deref()
        .map_or_else(|| file.name.clone(), |name| FileName::clean(name, &fallback));
    let new = NewImage {
        public_id: Service::draw_id(),
        account_id: bearer.account_id,
        album_id: album_for(bearer, options.album_id)?,
        blob,
        name,
        description: options.description.clone(),
        visibility: options.visibility,
        expiry: Expiry::after(options.lifetime.unwrap_or(service.lifetime()), now),
        client_address: Some(client),
    };
    // A task of its own: a client that goes away now drops this request's future, and half a publication must not be all
    // that is left of it.
    let (catalog, writer) = (service.catalog().clone(), service.writer().clone());
    let publishing = tokio::spawn(async move {
        catalog::publish(&catalog, &new, now, |key| async move {
            writer.publish(staged, key).await
        })
        .await
    });
    let published = publishing.await??;
    service.deriver().wake();
    Ok(published)
}
