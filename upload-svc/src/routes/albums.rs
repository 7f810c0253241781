use catalog::{AlbumContents, AlbumPatch, AlbumRecord, Bearer, BulkCaller};
use domain::{ImageRefusal, Refusal, Scope, hotlink::Level};
use http::{HeaderValue, StatusCode, header::ETAG};
use http_kit::Language;
use serde_json::{Value, json};
use warp::reply::Response;

use super::{
    Asked, Body, IfMatch, Page, answer,
    images::fields::{self, object},
    read_body,
    reply::Outcome,
    tag_of,
};
use crate::{
    Service,
    identity::{authenticate, authenticate_in_album, require},
    problem::Failure,
};

/// `GET /v1/albums`: one's own albums, in the order in which they were made. `{"albums":[…],"next":"…"|null}`.
pub(super) async fn list(service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome: Outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Read)?;
        let page = Page::of(&asked.query)?;
        let (owner, only) = (bearer.account_id, bearer.album_id);
        let mut albums = catalog::list_albums(service.catalog(), owner, only, page.after, page.ask()).await?;
        let next = page.cut(&mut albums, |album| album.id);
        let albums: Vec<Value> = albums.iter().map(album_json).collect();
        Ok((StatusCode::OK, Some(json!({ "albums": albums, "next": next }))))
    }
    .await;
    answer("GET /v1/albums", language, outcome)
}

/// `POST /v1/albums`: makes one. 409 when there is one of that name.
pub(super) async fn create(service: Service, asked: Asked, body: Body) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        let bearer = authenticate(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        let patch = read_patch(read_body(&asked.headers, body).await?)?;
        let name = patch
            .name
            .clone()
            .ok_or_else(|| fields::invalid("name", "an album needs one"))?;
        let album =
            catalog::create_album(service.catalog(), bearer.account_id, &name, &patch, service.now()).await?;
        Ok((StatusCode::CREATED, album))
    }
    .await;
    tell("POST /v1/albums", language, outcome)
}

/// `GET /v1/albums/{id}`.
pub(super) async fn describe(id: String, service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Read)?;
        Ok((StatusCode::OK, find(&service, &bearer, &id).await?))
    }
    .await;
    tell("GET /v1/albums/{id}", language, outcome)
}

/// `PATCH /v1/albums/{id}`: changes what stands in the body and leaves the rest. With `If-Match` only if it is still the same.
pub(super) async fn patch(id: String, service: Service, asked: Asked, body: Body) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        let album = find(&service, &bearer, &id).await?;
        let patch = read_patch(read_body(&asked.headers, body).await?)?;
        let if_match = IfMatch::of(&asked.headers);
        let album = catalog::patch_album(
            service.catalog(),
            album.account_id,
            album.id,
            &patch,
            &|before| if_match.allows_tag(&etag(before)),
            service.now(),
        )
        .await?;
        if let Some(policy) = &patch.policy {
            let event = catalog::Event {
                kind: "policy",
                account_id: Some(bearer.account_id),
                client_address: Some(asked.client.0),
                subject: format!("album {}", album.id),
                detail: json!({ "to": policy }),
            };
            catalog::record(service.catalog(), &event, service.now()).await?;
        }
        Ok((StatusCode::OK, album))
    }
    .await;
    tell("PATCH /v1/albums/{id}", language, outcome)
}

/// `DELETE /v1/albums/{id}`: its images move to `default`, or with `?images=withdraw` are withdrawn. With `If-Match` only if it is still the same when
/// that begins.
pub(super) async fn remove(id: String, service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome: Outcome = async {
        let bearer = authenticate(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        let contents = read_contents(&asked.query)?;
        let album = find(&service, &bearer, &id).await?;
        if !IfMatch::of(&asked.headers).allows_tag(&etag(&album)) {
            return Err(ImageRefusal::PreconditionFailed.into());
        }
        let caller = BulkCaller {
            owner: Some(album.account_id),
            album_id: None,
            account_id: bearer.account_id,
            client_address: Some(asked.client.0),
        };
        catalog::delete_album(
            service.catalog(),
            caller,
            album.account_id,
            album.id,
            contents,
            service.now(),
        )
        .await?;
        Ok((StatusCode::NO_CONTENT, None))
    }
    .await;
    answer("DELETE /v1/albums/{id}", language, outcome)
}

/// The album of this number, if the caller may know of it.
async fn find(service: &Service, bearer: &Bearer, id: &str) -> Result<AlbumRecord, Failure> {
    let id = id.parse().map_err(|_| ImageRefusal::NoSuchAlbum)?;
    if !bearer.reaches(id) {
        return Err(ImageRefusal::NoSuchAlbum.into());
    }
    let owner = (!bearer.scopes.contains(Scope::Admin)).then_some(bearer.account_id);
    let album = catalog::find_album(service.catalog(), owner, id).await?;
    Ok(album.ok_or(ImageRefusal::NoSuchAlbum)?)
}

fn read_patch(body: Value) -> Result<AlbumPatch, Refusal> {
    let mut patch = AlbumPatch::default();
    for (name, value) in object(body, &["name", "description", "policy"])? {
        match name.as_str() {
            "name" => patch.name = Some(fields::album_name(&value)?),
            "description" => patch.description = Some(fields::description(&value)?),
            _ => patch.policy = Some(fields::policy(Level::Album, value)?),
        }
    }
    Ok(patch)
}

fn read_contents(query: &str) -> Result<AlbumContents, Refusal> {
    let said = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "images");
    match said.as_ref().map(|(_, value)| value.as_ref()) {
        None | Some("" | "keep") => Ok(AlbumContents::Keep),
        Some("withdraw") => Ok(AlbumContents::Withdraw),
        Some(_) => Err(fields::invalid("images", "expected keep or withdraw")),
    }
}

/// An album, with its `ETag`.
fn tell(
    route: &'static str,
    language: Language,
    outcome: Result<(StatusCode, AlbumRecord), Failure>,
) -> Response {
    let tag = outcome.as_ref().ok().map(|(_, album)| etag(album));
    let told = outcome.map(|(status, album)| (status, Some(album_json(&album))));
    let mut response = answer(route, language, told);
    if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// Changes with everything that a client can change; images come and go without it.
fn etag(album: &AlbumRecord) -> String {
    tag_of(&json!([album.id, album.name, album.description, album.policy]))
}

fn album_json(album: &AlbumRecord) -> Value {
    json!({
        "id": album.id,
        "name": album.name,
        "description": album.description,
        "policy": album.policy,
        "images": album.images,
        "is_default": album.name == catalog::DEFAULT_ALBUM,
        "created_at": album.created_at,
        "updated_at": album.updated_at,
    })
}
