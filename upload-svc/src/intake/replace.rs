use std::{collections::HashMap, sync::Arc};

use bytes::Buf;
use catalog::{Bearer, ImageRecord, Replacing};
use domain::{BlobKey, Refusal};
use futures_util::Stream;
use http::header::CONTENT_TYPE;

use super::{
    checksum,
    form::{ReceivedFile, receive},
    inspect::{Looked, Looking, inspect},
    options,
    placing::placed,
    raw::receive_raw,
};
use crate::{
    Service,
    problem::Failure,
    routes::{Asked, IfMatch},
};

/// Gives an image other bytes: a form with one file, or a body that is nothing but the file.
pub(crate) async fn replace<B: Buf>(
    service: &Service,
    bearer: &Bearer,
    image: &ImageRecord,
    asked: &Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Result<ImageRecord, Failure> {
    let (account_id, public_id) = (image.account_id, image.public_id);
    let (file, fields) = receive_one(service, asked, body).await?;
    let checksums = checksum::read(&asked.headers, &fields)?;
    let staged = Arc::new(file.staged?);
    checksum::check(&checksums, &staged)?;
    let scrub = match options::read(&fields)?.scrub {
        Some(scrub) => scrub,
        None => service.scrub_of(account_id).await?,
    };
    let looking = Looking {
        validation: service.validation(),
        scrub,
    };
    let Looked { staged, blob, origin } = inspect(service, staged, looking).await?;
    let (catalog, writer, now) = (service.catalog().clone(), service.writer().clone(), service.now());
    let (if_match, client) = (IfMatch::of(&asked.headers), asked.client.0);
    let bearer = bearer.clone();
    // A task of its own, as for publishing.
    let replacing = tokio::spawn(async move {
        let which = Replacing {
            account_id,
            public_id,
            expected: &|image| if_match.allows(image) && bearer.reaches(image.album_id),
            client_address: Some(client),
            origin,
        };
        let expected = BlobKey::plain(staged.md5(), blob.media_type);
        placed(&writer, &staged, expected, || {
            let (own, bytes) = (writer.clone(), Arc::clone(&staged));
            catalog::replace(&catalog, which, &blob, now, |key| async move {
                own.publish(bytes, key).await
            })
        })
        .await
    });
    let replaced = replacing.await??;
    service.deriver().wake();
    Ok(replaced)
}

async fn receive_one<B: Buf>(
    service: &Service,
    asked: &Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Result<(ReceivedFile, HashMap<String, String>), Failure> {
    let content_type = asked
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_form =
        content_type.is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with("multipart/"));
    if !is_form {
        return Ok((receive_raw(service, body).await?, HashMap::new()));
    }
    let mut form = receive(service, &asked.headers, "file", body).await?;
    match (form.files.pop(), form.files.is_empty()) {
        (Some(file), true) => Ok((file, form.fields)),
        _ => Err(Refusal::TooManyFiles { limit: 1 }.into()),
    }
}
