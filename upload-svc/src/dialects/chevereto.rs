//! chevereto: the v1 API that `ShareX`, Flameshot and shell scripts speak. `POST /api/1/upload`, field `source`, a file or base64 text.
//! Failures are HTTP 400.

use http::StatusCode;
use http_kit::Language;
use serde_json::{Value, json};
use warp::{Filter, filters::BoxedFilter, path, reply::Response};

use super::{
    With,
    links::{self, Taken},
    received::{Manner, publish_first, receive},
    reply,
    words::{date, parameter, size_formatted, stem, stored_name, title},
};
use crate::{
    Service,
    problem::Failure,
    routes::{Asked, Body, image_url},
};

const ROUTE: &str = "POST /api/1/upload";
const MANNER: Manner = Manner {
    field: "source",
    user: None,
    options: &[
        ("title", "name"),
        ("description", "description"),
        ("album_id", "album"),
    ],
    may_be_text: true,
};

/// How a client wants its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Text,
    Redirect,
}

pub(super) fn routes(with: &With) -> Vec<BoxedFilter<(Response,)>> {
    vec![row!(with, path!("api" / "1" / "upload"), post + body, upload)]
}

async fn upload(service: Service, asked: Asked, body: Body) -> Response {
    match take(&service, &asked, body).await {
        Ok((taken, Format::Json)) => {
            let body = json!({
                "status_code": 200,
                "success": { "message": "file uploaded", "code": 200 },
                "image": image_json(&service, &taken),
                "status_txt": "OK",
            });
            reply::ok(ROUTE, &body)
        }
        Ok((taken, Format::Text)) => reply::text(ROUTE, image_url(&service, &taken.image)),
        Ok((taken, Format::Redirect)) => reply::found(ROUTE, &links::viewer_url(&service, &taken.image)),
        Err(failure) => {
            service.measures().refused(failure.code());
            let message = title(&failure, Language::of(&asked.headers));
            let body = json!({
                "status_code": 400,
                "error": { "message": message, "code": 100 },
                "status_txt": "Bad Request",
            });
            reply::json(ROUTE, StatusCode::BAD_REQUEST, &body)
        }
    }
}

async fn take(service: &Service, asked: &Asked, body: Body) -> Result<(Taken, Format), Failure> {
    let mut received = receive(service, asked, MANNER, body).await?;
    let said = parameter(&asked.query, "format").or_else(|| received.fields.remove("format"));
    let format = match said.as_deref() {
        Some("txt") => Format::Text,
        Some("redirect") => Format::Redirect,
        _ => Format::Json,
    };
    Ok((publish_first(service, asked, received).await?, format))
}

fn image_json(service: &Service, taken: &Taken) -> Value {
    let image = &taken.image;
    let url = image_url(service, image);
    let (stored, extension) = (stored_name(image), image.media_type.extension());
    json!({
        "url": url,
        "name": stem(&image.name),
        "extension": extension,
        "size": image.size_bytes,
        "width": image.width,
        "height": image.height,
        "date": date(image.created_at),
        "mime": image.media_type.mime(),
        "filename": stored,
        "md5": image.md5.to_string(),
        "id_encoded": image.public_id.as_str(),
        "size_formatted": size_formatted(image.size_bytes),
        "original_filename": image.name,
        "url_viewer": links::viewer_url(service, image),
        "display_url": url,
        "thumb": {
            "filename": stored,
            "mime": image.media_type.mime(),
            "extension": extension,
            "url": links::thumbnail_url(service, image),
        },
        "delete_url": taken.delete_url,
    })
}
