use std::{net::IpAddr, sync::Arc};

use catalog::{Bearer, NewImage, Published};
use domain::{BlobKey, Checksum, FileName};

use super::{
    checksum,
    form::ReceivedFile,
    inspect::{Looked, Looking, inspect},
    options::Options,
    placing::placed,
    rules::{self, upload_rules},
};
use crate::{Service, identity::album_for, problem::Failure};

/// A file that was looked into and may be published.
#[derive(Debug)]
pub(crate) struct Prepared {
    name: FileName,
    looked: Looked,
}

impl Prepared {
    /// Bytes that it will take.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.looked.blob.size_bytes
    }
}

/// Compares one staged file with its checksums and looks into it.
pub(crate) async fn prepare(
    service: &Service,
    file: ReceivedFile,
    looking: Looking,
    checksums: &[Checksum],
) -> Result<Prepared, Failure> {
    let staged = Arc::new(file.staged?);
    checksum::check(checksums, &staged)?;
    Ok(Prepared {
        name: file.name,
        looked: inspect(service, staged, looking).await?,
    })
}

/// Publishes one file.
pub(crate) async fn publish(
    service: &Service,
    bearer: &Bearer,
    client: IpAddr,
    Prepared { name, looked }: Prepared,
    options: &Options,
) -> Result<Published, Failure> {
    let Looked { staged, blob, origin } = looked;
    let now = service.now();
    let fallback = format!("image.{}", blob.media_type.extension());
    let name = options
        .name
        .as_deref()
        .map_or(name, |name| FileName::clean(name, &fallback));
    let album_id = album_for(bearer, options.album_id)?;
    let rules = upload_rules(service, bearer.account_id, album_id).await?;
    let expiry = rules::expiry(&rules, options.lifetime, now)?;
    let new = NewImage {
        public_id: Service::draw_id(),
        account_id: bearer.account_id,
        album_id,
        blob,
        name,
        description: options.description.clone(),
        visibility: options.visibility.unwrap_or(rules.visibility),
        expiry,
        ends_by_policy: options.lifetime.is_none(),
        client_address: Some(client),
        origin,
    };
    // A task of its own: a client that goes away now drops this request's future, and half a publication must not be all
    // that is left of it.
    let (catalog, writer) = (service.catalog().clone(), service.writer().clone());
    let publishing = tokio::spawn(async move {
        let expected = BlobKey::plain(staged.md5(), new.blob.media_type);
        placed(&writer, &staged, expected, || {
            let (own, bytes) = (writer.clone(), Arc::clone(&staged));
            catalog::publish(
                &catalog,
                &new,
                now,
                |key| async move { own.publish(bytes, key).await },
            )
        })
        .await
    });
    let published = publishing.await??;
    service.deriver().wake();
    Ok(published)
}
