//! What every dialect does with an upload before it shapes its reply: who asks, from the head or from the body, and the form's files.

use std::collections::HashMap;

use catalog::Bearer;
use domain::{Refusal, Scope};
use futures_util::{Stream, StreamExt as _};

use super::links::Taken;
use crate::{
    Service,
    identity::{find_caller, recognise, require},
    intake::{self, FileField, Form},
    problem::Failure,
    routes::{Asked, Body},
};

/// Fields of a form that may hold a token.
const TOKEN_FIELDS: [&str; 2] = ["token", "key"];
/// What a form may be longer than the one file that it brings before anybody is recognised.
const FORM_BYTES: u64 = 9 << 20;

/// How a dialect's form looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// The field of the files.
    pub(super) field: &'static str,
    /// The fields of a user's name and password, where the client sends them in its form.
    pub(super) user: Option<[&'static str; 2]>,
    /// Fields that say what an option of our own says: theirs, ours. Others are passed over.
    pub(super) options: &'static [(&'static str, &'static str)],
    /// Whether a file may come as base64 text.
    pub(super) may_be_text: bool,
}

impl Manner {
    /// A form with files in `field` and nothing else.
    pub(super) const fn of(field: &'static str) -> Self {
        Self {
            field,
            user: None,
            options: &[],
            may_be_text: false,
        }
    }

    fn file_field(self) -> FileField<'static> {
        FileField {
            name: self.field,
            may_be_text: self.may_be_text,
        }
    }
}

/// A form that has arrived whole, from somebody who may upload.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bearer: Bearer,
    pub(super) form: Form,
    /// Every field of text, as it was sent.
    pub(super) fields: HashMap<String, String>,
}

/// Receives an upload. Who shows a credential in the head is judged before the body is read.
pub(super) async fn receive(
    service: &Service,
    asked: &Asked,
    manner: Manner,
    body: Body,
) -> Result<Received, Failure> {
    match find_caller(service, asked).await? {
        Some(caller) => receive_from(service, asked, caller.within_album(), manner, body).await,
        None => receive_from_stranger(service, asked, manner, body).await,
    }
}

/// Receives the upload of somebody who is known already.
pub(super) async fn receive_from(
    service: &Service,
    asked: &Asked,
    bearer: Bearer,
    manner: Manner,
    body: Body,
) -> Result<Received, Failure> {
    require(&bearer, Scope::Upload)?;
    intake::admit(service, &bearer, &asked.headers).await?;
    let form = intake::receive_any(service, &asked.headers, manner.file_field(), body).await?;
    finish(bearer, form, manner)
}

/// Receives the upload of somebody whose credential may come behind the file.
///
/// SECURITY: no more is read from them than one picture's worth, and nothing is published; what was staged goes with the request.
async fn receive_from_stranger(
    service: &Service,
    asked: &Asked,
    manner: Manner,
    body: Body,
) -> Result<Received, Failure> {
    // A text is longer than what it stands for: by a third, and by line breaks and escapes.
    let factor = if manner.may_be_text { 2 } else { 1 };
    let picture = service.limits().image_bytes.saturating_mul(factor);
    let most = picture.saturating_add(FORM_BYTES);
    let form = intake::receive_any(service, &asked.headers, manner.file_field(), at_most(most, body)).await;
    let form = match form {
        Ok(form) => form,
        // Who shows nothing is told that, whatever else is wrong.
        Err(Failure::Refused(_)) => return Err(Refusal::Unauthenticated.into()),
        Err(failure) => return Err(failure),
    };
    let bearer = find_in_fields(service, asked, &form.fields, manner).await?;
    require(&bearer, Scope::Upload)?;
    intake::admit(service, &bearer, &asked.headers).await?;
    finish(bearer, form, manner)
}

async fn find_in_fields(
    service: &Service,
    asked: &Asked,
    fields: &HashMap<String, String>,
    manner: Manner,
) -> Result<Bearer, Failure> {
    let said = |name: &str| {
        let value = fields.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    };
    if let Some([name, password]) = manner.user
        && let (Some(name), Some(password)) = (said(name), said(password))
    {
        let caller = service.recognise_user(asked, name, password).await?;
        return Ok(caller.within_album());
    }
    match TOKEN_FIELDS.into_iter().find_map(said) {
        Some(token) => Ok(recognise(service, asked, token).await?.within_album()),
        None => Err(Refusal::Unauthenticated.into()),
    }
}

fn finish(bearer: Bearer, mut form: Form, manner: Manner) -> Result<Received, Failure> {
    if form.files.is_empty() {
        return Err(Refusal::NoFile.into());
    }
    let fields = std::mem::take(&mut form.fields);
    for (theirs, ours) in manner.options {
        if let Some(value) = fields.get(*theirs) {
            form.fields.insert((*ours).to_owned(), value.clone());
        }
    }
    Ok(Received { bearer, form, fields })
}

/// A body that ends after `most` bytes, in the middle of whatever it is.
fn at_most(most: u64, body: Body) -> impl Stream<Item = Result<bytes::Bytes, warp::Error>> + Send {
    let mut left = most;
    body.take_while(move |piece| {
        let bytes = piece.as_ref().map_or(0, |piece| piece.len() as u64);
        let fits = left >= bytes;
        left = left.saturating_sub(bytes);
        std::future::ready(fits)
    })
}

/// Publishes the first file of a form, for a dialect that takes one.
pub(super) async fn publish_first(
    service: &Service,
    asked: &Asked,
    received: Received,
) -> Result<Taken, Failure> {
    let Received { bearer, mut form, .. } = received;
    form.files.truncate(1);
    let arrived = intake::publish_all(service, &bearer, asked, form, &[]).await?;
    let first = arrived.into_iter().next().ok_or(Refusal::NoFile)?;
    Ok(Taken::of(service, &bearer, first.outcome?))
}
