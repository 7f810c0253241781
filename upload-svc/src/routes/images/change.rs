use catalog::{ImagePatch, ImageRecord, RestoreTerms};
use domain::{Expiry, Refusal, Scope, hotlink::Level};
use http_kit::Language;
use jiff::Timestamp;
use serde_json::Value;
use warp::reply::Response;

use super::{IfMatch, answer_image, fields, find_any, find_own};
use crate::{
    Service,
    identity::{album_for, authenticate_in_album, require},
    intake,
    problem::Failure,
    routes::{Asked, Body, read_body},
};

/// `PATCH /v1/images/{id}`: changes what stands in the body and leaves the rest. With `If-Match` only if it is still the same.
pub(crate) async fn patch(id: String, service: Service, asked: Asked, body: Body) -> Response {
    let language = Language::of(&asked.headers);
    let outcome: Result<ImageRecord, Failure> = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        let image = find_own(&service, &bearer, &id).await?;
        let patch = read_patch(read_body(&asked.headers, body).await?, service.now())?;
        album_for(&bearer, patch.album_id)?;
        let album = patch.album_id.unwrap_or(image.album_id);
        if patch.expiry.is_some() || album != image.album_id {
            let expiry = patch.expiry.unwrap_or(image.expiry);
            let rules = intake::upload_rules(&service, image.account_id, Some(album)).await?;
            rules
                .allow(expiry, service.now())
                .map_err(|error| fields::invalid("expires_at", &error.to_string()))?;
        }
        let if_match = IfMatch::of(&asked.headers);
        Ok(catalog::patch_image(
            service.catalog(),
            image.account_id,
            image.public_id,
            &patch,
            &|image| if_match.allows(image) && bearer.reaches(image.album_id),
            Some(asked.client.0),
            service.now(),
        )
        .await?)
    }
    .await;
    answer_image("PATCH /v1/images/{id}", language, &service, outcome)
}

fn read_patch(body: Value, now: Timestamp) -> Result<ImagePatch, Refusal> {
    let known = [
        "name",
        "description",
        "album",
        "expires_at",
        "visibility",
        "policy",
    ];
    let mut patch = ImagePatch::default();
    for (name, value) in fields::object(body, &known)? {
        match name.as_str() {
            "name" => patch.name = Some(fields::file_name(&value)?),
            "description" => patch.description = Some(fields::description(&value)?),
            "album" => patch.album_id = Some(fields::album(&value)?),
            "expires_at" => patch.expiry = Some(fields::expiry(&value, now)?),
            "visibility" => patch.visibility = Some(fields::visibility(&value)?),
            _ => patch.policy = Some(fields::policy(Level::Image, value)?),
        }
    }
    Ok(patch)
}

/// `POST /v1/images/{id}/restore`: brings back what was withdrawn or has expired, until the grace ends. What has expired lives as long
/// as a new upload.
pub(crate) async fn restore(id: String, service: Service, asked: Asked, body: Body) -> Response {
    let language = Language::of(&asked.headers);
    let outcome: Result<ImageRecord, Failure> = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        // There is nothing to say; an empty object is what clients send that must send something.
        let _nothing: Value = read_body(&asked.headers, body).await?;
        let image = find_any(&service, &bearer, &id).await?;
        let rules = intake::upload_rules(&service, image.account_id, Some(image.album_id)).await?;
        let terms = RestoreTerms {
            renewed: Expiry::after(rules.lifetime, service.now()),
            grace_began: service.grace_began(),
        };
        Ok(catalog::restore(
            service.catalog(),
            image.account_id,
            image.public_id,
            terms,
            &|image| bearer.reaches(image.album_id),
            Some(asked.client.0),
            service.now(),
        )
        .await?)
    }
    .await;
    answer_image("POST /v1/images/{id}/restore", language, &service, outcome)
}

/// `PUT /v1/images/{id}/content`: other bytes under the same link, as a form with one file or as the body itself.
pub(crate) async fn replace(id: String, service: Service, asked: Asked, body: Body) -> Response {
    let language = Language::of(&asked.headers);
    let outcome: Result<ImageRecord, Failure> = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        let image = find_own(&service, &bearer, &id).await?;
        if !IfMatch::of(&asked.headers).allows(&image) {
            // Before the body is read; it is asked again under the lock.
            return Err(domain::ImageRefusal::PreconditionFailed.into());
        }
        intake::replace(&service, &bearer, &image, &asked, body).await
    }
    .await;
    if let Err(failure) = &outcome {
        service.measures().refused(failure.code());
    }
    answer_image("PUT /v1/images/{id}/content", language, &service, outcome)
}
