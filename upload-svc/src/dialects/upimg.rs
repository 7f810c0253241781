//! upimg: what the users of `MWeb` configured (`py-tuchuang`). `POST /api/v1/upimg`, header `token`, field `file`. Answers
//! `{"data":{"path":"/ab/cdef….png","url":"…"},"status":0}` or `{"data":"<message>","status":1}`, HTTP 200 both times.

use bytes::Buf;
use domain::{Refusal, Scope};
use futures_util::Stream;
use http::StatusCode;
use http_kit::{BodyFault, Language, Route, post};
use serde_json::{Value, json};
use warp::{
    Filter, Reply as _,
    filters::{BoxedFilter, body},
    path,
    reply::Response,
};

use crate::{
    Service,
    identity::{authenticate, require},
    intake,
    problem::{Failure, mebibytes},
    routes::{Asked, asked, with_cors},
};

/// What a file name without a dot is answered with.
const NO_DOT: &str = "error name";

pub(super) fn route(
    with: impl Filter<Extract = (Service,), Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
) -> BoxedFilter<(Response,)> {
    path!("api" / "v1" / "upimg")
        .and(post())
        .and(with)
        .and(asked())
        .and(body::stream())
        .then(upload)
        .boxed()
}

async fn upload<B: Buf>(
    service: Service,
    asked: Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Response {
    let reply = match take(&service, &asked, body).await {
        Ok(Ok(data)) => json!({ "data": data, "status": 0 }),
        Ok(Err(message)) => json!({ "data": message, "status": 1 }),
        Err(failure) => {
            service.measures().refused(failure.code());
            json!({ "data": message(&failure), "status": 1 })
        }
    };
    let mut response =
        with_cors(warp::reply::with_status(warp::reply::json(&reply), StatusCode::OK).into_response());
    response.extensions_mut().insert(Route("POST /api/v1/upimg"));
    response
}

async fn take<B: Buf>(
    service: &Service,
    asked: &Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Result<Result<Value, &'static str>, Failure> {
    let bearer = authenticate(service, asked).await?;
    require(&bearer, Scope::Upload)?;
    intake::admit(service, &bearer, &asked.headers).await?;
    let form = intake::receive(service, &asked.headers, "file", body).await?;
    if form
        .files
        .first()
        .is_some_and(|file| file.name.extension().is_none())
    {
        return Ok(Err(NO_DOT));
    }
    let taken = intake::publish_all(service, &bearer, asked, form, &[]).await?;
    let first = taken.into_iter().next().ok_or(Refusal::NoFile)?;
    let image = first.outcome?.image;
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
        other => {
            let document = other.problem(Language::Zh).document();
            document["title"].as_str().unwrap_or("服务器内部错误").to_owned()
        }
    }
}
