//! smms: SM.MS v2. `POST /api/v2/upload`, field `smfile`. `code` and `message` are both `success`, because versions of `PicGo` test one
//! or the other. Failures are HTTP 200 with `"success":false`.

use domain::Refusal;
use http_kit::{BodyFault, Language};
use serde_json::{Value, json};
use warp::{Filter, filters::BoxedFilter, path, reply::Response};

use super::{
    With,
    links::{self, Taken},
    received::{Manner, publish_first, receive},
    reply,
    words::{is_about_the_caller, stored_name, title},
};
use crate::{
    Service,
    problem::Failure,
    routes::{Asked, Body, image_url},
};

const ROUTE: &str = "POST /api/v2/upload";

pub(super) fn routes(with: &With) -> Vec<BoxedFilter<(Response,)>> {
    vec![row!(with, path!("api" / "v2" / "upload"), post + body, upload)]
}

async fn upload(service: Service, asked: Asked, body: Body) -> Response {
    let outcome = async {
        let received = receive(&service, &asked, Manner::of("smfile"), body).await?;
        publish_first(&service, &asked, received).await
    };
    let request_id = uuid(process::random());
    let body = match outcome.await {
        Ok(taken) => json!({
            "success": true,
            "code": "success",
            "message": "success",
            "data": data(&service, &taken),
            "RequestId": request_id,
        }),
        Err(failure) => {
            service.measures().refused(failure.code());
            let message = title(&failure, Language::of(&asked.headers));
            json!({ "success": false, "code": code(&failure), "message": message, "RequestId": request_id })
        }
    };
    reply::ok(ROUTE, &body)
}

fn data(service: &Service, taken: &Taken) -> Value {
    let image = &taken.image;
    json!({
        "file_id": 0,
        "width": image.width,
        "height": image.height,
        "filename": image.name,
        "storename": stored_name(image),
        "size": image.size_bytes,
        "path": links::path(image),
        "hash": taken.delete_token,
        "url": image_url(service, image),
        "delete": taken.delete_url,
        "page": links::viewer_url(service, image),
    })
}

/// SM.MS's own word where it has one, else ours.
fn code(failure: &Failure) -> &'static str {
    match failure {
        failure if is_about_the_caller(failure) => "unauthorized",
        Failure::Refused(Refusal::FileTooLarge { .. } | Refusal::RequestTooLarge { .. })
        | Failure::Body(BodyFault::TooLarge) => "file_too_large",
        Failure::Refused(
            Refusal::NoFile
            | Refusal::EmptyFile
            | Refusal::TypeNotAllowed
            | Refusal::Unreadable
            | Refusal::MalformedMultipart(_),
        ) => "invalid_source",
        other => other.code(),
    }
}

/// A random UUID (version 4).
pub(super) fn uuid(random: [u8; 16]) -> String {
    let mut bytes = random;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits = hex::encode(bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::uuid;

    #[test]
    fn a_request_id_is_a_random_uuid() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
    }
}
