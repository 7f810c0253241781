//! django: littlewulu's image server. `POST /upload/image` and `/blog/upload/image`, field `img`, a token or the form's fields `operator` and
//! `password`. It takes PNG and JPEG, strictly less than its limit; its pictures are seen at `/images/{md5}.{ext}`.

use domain::{MediaType, Refusal, UploadLimits};
use http::StatusCode;
use http_kit::{BodyFault, Language};
use serde_json::json;
use warp::{Filter, filters::BoxedFilter, path, reply::Response};

use super::{
    With,
    received::{Manner, publish_first, receive},
    reply,
    words::{is_about_the_caller, title},
};
use crate::{
    Service,
    problem::Failure,
    routes::{Asked, Body},
};

const ROUTE: &str = "POST /upload/image";
const MANNER: Manner = Manner {
    field: "img",
    user: Some(["operator", "password"]),
    options: &[],
    may_be_text: false,
};
/// A file must be smaller than this.
const LIMIT_BYTES: u64 = 10 << 20;

pub(super) fn routes(with: &With) -> Vec<BoxedFilter<(Response,)>> {
    vec![
        row!(with, path!("upload" / "image"), post + body, upload),
        row!(with, path!("blog" / "upload" / "image"), post + body, upload),
    ]
}

async fn upload(service: Service, asked: Asked, body: Body) -> Response {
    let narrower = service.limited(limits(service.limits()));
    let outcome = async {
        let received = receive(&narrower, &asked, MANNER, body).await?;
        publish_first(&narrower, &asked, received).await
    };
    match outcome.await {
        Ok(taken) => {
            // The name of the bytes without its folder: of two files with one MD5 each has its own.
            let name = taken.image.key.replace('/', "");
            reply::ok(
                ROUTE,
                &json!({ "url": format!("{}/images/{name}", service.base_url()) }),
            )
        }
        Err(failure) => {
            service.measures().refused(failure.code());
            let (status, message) = told(&failure);
            reply::json(ROUTE, status, &json!({ "err_code": 1, "message": message }))
        }
    }
}

fn limits(usual: &UploadLimits) -> UploadLimits {
    let taken = [MediaType::Png, MediaType::Jpeg];
    UploadLimits {
        image_bytes: usual.image_bytes.min(LIMIT_BYTES - 1),
        allowed: usual
            .allowed
            .iter()
            .copied()
            .filter(|kind| taken.contains(kind))
            .collect(),
        ..usual.clone()
    }
}

fn told(failure: &Failure) -> (StatusCode, String) {
    let forbidden = |words: &str| (StatusCode::FORBIDDEN, words.to_owned());
    match failure {
        failure if is_about_the_caller(failure) => forbidden("无权限"),
        Failure::Refused(Refusal::NoFile | Refusal::MalformedMultipart(_)) => {
            (StatusCode::BAD_REQUEST, "need file.".to_owned())
        }
        Failure::Refused(Refusal::FileTooLarge { .. } | Refusal::RequestTooLarge { .. })
        | Failure::Body(BodyFault::TooLarge) => forbidden("文件太大"),
        Failure::Refused(Refusal::TypeNotAllowed | Refusal::Unreadable | Refusal::EmptyFile) => {
            forbidden("文件类型错误")
        }
        other => {
            let problem = other.problem(Language::Zh);
            (problem.status(), title(other, Language::Zh))
        }
    }
}
