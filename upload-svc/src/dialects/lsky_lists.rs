//! What Lsky's clients ask for beside uploading: who they are, their images and albums, page by page.

use catalog::{Bearer, ChangeError, ImageRecord, NumberedColumn, NumberedQuery, Standing};
use domain::{PublicId, Refusal, Scope};
use serde_json::{Value, json};
use warp::reply::Response;

use super::{
    lsky::{image_json, refuse, succeed},
    words::{date, parameter},
};
use crate::{
    Service, delete_link,
    identity::{album_for, authenticate_in_album, require},
    problem::Failure,
    routes::Asked,
};

/// Entries of a page; Lsky knows no other number.
const PER_PAGE: i64 = 40;
/// What an account without a quota may hold, in KiB: a number where Lsky's clients want one.
const WITHOUT_LIMIT: u64 = 1 << 40;

pub(super) async fn profile(service: Service, asked: Asked) -> Response {
    const ROUTE: &str = "GET /api/v1/profile";
    let outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Read)?;
        profile_json(&service, &bearer).await
    };
    answer(ROUTE, outcome.await)
}

async fn profile_json(service: &Service, bearer: &Bearer) -> Result<Value, Failure> {
    let account = catalog::find_account(service.catalog(), bearer.account_id).await?;
    let account = account.ok_or(Refusal::InvalidCredential)?;
    let query = NumberedQuery {
        account_id: account.id,
        album_id: bearer.album_id,
        page: 1,
        ..NumberedQuery::default()
    };
    let albums = catalog::number_albums(service.catalog(), &query).await?;
    let is_address = account.username.contains('@');
    let capacity = account
        .quota_bytes
        .map_or(WITHOUT_LIMIT, |bytes| bytes.unsigned_abs() / 1024);
    Ok(json!({
        "name": account.username,
        "email": if is_address { account.username.as_str() } else { "" },
        "url": service.base_url(),
        "capacity": capacity,
        "used_capacity": super::words::kibibytes(account.used_bytes.unsigned_abs()),
        "image_num": account.used_files,
        "album_num": albums.total,
    }))
}

pub(super) async fn images(service: Service, asked: Asked) -> Response {
    const ROUTE: &str = "GET /api/v1/images";
    let outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Read)?;
        let query = NumberedQuery {
            album_id: album_for(
                &bearer,
                parameter(&asked.query, "album_id").and_then(|id| id.parse().ok()),
            )?,
            order: vec![order(&asked.query)],
            ..page(&bearer, &asked.query)
        };
        let found = catalog::number_images(service.catalog(), &query, service.now()).await?;
        let images: Vec<Value> = found
            .entries
            .iter()
            .map(|image| listed(&service, &bearer, image))
            .collect();
        Ok(paginator(query.page, found.total, &images))
    };
    answer(ROUTE, outcome.await)
}

fn listed(service: &Service, bearer: &Bearer, image: &ImageRecord) -> Value {
    let delete_url = if delete_link::may_be_told(bearer, image, Standing::Existing) {
        delete_link::url(service, image)
    } else {
        String::new()
    };
    let mut shown = image_json(service, image, "", &delete_url);
    shown["date"] = json!(date(image.created_at));
    shown
}

pub(super) async fn albums(service: Service, asked: Asked) -> Response {
    const ROUTE: &str = "GET /api/v1/albums";
    let outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Read)?;
        let query = NumberedQuery {
            order: vec![(NumberedColumn::Id, true)],
            ..page(&bearer, &asked.query)
        };
        let found = catalog::number_albums(service.catalog(), &query).await?;
        let albums: Vec<Value> = found
            .entries
            .iter()
            .map(|album| {
                json!({ "id": album.id, "name": album.name, "intro": album.description, "image_num": album.images })
            })
            .collect();
        Ok(paginator(query.page, found.total, &albums))
    };
    answer(ROUTE, outcome.await)
}

pub(super) async fn withdraw(key: String, service: Service, asked: Asked) -> Response {
    const ROUTE: &str = "DELETE /api/v1/images/{key}";
    let outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        let id: PublicId = key.parse().map_err(|_| Refusal::NotFound)?;
        let (catalog, client) = (service.catalog(), Some(asked.client.0));
        let within = |image: &ImageRecord| bearer.reaches(image.album_id);
        let gone = catalog::withdraw_if(catalog, bearer.account_id, id, &within, client, service.now()).await;
        match gone {
            // One of another album is as good as none.
            Err(ChangeError::Unexpected) => Err(Failure::from(Refusal::NotFound)),
            gone => Ok(gone?),
        }
    };
    match outcome.await {
        Ok(()) => succeed(ROUTE, "删除成功", &json!({})),
        Err(failure) => refuse(ROUTE, &failure),
    }
}

fn page(bearer: &Bearer, query: &str) -> NumberedQuery {
    NumberedQuery {
        account_id: bearer.account_id,
        album_id: bearer.album_id,
        name: parameter(query, "keyword").map(|keyword| keyword.replace('\0', "")),
        page: number(query, "page"),
        number: PER_PAGE,
        ..NumberedQuery::default()
    }
}

fn number(query: &str, name: &str) -> i64 {
    let said = parameter(query, name).and_then(|text| text.parse().ok());
    said.filter(|number| *number >= 1).unwrap_or(1)
}

/// Lsky's orders: newest (also when nothing is said), earliest, utmost (the largest first), least.
fn order(query: &str) -> (NumberedColumn, bool) {
    match parameter(query, "order").as_deref() {
        Some("earliest") => (NumberedColumn::CreatedAt, false),
        Some("utmost") => (NumberedColumn::SizeBytes, true),
        Some("least") => (NumberedColumn::SizeBytes, false),
        _ => (NumberedColumn::CreatedAt, true),
    }
}

fn paginator(page: i64, total: i64, data: &[Value]) -> Value {
    let last_page = ((total + PER_PAGE - 1) / PER_PAGE).max(1);
    json!({ "current_page": page, "last_page": last_page, "per_page": PER_PAGE, "total": total, "data": data })
}

fn answer(route: &'static str, outcome: Result<Value, Failure>) -> Response {
    match outcome {
        Ok(data) => succeed(route, "success", &data),
        Err(failure) => refuse(route, &failure),
    }
}
