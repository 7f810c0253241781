//! upimg: what the users of `MWeb` configured (`py-tuchuang`). `POST /api/v1/upimg`, header `token`, field `file`. Answers
//! `{"data":{"path":"/ab/cdef….png","url":"…"},"status":0}` or `{"data":"<message>","status":1}`, HTTP 200 both times.

use domain::Refusal;
use http_kit::{BodyFault, Language};
use serde_json::{Value, json};
use warp::{Filter, filters::BoxedFilter, path, reply::Response};

use super::{
    With,
    received::{Manner, publish_first, receive},
    reply,
    words::title,
};
use crate::{
    Service,
    problem::{Failure, mebibytes},
    routes::{Asked, Body},
};

/// What a file name without a dot is answered with.
const NO_DOT: &str = "error name";

const ROUTE: &str = "POST /api/v1/upimg";

pub(super) fn routes(with: &With) -> Vec<BoxedFilter<(Response,)>> {
    vec![row!(with, path!("api" / "v1" / "upimg"), post + body, upload)]
}

async fn upload(service: Service, asked: Asked, body: Body) -> Response {
    let body = match take(&service, &asked, body).await {
        Ok(Ok(data)) => json!({ "data": data, "status": 0 }),
        Ok(Err(message)) => json!({ "data": message, "status": 1 }),
        Err(failure) => {
            service.measures().refused(failure.code());
            json!({ "data": message(&failure), "status": 1 })
        }
    };
    reply::ok(ROUTE, &body)
}

async fn take(service: &Service, asked: &Asked, body: Body) -> Result<Result<Value, &'static str>, Failure> {
    let received = receive(service, asked, Manner::of("file"), body).await?;
    let first = received.form.files.first();
    if first.is_some_and(|file| file.name.extension().is_none()) {
        return Ok(Err(NO_DOT));
    }
    let image = publish_first(service, asked, received).await?.image;
    let path = format!("/{}", image.key);
    Ok(Ok(
        json!({ "path": path, "url": format!("{}/?path={path}", service.base_url()) }),
    ))
}

/// What the original said, to the letter; where it said nothing, words in its manner.
fn message(failure: &Failure) -> String {
    match failure {
        Failure::Refused(
            Refusal::Unauthenticated | Refusal::InvalidCredential | Refusal::ScopeMissing(_),
        ) => "您没有使用本服务的权限".to_owned(),
        Failure::Refused(Refusal::NoFile | Refusal::MalformedMultipart(_)) => "error args".to_owned(),
        Failure::Refused(Refusal::TypeNotAllowed | Refusal::Unreadable | Refusal::EmptyFile) => {
            "error type".to_owned()
        }
        Failure::Refused(Refusal::FileTooLarge { limit } | Refusal::RequestTooLarge { limit }) => {
            format!("文件太大，最大允许 {}", mebibytes(*limit))
        }
        Failure::Body(BodyFault::TooLarge) => "文件太大".to_owned(),
        other => title(other, Language::Zh),
    }
}
