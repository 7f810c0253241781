use std::{net::IpAddr, sync::Arc};

use blobs::Staged;
use catalog::{Bearer, NewBlob, NewImage, Published};
use domain::{Checksum, Expiry, FileName, Refusal, UploadLimits};
use imaging::NotReadable;

use super::{checksum, form::ReceivedFile, options::Options};
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
    let blob = inspect(Arc::clone(&staged), service.limits()).await?;
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
    Ok(publishing.await??)
}

/// Type and dimensions, judged. Reading a header may wait for the disk.
pub(super) async fn inspect(staged: Arc<Staged>, limits: &UploadLimits) -> Result<NewBlob, Failure> {
    let (md5, sha256, size_bytes) = (staged.md5(), staged.sha256(), staged.size_bytes());
    let looking = tokio::task::spawn_blocking(move || imaging::inspect(staged.head(), staged.file()));
    let inspection = looking.await?.map_err(|error| match error {
        NotReadable::UnknownType => Refusal::TypeNotAllowed,
        NotReadable::BrokenHeader(_) => Refusal::Unreadable,
    })?;
    limits.check_type(inspection.media_type)?;
    let limit = limits.bytes_for(inspection.media_type);
    if size_bytes > limit {
        return Err(Refusal::FileTooLarge { limit }.into());
    }
    if let Some((width, height)) = inspection.dimensions {
        limits.check_dimensions(width, height)?;
    }
    Ok(NewBlob {
        md5,
        sha256,
        size_bytes,
        media_type: inspection.media_type,
        dimensions: inspection.dimensions,
    })
}
