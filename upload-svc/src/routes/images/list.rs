use catalog::{Content, ImageQuery, Standing};
use domain::{Md5, Refusal, Scope, Sha256};
use http::StatusCode;
use http_kit::Language;
use serde_json::{Value, json};
use warp::reply::Response;

use super::{cursor, image_json, query};
use crate::{
    Service,
    identity::{album_for, authenticate_in_album, require, require_whole},
    problem::Failure,
    routes::{Asked, answer},
};

/// `GET /v1/images`: a page of one's own images, or with `all=true` of everybody's. `{"images":[…],"next":"…"|null}`.
pub(crate) async fn list(service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = page(&service, &asked).await;
    answer(
        "GET /v1/images",
        language,
        outcome.map(|page| (StatusCode::OK, Some(page))),
    )
}

async fn page(service: &Service, asked: &Asked) -> Result<Value, Failure> {
    let bearer = authenticate_in_album(service, asked).await?;
    require(&bearer, Scope::Read)?;
    let mut asked = query::read(&asked.query)?;
    if asked.all {
        require(&bearer, Scope::Admin)?;
        require_whole(&bearer)?;
    }
    asked.filter.album_id = album_for(&bearer, asked.filter.album_id)?;
    let owner = (!asked.all).then_some(bearer.account_id);
    let list = cursor::list_of(owner, &asked.filter, asked.sort);
    let after = asked
        .after
        .map(|text| cursor::read(&list, asked.sort, &text))
        .transpose()?;
    let query = ImageQuery {
        owner,
        filter: asked.filter,
        sort: asked.sort,
        after,
        // One more than is shown tells whether there is another page.
        limit: asked.limit + 1,
        grace_began: service.grace_began(),
    };
    let mut images = catalog::list_images(service.catalog(), &query, service.now()).await?;
    let shown = usize::try_from(asked.limit).unwrap_or(usize::MAX);
    let more = images.len() > shown;
    images.truncate(shown);
    let next = images
        .last()
        .filter(|_| more)
        .map(|last| cursor::write(&list, asked.sort.position(last)));
    let images: Vec<Value> = images
        .iter()
        .map(|image| image_json(service, image, Standing::Existing))
        .collect();
    Ok(json!({ "images": images, "next": next }))
}

/// `GET /v1/images/exists?md5=` or `?sha256=`: whether the caller has a live image of these bytes, so that it need not send them.
pub(crate) async fn exists(service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Read)?;
        let content = read_content(&asked.query)?;
        let found = catalog::find_by_content(
            service.catalog(),
            bearer.account_id,
            bearer.album_id,
            content,
            service.now(),
        )
        .await?;
        let images: Vec<Value> = found
            .iter()
            .map(|image| image_json(&service, image, Standing::Existing))
            .collect();
        Ok((
            StatusCode::OK,
            Some(json!({ "exists": !images.is_empty(), "images": images })),
        ))
    };
    answer("GET /v1/images/exists", language, outcome.await)
}

fn read_content(query: &str) -> Result<Content, Refusal> {
    let invalid = |field, error: domain::InvalidDigest| Refusal::InvalidField {
        field,
        reason: error.to_string(),
    };
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "md5" => {
                return value
                    .parse::<Md5>()
                    .map(Content::Md5)
                    .map_err(|error| invalid("md5", error));
            }
            "sha256" => {
                return value
                    .parse::<Sha256>()
                    .map(Content::Sha256)
                    .map_err(|error| invalid("sha256", error));
            }
            _ => {}
        }
    }
    Err(Refusal::InvalidField {
        field: "md5",
        reason: "say md5= or sha256=, in hexadecimal".to_owned(),
    })
}
