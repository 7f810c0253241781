//! The straight line of every upload: admit → stage → inspect → publish.
//!
//! *admit* happens before this room is entered, from the head of the request alone. [`take`] reads the form, staging each
//! file as it streams in; when the form has arrived whole, each file is inspected and published by itself, so that one bad
//! file does not spoil the others. Whatever stops on the way drops its staged files.

mod admit;
mod checksum;
mod form;
mod guard;
mod inspect;
mod options;
mod publish;
mod raw;
mod replace;

use bytes::Buf;
use catalog::{Bearer, Published};
use domain::{Checksum, FileName};
use futures_util::Stream;

use crate::{Service, problem::Failure, routes::Asked};

pub(crate) use admit::admit;
pub(crate) use form::{ANY_FIELD, Form, read_boundary, receive, receive_any};
pub(crate) use guard::{Budget, guard};
use publish::publish;
pub(crate) use replace::replace;

/// What became of one file of a request.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// What its client calls it.
    pub(crate) name: FileName,
    /// The image, or why there is none.
    pub(crate) outcome: Result<Published, Failure>,
}

/// Takes all files of a form in. An error means that the form itself is at fault and nothing of it was kept.
pub(crate) async fn take<B: Buf>(
    service: &Service,
    bearer: &Bearer,
    asked: &Asked,
    field: &'static str,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Result<Vec<Arrived>, Failure> {
    let form = receive(service, &asked.headers, field, body).await?;
    let checksums = checksum::read(&asked.headers, &form.fields)?;
    if form.files.len() > 1 {
        checksum::refuse_for_several(&checksums)?;
    }
    publish_all(service, bearer, asked, form, &checksums).await
}

/// Publishes the files of a form that has arrived whole, each by itself, if it fits the checksums.
pub(crate) async fn publish_all(
    service: &Service,
    bearer: &Bearer,
    asked: &Asked,
    Form { files, fields }: Form,
    checksums: &[Checksum],
) -> Result<Vec<Arrived>, Failure> {
    let options = options::read(&fields)?;
    let mut arrived = Vec::with_capacity(files.len());
    for file in files {
        let name = file.name.clone();
        let outcome = publish(service, bearer, asked.client.0, file, &options, checksums).await;
        match &outcome {
            Ok(published) => {
                let result = match published.standing {
                    catalog::Standing::Uploaded => "uploaded",
                    catalog::Standing::Existing => "existing",
                };
                service.measures().taken(result, published.image.size_bytes);
            }
            Err(failure) => service.measures().refused(failure.code()),
        }
        arrived.push(Arrived { name, outcome });
    }
    Ok(arrived)
}
