//! tus 1.0.0: `/v1/uploads`.

use catalog::{Bearer, ImageRecord, Standing, UploadRecord, UploadShape};
use domain::Scope;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header::LOCATION};
use http_kit::Language;
use serde_json::json;
use warp::{Reply as _, reply::Response};

use super::{
    Asked, Body, answer,
    images::{image_json, image_url},
};
use crate::{
    Service,
    identity::{authenticate_in_album, require},
    problem::Failure,
    resumable::{self, Progress, heads},
    routes::reply::finish,
};

/// An answer without a body: its status and what stands in its head.
type Reply = Result<(StatusCode, HeaderMap), Failure>;

/// `POST /v1/uploads`: begins an upload, or joins one of parts.
pub(super) async fn create(service: Service, asked: Asked, body: Body) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = apart(async move {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Upload)?;
        heads::check_version(&asked.headers)?;
        let progress = resumable::create(&service, &bearer, &asked, body).await?;
        let mut head = head_of(&service, &progress.record, progress.image.as_ref());
        // Relative to what was asked, which may be behind another name than our links.
        insert(
            &mut head,
            LOCATION,
            &format!("/v1/uploads/{}", progress.record.id),
        );
        Ok((StatusCode::CREATED, head))
    });
    reply("POST /v1/uploads", language, outcome.await)
}

/// `PATCH /v1/uploads/{id}`: adds a piece.
pub(super) async fn append(id: String, service: Service, asked: Asked, body: Body) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = apart(async move {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Upload)?;
        heads::check_version(&asked.headers)?;
        if !heads::is_piece(&asked.headers) {
            return Err(domain::ResumeRefusal::NotAPiece.into());
        }
        let which = (
            resumable::read_id(&id)?,
            heads::count(&asked.headers, "upload-offset")?,
        );
        let Progress { record, image } = resumable::append(&service, &bearer, &asked, which, body).await?;
        let mut head = head_of(&service, &record, image.as_ref());
        if let Some(image) = &image {
            insert(&mut head, LOCATION, &format!("/v1/images/{}", image.public_id));
        }
        Ok((StatusCode::NO_CONTENT, head))
    });
    reply("PATCH /v1/uploads/{id}", language, outcome.await)
}

/// `HEAD /v1/uploads/{id}`: how far it has come. `GET`: the same as JSON, with the image when there is one.
pub(super) async fn describe(id: String, service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    if asked.method == Method::HEAD {
        let outcome = apart(async move {
            let bearer = authenticate_in_album(&service, &asked).await?;
            require(&bearer, Scope::Upload)?;
            heads::check_version(&asked.headers)?;
            let record = resumable::position(&service, &bearer, resumable::read_id(&id)?).await?;
            let image = image_of(&service, &bearer, &record).await?;
            Ok((StatusCode::OK, head_of(&service, &record, image.as_ref())))
        });
        return reply("HEAD /v1/uploads/{id}", language, outcome.await);
    }
    let outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Upload)?;
        let record = resumable::find(&service, &bearer, resumable::read_id(&id)?).await?;
        let image = image_of(&service, &bearer, &record).await?;
        let image = image.map(|image| image_json(&service, &image, Standing::Uploaded));
        let body = json!({
            "id": record.id.as_str(),
            "length": record.length,
            "offset": record.offset,
            "expires_at": record.expires_at,
            "image": image,
        });
        Ok((StatusCode::OK, Some(body)))
    };
    answer("GET /v1/uploads/{id}", language, outcome.await)
}

/// `DELETE /v1/uploads/{id}`: ends it. What has come of it stays.
pub(super) async fn terminate(id: String, service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = apart(async move {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Upload)?;
        heads::check_version(&asked.headers)?;
        resumable::terminate(&service, &bearer, resumable::read_id(&id)?).await?;
        Ok((StatusCode::NO_CONTENT, HeaderMap::new()))
    });
    reply("DELETE /v1/uploads/{id}", language, outcome.await)
}

/// In a task of its own: when the client goes away, what has come from it is still written down.
async fn apart<T: Send + 'static>(
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    tokio::spawn(work).await?
}

fn reply(route: &'static str, language: Language, outcome: Reply) -> Response {
    let mut response = match outcome {
        Ok((status, head)) => {
            let mut response = status.into_response();
            response.headers_mut().extend(head);
            finish(route, response)
        }
        Err(failure) => answer(route, language, Err(failure)),
    };
    response
        .headers_mut()
        .insert("tus-resumable", HeaderValue::from_static(heads::VERSION));
    response
}

/// The image that came of an upload, if it is still there, and where the caller may see it.
async fn image_of(
    service: &Service,
    bearer: &Bearer,
    record: &UploadRecord,
) -> Result<Option<ImageRecord>, Failure> {
    match record.image {
        None => Ok(None),
        Some(id) => {
            let image = catalog::find_image(service.catalog(), id).await?;
            Ok(image.filter(|image| bearer.reaches(image.album_id)))
        }
    }
}

fn head_of(service: &Service, record: &UploadRecord, image: Option<&ImageRecord>) -> HeaderMap {
    let mut head = HeaderMap::new();
    let number = |count: u64| HeaderValue::from(count);
    head.insert("upload-offset", number(record.offset));
    head.insert("upload-length", number(record.length));
    insert(
        &mut head,
        HeaderName::from_static("upload-metadata"),
        &record.metadata,
    );
    match record.shape {
        UploadShape::Whole => {}
        UploadShape::Part => insert(&mut head, HeaderName::from_static("upload-concat"), "partial"),
        UploadShape::Joined => {
            let urls: Vec<String> = record
                .parts
                .iter()
                .map(|id| format!("/v1/uploads/{id}"))
                .collect();
            let concat = format!("final;{}", urls.join(" "));
            insert(&mut head, HeaderName::from_static("upload-concat"), &concat);
        }
    }
    if let Some(image) = image {
        insert(
            &mut head,
            HeaderName::from_static("upload-result"),
            &image_url(service, image),
        );
    } else if record.image.is_none() {
        let expires = record
            .expires_at
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        insert(&mut head, HeaderName::from_static("upload-expires"), &expires);
    }
    head
}

/// An empty value is left out.
fn insert(head: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Some(value) = HeaderValue::from_str(value)
        .ok()
        .filter(|value| !value.is_empty())
    {
        head.insert(name, value);
    }
}

/// What OPTIONS tells of the protocol, beside what every preflight does.
pub(super) fn add_capabilities(service: &Service, headers: &mut HeaderMap) {
    let largest = HeaderValue::from(service.limits().bytes_for_any());
    for (name, value) in [
        ("tus-resumable", HeaderValue::from_static(heads::VERSION)),
        ("tus-version", HeaderValue::from_static(heads::VERSION)),
        ("tus-extension", HeaderValue::from_static(heads::EXTENSIONS)),
        (
            "tus-checksum-algorithm",
            HeaderValue::from_static(heads::ALGORITHMS),
        ),
        ("tus-max-size", largest),
    ] {
        headers.insert(name, value);
    }
}
