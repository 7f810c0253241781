//! The pictures and videos of an account.

mod bulk;
mod camera;
mod change;
mod cursor;
pub(super) mod fields;
mod if_match;
mod list;
mod query;
mod signed_links;
mod variants;

pub(super) use bulk::bulk;
pub(super) use change::{patch, replace, restore};
pub(crate) use if_match::{IfMatch, tag_of};
pub(super) use list::{exists, list};
pub(super) use signed_links::{revoke, sign};
pub(crate) use variants::thumbnail_url;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Buf;
use catalog::{Bearer, ImageRecord, Published, Role, Standing};
use domain::{PublicId, Refusal, Scope, TakenSource, is_live};
use futures_util::Stream;
use http::{HeaderValue, StatusCode, header::ETAG};
use http_kit::Language;
use jiff::tz::Offset;
use serde_json::{Value, json};
use warp::{Reply as _, reply::Response};

use super::{
    Asked, answer,
    reply::{Outcome, finish},
};
use crate::{
    Service, delete_link,
    identity::{authenticate_in_album, require},
    intake::{self, Arrived},
    problem::Failure,
};

/// `POST /v1/images`: one to fifty files and their options. Answers `{"images":[…]}` in the order sent, each an image or
/// `{"name":…,"problem":{…}}`. 201 if anything is new, 200 if all of it was there; if nothing was taken, the first problem's status.
pub(super) async fn upload<B: Buf>(
    service: Service,
    asked: Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Response {
    const ROUTE: &str = "POST /v1/images";
    let language = Language::of(&asked.headers);
    let (bearer, taken) = match take(&service, &asked, body).await {
        Ok(taken) => taken,
        Err(failure) => {
            service.measures().refused(failure.code());
            return answer(ROUTE, language, Err(failure));
        }
    };
    let (mut images, mut best, mut first_problem) = (Vec::new(), None, None);
    for Arrived { name, outcome } in taken {
        match outcome {
            Ok(Published { image, standing }) => {
                best = best.max(Some(if standing == Standing::Uploaded {
                    StatusCode::CREATED
                } else {
                    StatusCode::OK
                }));
                let mut told = image_json(&service, &image, standing);
                if delete_link::may_be_told(&bearer, &image, standing) {
                    told["delete_url"] = delete_link::url(&service, &image).into();
                }
                images.push(told);
            }
            Err(failure) => {
                let problem = failure.problem(language);
                images.push(json!({ "name": name.as_str(), "problem": problem.document() }));
                first_problem.get_or_insert(problem);
            }
        }
    }
    match (best, first_problem) {
        (None, Some(problem)) => finish(ROUTE, problem.extra("images", images).into_response()),
        (best, _) => answer(
            ROUTE,
            language,
            Ok((best.unwrap_or(StatusCode::OK), Some(json!({ "images": images })))),
        ),
    }
}

async fn take<B: Buf>(
    service: &Service,
    asked: &Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Result<(Bearer, Vec<Arrived>), Failure> {
    let bearer = authenticate_in_album(service, asked).await?;
    require(&bearer, Scope::Upload)?;
    intake::admit(service, &bearer, &asked.headers).await?;
    let taken = intake::take(service, &bearer, asked, "file", body).await?;
    Ok((bearer, taken))
}

/// `GET /v1/images/{id}`: an image of one's own, with its count as of the last fold.
pub(super) async fn describe(id: String, service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let mut manages = false;
    let outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Read)?;
        manages = bearer.scopes.contains(Scope::Manage);
        find_own(&service, &bearer, &id).await
    }
    .await;
    answer_with_links("GET /v1/images/{id}", language, &service, outcome, manages)
}

/// `DELETE /v1/images/{id}`: withdraws it. From the answer on no URL of it gives the picture.
pub(super) async fn withdraw(id: String, service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome: Outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        let image = find_own(&service, &bearer, &id).await?;
        let client = Some(asked.client.0);
        let if_match = IfMatch::of(&asked.headers);
        catalog::withdraw_if(
            service.catalog(),
            image.account_id,
            image.public_id,
            &|image| if_match.allows(image) && bearer.reaches(image.album_id),
            client,
            service.now(),
        )
        .await?;
        Ok((StatusCode::NO_CONTENT, None))
    }
    .await;
    answer("DELETE /v1/images/{id}", language, outcome)
}

/// The live image of this id, if the caller may know of it: its owner may, and an administrator with a token for that, none of them with a
/// token that is bound to another album.
async fn find_own(service: &Service, bearer: &Bearer, id: &str) -> Result<ImageRecord, Failure> {
    let image = find_any(service, bearer, id).await?;
    if image.ended.is_none() && is_live(image.expiry, service.now()) {
        Ok(image)
    } else {
        Err(Refusal::NotFound.into())
    }
}

/// The same for one that may have ended.
pub(super) async fn find_any(service: &Service, bearer: &Bearer, id: &str) -> Result<ImageRecord, Failure> {
    let id: PublicId = id.parse().map_err(|_| Refusal::NotFound)?;
    let image = catalog::find_image_even_ended(service.catalog(), id)
        .await?
        .ok_or(Refusal::NotFound)?;
    let is_admin = bearer.role == Role::Admin && bearer.scopes.contains(Scope::Admin);
    let is_known = image.account_id == bearer.account_id || is_admin;
    if is_known && bearer.reaches(image.album_id) {
        Ok(image)
    } else {
        Err(Refusal::NotFound.into())
    }
}

/// One image and its `ETag`, or why there is none, for somebody who may change it.
fn answer_image(
    route: &'static str,
    language: Language,
    service: &Service,
    outcome: Result<ImageRecord, Failure>,
) -> Response {
    answer_with_links(route, language, service, outcome, true)
}

/// The same; SECURITY: only who may withdraw the image is told its delete link.
fn answer_with_links(
    route: &'static str,
    language: Language,
    service: &Service,
    outcome: Result<ImageRecord, Failure>,
    manages: bool,
) -> Response {
    let tag = outcome
        .as_ref()
        .ok()
        .and_then(|image| HeaderValue::from_str(&if_match::etag(image)).ok());
    let outcome = outcome.map(|image| {
        let mut body = image_json(service, &image, Standing::Existing);
        if manages {
            body["delete_url"] = delete_link::url(service, &image).into();
        }
        (StatusCode::OK, Some(body))
    });
    let mut response = answer(route, language, outcome);
    if let Some(tag) = tag {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// An image as every reply of the native API shows it.
pub(crate) fn image_json(service: &Service, image: &ImageRecord, standing: Standing) -> Value {
    json!({
        "id": image.public_id.as_str(),
        "url": image_url(service, image),
        "signed_url": signed_links::look(service, image),
        "thumbnail_url": thumbnail_url(service, image),
        "variants": variants::variants_json(service, image),
        "thumbhash": image.thumbhash.as_ref().map(|hash| BASE64_STANDARD.encode(hash)),
        "dominant_color": image.dominant_color.map(|colour| format!("#{}", hex::encode(colour))),
        "md5": image.md5.to_string(),
        "sha256": image.sha256.to_string(),
        "size_bytes": image.size_bytes,
        "media_type": image.media_type.mime(),
        "kind": image.media_type.kind().as_str(),
        "width": image.width,
        "height": image.height,
        "camera": image.camera.as_ref().map(camera::camera_json),
        "name": image.name,
        "description": image.description,
        "album": image.album_id,
        "visibility": image.visibility.as_str(),
        "policy": image.policy,
        "status": match standing {
            Standing::Uploaded => "uploaded",
            Standing::Existing => "existing",
        },
        "views": image.views,
        "created_at": image.created_at,
        "updated_at": image.updated_at,
        "expires_at": image.expiry.at(),
        "ends_by_policy": image.ends_by_policy,
        "taken_at": taken_at(image),
        "taken_zone": image.taken_offset_minutes.map(zone),
        "taken_source": image.taken_source.map(TakenSource::as_str),
        "ended_at": image.ended.as_ref().map(|(at, _)| at),
        "ended_by": image.ended.as_ref().map(|(_, by)| by),
    })
}

/// The public URL of an image.
pub(crate) fn image_url(service: &Service, image: &ImageRecord) -> String {
    format!(
        "{}/i/{}.{}",
        service.base_url(),
        image.public_id,
        image.media_type.extension()
    )
}

/// When it was taken, by the clock on the wall where that was; by UTC's where nothing tells the zone.
fn taken_at(image: &ImageRecord) -> Option<String> {
    let seconds = i32::from(image.taken_offset_minutes.unwrap_or_default()) * 60;
    let offset = Offset::from_seconds(seconds).unwrap_or(Offset::UTC);
    image.taken_at.map(|at| match image.taken_offset_minutes {
        None | Some(0) => at.to_string(),
        Some(_) => at.display_with_offset(offset).to_string(),
    })
}

/// How far a clock is ahead of UTC, as `+08:00`.
fn zone(minutes: i16) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}
