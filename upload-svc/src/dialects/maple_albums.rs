//! maple's albums: the caller's own, by number.

use catalog::{AlbumContents, AlbumError, AlbumPatch, AlbumRecord, Bearer, BulkCaller};
use domain::Scope;
use serde_json::{Map, Value, json};
use warp::reply::Response;

use super::{
    maple::{Outcome, Unhappy, answer, answer_page, enter, fields, page, said},
    maple_pages::{Pages, rfc1123},
};
use crate::{
    Service,
    identity::require_whole,
    problem::Failure,
    routes::{Asked, Body},
};

const NO_ALBUM: &str = "相册不存在";
/// As long as the native API lets a name be.
const LONGEST_NAME: usize = 255;

pub(super) async fn list(service: Service, asked: Asked) -> Response {
    let outcome = async {
        let bearer = enter(&service, &asked, Scope::Read).await?;
        let mut query = page(&bearer, &asked.query)?;
        query.album_id = bearer.album_id;
        let found = catalog::number_albums(service.catalog(), &query).await?;
        let albums: Vec<Value> = found.entries.iter().map(album_json).collect();
        let pages = Pages::of(query.page, query.number, found.total, albums.len());
        Ok((Value::Array(albums), pages))
    };
    answer_page("GET /api/albums", outcome.await)
}

pub(super) async fn create(service: Service, asked: Asked, body: Body) -> Response {
    let outcome: Outcome = async {
        let bearer = enter(&service, &asked, Scope::Manage).await?;
        require_whole(&bearer)?;
        let patch = read_patch(&fields(&asked, body).await?);
        let Some(name) = patch.name.clone() else {
            return Err(Unhappy::Argument("相册名称不能为空".to_owned()));
        };
        let (catalog, now) = (service.catalog(), service.now());
        let album = catalog::create_album(catalog, bearer.account_id, &name, &patch, now).await;
        Ok(album_json(&album.map_err(unhappy)?))
    }
    .await;
    answer("POST /api/albums", outcome)
}

pub(super) async fn describe(pk: String, service: Service, asked: Asked) -> Response {
    let outcome: Outcome = async {
        let bearer = enter(&service, &asked, Scope::Read).await?;
        Ok(album_json(&find(&service, &bearer, &pk).await?))
    }
    .await;
    answer("GET /api/albums/{pk}", outcome)
}

pub(super) async fn change(pk: String, service: Service, asked: Asked, body: Body) -> Response {
    let outcome: Outcome = async {
        let bearer = enter(&service, &asked, Scope::Manage).await?;
        let album = find(&service, &bearer, &pk).await?;
        let patch = read_patch(&fields(&asked, body).await?);
        let (catalog, now) = (service.catalog(), service.now());
        let album = catalog::patch_album(catalog, bearer.account_id, album.id, &patch, &|_| true, now).await;
        Ok(album_json(&album.map_err(unhappy)?))
    }
    .await;
    answer("PUT /api/albums/{pk}", outcome)
}

/// Its images move to `default`.
pub(super) async fn remove(pk: String, service: Service, asked: Asked) -> Response {
    let outcome: Outcome = async {
        let bearer = enter(&service, &asked, Scope::Manage).await?;
        require_whole(&bearer)?;
        let album = find(&service, &bearer, &pk).await?;
        let caller = BulkCaller {
            owner: Some(bearer.account_id),
            album_id: None,
            account_id: bearer.account_id,
            client_address: Some(asked.client.0),
        };
        let (catalog, now, keep) = (service.catalog(), service.now(), AlbumContents::Keep);
        let removed = catalog::delete_album(catalog, caller, bearer.account_id, album.id, keep, now).await;
        removed.map_err(unhappy)?;
        Ok(album_json(&album))
    }
    .await;
    answer("DELETE /api/albums/{pk}", outcome)
}

/// The caller's album of this number.
pub(super) async fn find(service: &Service, bearer: &Bearer, pk: &str) -> Result<AlbumRecord, Unhappy> {
    let id = pk.parse().map_err(|_| Unhappy::Missing(NO_ALBUM))?;
    if !bearer.reaches(id) {
        return Err(Unhappy::Missing(NO_ALBUM));
    }
    let album = catalog::find_album(service.catalog(), Some(bearer.account_id), id).await?;
    album.ok_or(Unhappy::Missing(NO_ALBUM))
}

fn read_patch(fields: &Map<String, Value>) -> AlbumPatch {
    let name = said(fields, "name").map(|name| {
        let visible = name.trim().chars().filter(|letter| !letter.is_control());
        visible.take(LONGEST_NAME).collect::<String>()
    });
    AlbumPatch {
        name: name.filter(|name| !name.is_empty()),
        description: said(fields, "description"),
        policy: None,
    }
}

fn unhappy(error: AlbumError) -> Unhappy {
    match error {
        AlbumError::NotFound => Unhappy::Missing(NO_ALBUM),
        AlbumError::NameTaken => Unhappy::Exists(Value::Null, "相册已存在"),
        other => Failure::from(other).into(),
    }
}

fn album_json(album: &AlbumRecord) -> Value {
    json!({
        "created_at": rfc1123(album.created_at),
        "description": album.description,
        "id": album.id,
        "name": album.name,
        "updated_at": rfc1123(album.updated_at),
        "user_id": album.account_id,
    })
}
