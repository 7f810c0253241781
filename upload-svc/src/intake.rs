//! The straight line of every upload: admit → stage → inspect → publish.
//!
//! *admit* happens before this room is entered, from the head of the request alone. [`take`] reads the form, staging each
//! file as it streams in; when the form has arrived whole, each file is inspected and published by itself, so that one bad
//! file does not spoil the others. Whatever stops on the way drops its staged files.

mod admit;
mod batch;
mod checksum;
mod encoded;
mod form;
mod guard;
mod inspect;
mod options;
mod placing;
mod publish;
mod raw;
mod replace;
mod rules;
mod scrub;
mod urlencoded;

use std::collections::HashMap;

use bytes::Buf;
use catalog::{Bearer, Published};
use domain::{Checksum, FileName, Refusal};
use futures_util::{Stream, StreamExt as _, stream};
use http::HeaderMap;

use crate::{Service, problem::Failure, routes::Asked};

pub(crate) use admit::admit;
pub(crate) use form::{ANY_FIELD, FileField, Form, ReceivedFile, read_boundary, receive, receive_any};
pub(crate) use guard::{Budget, guard};
use inspect::Looking;
pub(crate) use options::read as read_options;
use publish::{prepare, publish};
pub(crate) use replace::replace;
pub(crate) use rules::{expiry, upload_rules};

/// Files of one request that are looked into side by side; there are decoders for other requests, too.
const LOOKED_INTO_AT_ONCE: usize = 4;

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

/// Publishes a file that came in pieces; `fields` say about it what a form would.
pub(crate) async fn take_gathered(
    service: &Service,
    bearer: &Bearer,
    asked: &Asked,
    file: ReceivedFile,
    fields: HashMap<String, String>,
) -> Result<Published, Failure> {
    // The digests in the head of this request are those of its last piece.
    let checksums = checksum::read(&HeaderMap::new(), &fields)?;
    let files = vec![file];
    let validation = service.validation();
    let form = Form {
        files,
        fields,
        validation,
    };
    let mut arrived = publish_all(service, bearer, asked, form, &checksums).await?;
    match arrived.pop() {
        Some(arrived) => arrived.outcome,
        None => Err(Refusal::NoFile.into()),
    }
}

/// Publishes the files of a form that has arrived whole, each by itself, if it fits the checksums; or, where the form says
/// `atomic`, all of them or none.
pub(crate) async fn publish_all(
    service: &Service,
    bearer: &Bearer,
    asked: &Asked,
    Form {
        files,
        fields,
        validation,
    }: Form,
    checksums: &[Checksum],
) -> Result<Vec<Arrived>, Failure> {
    let options = options::read(&fields)?;
    let scrub = match options.scrub {
        Some(scrub) => scrub,
        None => service.scrub_of(bearer.account_id).await?,
    };
    let looking = Looking { validation, scrub };
    let preparing = files.into_iter().map(|file| async {
        let name = file.name.clone();
        (name, prepare(service, file, looking, checksums).await)
    });
    let prepared: Vec<_> = stream::iter(preparing)
        .buffered(LOOKED_INTO_AT_ONCE)
        .collect()
        .await;
    if options.is_atomic {
        return batch::publish_together(service, bearer, asked.client.0, prepared, &options).await;
    }
    let mut arrived = Vec::with_capacity(prepared.len());
    for (name, file) in prepared {
        let outcome = match file {
            Ok(file) => publish(service, bearer, asked.client.0, file, &options).await,
            Err(failure) => Err(failure),
        };
        measure(service, &outcome);
        arrived.push(Arrived { name, outcome });
    }
    Ok(arrived)
}

fn measure(service: &Service, outcome: &Result<Published, Failure>) {
    match outcome {
        Ok(published) => {
            let result = match published.standing {
                catalog::Standing::Uploaded => "uploaded",
                catalog::Standing::Existing => "existing",
            };
            service.measures().taken(result, published.image.size_bytes);
        }
        Err(failure) => service.measures().refused(failure.code()),
    }
}
