//! picgo-server: what `PicGo` itself answers to editors on its local port. Obsidian's Image Auto Upload and VS Code's plugins post straight
//! to it. `POST /upload?key=T`, `POST /heartbeat`, `POST /delete`.

use domain::Refusal;
use http::{StatusCode, header::CONTENT_TYPE};
use http_kit::Language;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::{Filter, filters::BoxedFilter, path, reply::Response};

use super::{
    With,
    links::Taken,
    received::{Manner, Received, receive},
    reply,
    words::{is_about_the_caller, title},
};
use crate::{
    Service, delete_link,
    identity::authenticate_any,
    intake::{self, ANY_FIELD},
    problem::Failure,
    routes::{Asked, Body, image_url, read_body},
};

pub(super) fn routes(with: &With) -> Vec<BoxedFilter<(Response,)>> {
    vec![
        row!(with, path!("heartbeat"), post, heartbeat),
        row!(with, path!("delete"), post + body, delete),
    ]
}

pub(super) async fn upload(service: Service, asked: Asked, body: Body) -> Response {
    const ROUTE: &str = "POST /upload?key";
    match take(&service, &asked, body).await {
        Ok(taken) => {
            let urls: Vec<&Value> = taken.iter().map(|one| &one["imgUrl"]).collect();
            let body = json!({ "success": true, "message": "ok", "result": urls, "fullResult": taken });
            reply::ok(ROUTE, &body)
        }
        Err(failure) if is_about_the_caller(&failure) => {
            let body = json!({ "success": false, "message": "Unauthorized" });
            reply::json(ROUTE, StatusCode::UNAUTHORIZED, &body)
        }
        Err(failure) => {
            service.measures().refused(failure.code());
            let message = title(&failure, Language::of(&asked.headers));
            let body = json!({ "success": false, "message": message, "msg": message, "result": [] });
            reply::ok(ROUTE, &body)
        }
    }
}

/// All files of a request, or the first refusal: this protocol has no words for a part of them.
async fn take(service: &Service, asked: &Asked, body: Body) -> Result<Vec<Value>, Failure> {
    let content_type = asked.headers.get(CONTENT_TYPE);
    let is_json = content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| text.starts_with("application/json"));
    if is_json {
        authenticate_any(service, asked).await?;
        // SECURITY: the list holds paths of the client's machine, or URLs. A server opens neither.
        let reason = "send the files themselves as multipart/form-data: a server can't open paths";
        return Err(Refusal::MalformedBody(reason.to_owned()).into());
    }
    let Received { bearer, form, .. } = receive(service, asked, Manner::of(ANY_FIELD), body).await?;
    let mut taken = Vec::new();
    for arrived in intake::publish_all(service, &bearer, asked, form, &[]).await? {
        let Taken {
            image, delete_token, ..
        } = Taken::of(service, &bearer, arrived.outcome?);
        taken.push(json!({
            "imgUrl": image_url(service, &image),
            "fileName": image.name,
            "type": "berth",
            "hash": delete_token,
        }));
    }
    Ok(taken)
}

async fn heartbeat(_service: Service, _asked: Asked) -> Response {
    reply::ok("POST /heartbeat", &json!({ "success": true, "result": "alive" }))
}

/// What is to be deleted: what an upload has given as `fullResult`.
#[derive(Deserialize)]
struct Unwanted {
    #[serde(default)]
    list: Vec<UnwantedImage>,
}

#[derive(Deserialize)]
struct UnwantedImage {
    #[serde(default)]
    hash: String,
}

/// Each hash is a delete token, so that nothing else need be shown.
async fn delete(service: Service, asked: Asked, body: Body) -> Response {
    const ROUTE: &str = "POST /delete";
    let outcome = async {
        let unwanted: Unwanted = read_body(&asked.headers, body).await?;
        for image in unwanted.list {
            delete_link::withdraw(&service, &image.hash, asked.client.0).await?;
        }
        Ok::<_, Failure>(())
    };
    let body = match outcome.await {
        Ok(()) => json!({ "success": true }),
        Err(failure) => {
            json!({ "success": false, "message": title(&failure, Language::of(&asked.headers)) })
        }
    };
    reply::ok(ROUTE, &body)
}
