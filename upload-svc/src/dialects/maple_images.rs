//! maple's images: the caller's own, by number. One that is stored by maple gets a name of digits, as the original gave, so that no two
//! of a month are seen at one URL.

use std::collections::HashMap;

use blobs::Staged;
use catalog::{AccountRecord, Bearer, ChangeError, ImagePatch, ImageRecord, Standing};
use domain::{FileName, MediaType, Refusal, Scope, UploadLimits};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use warp::reply::Response;

use super::{
    maple::{Outcome, Unhappy, answer, answer_page, enter, fields, page, said},
    maple_albums,
    maple_pages::{Pages, rfc1123},
    received::{Manner, Received, receive_from},
};
use crate::{
    Service, intake,
    problem::Failure,
    routes::{Asked, Body},
};

const NO_IMAGE: &str = "图片不存在";
/// What the original takes, by the name's end.
const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];

pub(super) async fn list(service: Service, asked: Asked) -> Response {
    let outcome = async {
        let bearer = enter(&service, &asked, Scope::Read).await?;
        let query = page(&bearer, &asked.query)?;
        let found = catalog::number_images(service.catalog(), &query, service.now()).await?;
        let mut shelf = Shelf::of(&service, &bearer).await?;
        let mut images = Vec::with_capacity(found.entries.len());
        for image in &found.entries {
            images.push(shelf.show(&service, image).await?);
        }
        let pages = Pages::of(query.page, query.number, found.total, images.len());
        Ok((Value::Array(images), pages))
    };
    answer_page("GET /api/images", outcome.await)
}

pub(super) async fn upload(service: Service, asked: Asked, body: Body) -> Response {
    let outcome = take(&service, &asked, body).await;
    if let Err(Unhappy::Failure(failure)) = &outcome {
        service.measures().refused(failure.code());
    }
    answer("POST /api/images", outcome)
}

async fn take(service: &Service, asked: &Asked, body: Body) -> Outcome {
    let narrower = service.limited(limits(service.limits()));
    let bearer = enter(service, asked, Scope::Upload).await?;
    let received = receive_from(&narrower, asked, bearer, Manner::of("images"), body).await?;
    let Received {
        bearer,
        mut form,
        fields,
    } = received;
    // One bad file, and nothing of the request is stored.
    let mut names = Vec::with_capacity(form.files.len());
    for file in &mut form.files {
        let name = file.name.as_str().to_owned();
        let extension = file.name.extension().map(str::to_ascii_lowercase);
        let extension = extension.filter(|extension| EXTENSIONS.contains(&extension.as_str()));
        let Some(extension) = extension.filter(|_| is_picture(&file.staged, narrower.limits())) else {
            return Err(Unhappy::Argument(format!("{name} 不允许的扩展")));
        };
        if let Err(failure) = std::mem::replace(&mut file.staged, Err(Refusal::NoFile.into()))
            .map(|staged| file.staged = Ok(staged))
        {
            return Err(failure.into());
        }
        file.name = FileName::clean(&drawn_name(service, &extension), "image");
        names.push(name);
    }
    if let Some(album) = fields.get("album")
        && let Ok(album) = maple_albums::find(service, &bearer, album).await
    {
        form.fields.insert("album".to_owned(), album.id.to_string());
    }
    let mut shelf = Shelf::of(service, &bearer).await?;
    let (mut new, mut there) = (Vec::new(), Vec::new());
    let arrived = intake::publish_all(&narrower, &bearer, asked, form, &[]).await?;
    for (name, arrived) in names.into_iter().zip(arrived) {
        let published = arrived.outcome?;
        match published.standing {
            Standing::Uploaded => new.push(shelf.show(service, &published.image).await?),
            Standing::Existing => there.push(name),
        }
    }
    if there.is_empty() {
        Ok(Value::Array(new))
    } else {
        Err(Unhappy::Exists(
            json!({ "success": new, "fail": there }),
            "文件已存在",
        ))
    }
}

fn limits(usual: &UploadLimits) -> UploadLimits {
    let taken = [MediaType::Png, MediaType::Jpeg];
    UploadLimits {
        allowed: usual
            .allowed
            .iter()
            .copied()
            .filter(|kind| taken.contains(kind))
            .collect(),
        ..usual.clone()
    }
}

/// Whether the bytes begin as those of a picture that is taken, as far as they came at all: other failures have their own words.
fn is_picture(staged: &Result<Staged, Failure>, limits: &UploadLimits) -> bool {
    match staged {
        Ok(staged) => imaging::sniff(staged.head()).is_some_and(|kind| limits.allowed.contains(&kind)),
        Err(failure) => !matches!(
            failure,
            Failure::Refused(Refusal::TypeNotAllowed | Refusal::Unreadable)
        ),
    }
}

/// Milliseconds since 1970 and three random digits.
fn drawn_name(service: &Service, extension: &str) -> String {
    let [high, low]: [u8; 2] = process::random();
    let digits = (u16::from(high) * 256 + u16::from(low)) % 1000;
    format!("{}{digits:03}.{extension}", service.now().as_millisecond())
}

pub(super) async fn describe(pk: String, service: Service, asked: Asked) -> Response {
    let outcome: Outcome = async {
        let bearer = enter(&service, &asked, Scope::Read).await?;
        let image = find(&service, &bearer, &pk).await?;
        Shelf::of(&service, &bearer).await?.show(&service, &image).await
    }
    .await;
    answer("GET /api/images/{pk}", outcome)
}

pub(super) async fn change(pk: String, service: Service, asked: Asked, body: Body) -> Response {
    let outcome: Outcome = async {
        let bearer = enter(&service, &asked, Scope::Manage).await?;
        let image = find(&service, &bearer, &pk).await?;
        let fields = fields(&asked, body).await?;
        let name = said(&fields, "name").filter(|name| !name.trim().is_empty());
        let patch = ImagePatch {
            name: name.map(|name| FileName::clean(&name, "image")),
            description: said(&fields, "description"),
            ..ImagePatch::default()
        };
        let (client, now) = (Some(asked.client.0), service.now());
        let image = catalog::patch_image(
            service.catalog(),
            bearer.account_id,
            image.public_id,
            &patch,
            &|image| bearer.reaches(image.album_id),
            client,
            now,
        )
        .await
        .map_err(Failure::from)?;
        Shelf::of(&service, &bearer).await?.show(&service, &image).await
    }
    .await;
    answer("PUT /api/images/{pk}", outcome)
}

pub(super) async fn remove(pk: String, service: Service, asked: Asked) -> Response {
    let outcome: Outcome = async {
        let bearer = enter(&service, &asked, Scope::Manage).await?;
        let image = find(&service, &bearer, &pk).await?;
        let (client, now) = (Some(asked.client.0), service.now());
        let catalog = service.catalog();
        let within = |image: &ImageRecord| bearer.reaches(image.album_id);
        catalog::withdraw_if(catalog, bearer.account_id, image.public_id, &within, client, now)
            .await
            .map_err(|error| match error {
                ChangeError::NotFound | ChangeError::Unexpected => Unhappy::Missing(NO_IMAGE),
                other => Failure::from(other).into(),
            })?;
        Shelf::of(&service, &bearer).await?.show(&service, &image).await
    }
    .await;
    answer("DELETE /api/images/{pk}", outcome)
}

async fn find(service: &Service, bearer: &Bearer, pk: &str) -> Result<ImageRecord, Unhappy> {
    let id = pk.parse().map_err(|_| Unhappy::Missing(NO_IMAGE))?;
    let found =
        catalog::find_image_by_number(service.catalog(), bearer.account_id, id, service.now()).await?;
    found
        .filter(|image| bearer.reaches(image.album_id))
        .ok_or(Unhappy::Missing(NO_IMAGE))
}

/// What the caller's images are shown with: their owner's name and the names of their albums.
struct Shelf {
    account: AccountRecord,
    albums: HashMap<i64, String>,
}

impl Shelf {
    async fn of(service: &Service, bearer: &Bearer) -> Result<Self, Failure> {
        let account = catalog::find_account(service.catalog(), bearer.account_id).await?;
        Ok(Self {
            account: account.ok_or(Refusal::InvalidCredential)?,
            albums: HashMap::new(),
        })
    }

    async fn show(&mut self, service: &Service, image: &ImageRecord) -> Result<Value, Unhappy> {
        if !self.albums.contains_key(&image.album_id) {
            let album = catalog::find_album(service.catalog(), Some(self.account.id), image.album_id).await?;
            let name = album.map_or_else(String::new, |album| album.name);
            self.albums.insert(image.album_id, name);
        }
        let month = image
            .created_at
            .to_zoned(TimeZone::UTC)
            .strftime("%Y/%m")
            .to_string();
        let path = format!("images/{}/photo/{month}", self.account.username);
        Ok(json!({
            "album": self.albums[&image.album_id],
            "album_id": image.album_id,
            "created_at": rfc1123(image.created_at),
            "description": image.description,
            "id": image.id,
            "name": image.name,
            "path": path,
            "updated_at": rfc1123(image.updated_at),
            "url": format!("{path}/{}", image.name),
            "user_id": image.account_id,
        }))
    }
}
