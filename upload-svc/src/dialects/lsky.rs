//! lsky: Lsky Pro v1 (`/api/v1/…`), which `PicGo`, `PicList`, Obsidian, Halo, twikoo and `uPic` plugins speak, and the upload of v0.
//! Failures are HTTP 200 with `"status":false`, but for a missing credential.

use catalog::{Bearer, Credential, ImageRecord, NewToken, TokenBounds};
use domain::{Refusal, Scope, Scopes, Sha256, Token, TokenHash};
use http::StatusCode;
use http_kit::{Language, escape_html};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256 as Hasher};
use warp::{Filter, filters::BoxedFilter, path, reply::Response};

use super::{
    With,
    links::{self, Taken},
    lsky_lists,
    received::{Manner, Received, publish_first, receive},
    reply, sha1,
    words::{in_markdown, is_about_the_caller, kibibytes, parameter, stored_name, title},
};
use crate::{
    Service,
    identity::{authenticate_in_album, require},
    problem::Failure,
    routes::{Asked, Body, image_url, read_body},
};

const MANNER: Manner = Manner {
    field: "file",
    user: None,
    options: &[("album_id", "album")],
    may_be_text: false,
};

pub(super) fn routes(with: &With) -> Vec<BoxedFilter<(Response,)>> {
    vec![
        upload_route(with),
        row!(with, path!("api" / "upload"), post + body, upload_v0),
        row!(with, path!("api" / "v1" / "tokens"), post + body, make_token),
        row!(with, path!("api" / "v1" / "tokens"), delete, drop_token),
        row!(
            with,
            path!("api" / "v1" / "profile"),
            get_or_head,
            lsky_lists::profile
        ),
        row!(with, path!("api" / "v1" / "strategies"), get_or_head, strategies),
        row!(
            with,
            path!("api" / "v1" / "images"),
            get_or_head,
            lsky_lists::images
        ),
        row!(
            with,
            path!("api" / "v1" / "albums"),
            get_or_head,
            lsky_lists::albums
        ),
        row!(
            with,
            path!("api" / "v1" / "images" / String),
            delete,
            lsky_lists::withdraw
        ),
    ]
}

/// The upload alone, which the uploader files of `ShareX` point at.
pub(super) fn upload_route(with: &With) -> BoxedFilter<(Response,)> {
    row!(with, path!("api" / "v1" / "upload"), post + body, upload)
}

async fn upload(service: Service, asked: Asked, body: Body) -> Response {
    const ROUTE: &str = "POST /api/v1/upload";
    let wants_text = parameter(&asked.query, "format").is_some_and(|format| format == "txt");
    match take(&service, &asked, body).await {
        Ok((taken, _, says_text)) if wants_text || says_text => {
            reply::text(ROUTE, image_url(&service, &taken.image))
        }
        Ok((taken, sha1, _)) => {
            let data = image_json(&service, &taken.image, &sha1, &taken.delete_url);
            // The URL stands before `data` too: one client looks for it there.
            let body = json!({ "status": true, "success": true, "message": "上传成功", "url": data["url"], "data": data });
            reply::ok(ROUTE, &body)
        }
        Err(failure) => {
            service.measures().refused(failure.code());
            refuse(ROUTE, &failure)
        }
    }
}

/// The image, the SHA-1 of its bytes, and whether the form asks for the URL alone.
async fn take(service: &Service, asked: &Asked, body: Body) -> Result<(Taken, String, bool), Failure> {
    let mut received = receive(service, asked, MANNER, body).await?;
    say_visibility(&mut received);
    let says_text = received
        .fields
        .get("format")
        .is_some_and(|format| format == "txt");
    let taken = publish_first(service, asked, received).await?;
    let sha1 = sha1::of_image(service, &taken.image).await?;
    Ok((taken, sha1, says_text))
}

/// Lsky's `permission`: 0 keeps an image out of lists and leaves its link good, which is what we call unlisted.
fn say_visibility(received: &mut Received) {
    if received
        .fields
        .get("permission")
        .is_some_and(|permission| permission == "0")
    {
        received
            .form
            .fields
            .insert("visibility".to_owned(), "unlisted".to_owned());
    }
}

async fn upload_v0(service: Service, asked: Asked, body: Body) -> Response {
    const ROUTE: &str = "POST /api/upload";
    let outcome = async {
        let received = receive(&service, &asked, Manner::of("image"), body).await?;
        publish_first(&service, &asked, received).await
    };
    let body = match outcome.await {
        Ok(taken) => {
            let (image, url) = (&taken.image, image_url(&service, &taken.image));
            json!({ "code": 200, "message": "success", "data": { "name": image.name, "url": url } })
        }
        Err(failure) => {
            service.measures().refused(failure.code());
            let (code, message) = if is_about_the_caller(&failure) {
                (401, "Unauthenticated.".to_owned())
            } else {
                (500, title(&failure, Language::Zh))
            };
            json!({ "code": code, "message": message, "data": {} })
        }
    };
    reply::ok(ROUTE, &body)
}

/// An image as Lsky shows it.
pub(super) fn image_json(service: &Service, image: &ImageRecord, sha1: &str, delete_url: &str) -> Value {
    let url = image_url(service, image);
    let stored = stored_name(image);
    let (html, markdown) = (escape_html(&image.name), in_markdown(&image.name));
    json!({
        "url": url,
        "path": links::path(image),
        "key": image.public_id.as_str(),
        "name": stored,
        "pathname": format!("i/{stored}"),
        "origin_name": image.name,
        "size": kibibytes(image.size_bytes),
        "mimetype": image.media_type.mime(),
        "extension": image.media_type.extension(),
        "width": image.width,
        "height": image.height,
        "md5": image.md5.to_string(),
        "sha1": sha1,
        "links": {
            "url": url,
            "html": format!("<img src=\"{url}\" alt=\"{html}\" title=\"{html}\" />"),
            "bbcode": format!("[img]{url}[/img]"),
            "markdown": format!("![{markdown}]({url})"),
            "markdown_with_link": format!("[![{markdown}]({url})]({url})"),
            "thumbnail_url": links::thumbnail_url(service, image),
        },
        "expires_at": image.expiry.at(),
        "delete_url": delete_url,
    })
}

/// `"status":true` with what was asked for.
pub(super) fn succeed(route: &'static str, message: &str, data: &Value) -> Response {
    reply::ok(
        route,
        &json!({ "status": true, "success": true, "message": message, "data": data }),
    )
}

/// `"status":false` with the reason.
pub(super) fn refuse(route: &'static str, failure: &Failure) -> Response {
    let (status, message) = match failure {
        Failure::Refused(Refusal::Unauthenticated | Refusal::InvalidCredential) => {
            (StatusCode::UNAUTHORIZED, "Unauthenticated.".to_owned())
        }
        other => (StatusCode::OK, title(other, Language::Zh)),
    };
    let body = json!({ "status": false, "success": false, "message": message, "data": {} });
    reply::json(route, status, &body)
}

/// Lsky's only way to store; some clients ask for its number.
async fn strategies(_service: Service, _asked: Asked) -> Response {
    let data = json!({ "strategies": [{ "id": 1, "name": "local" }] });
    succeed("GET /api/v1/strategies", "success", &data)
}

/// What somebody signs in with.
#[derive(Deserialize)]
struct Login {
    email: Option<String>,
    username: Option<String>,
    #[serde(default)]
    password: String,
}

async fn make_token(service: Service, asked: Asked, body: Body) -> Response {
    const ROUTE: &str = "POST /api/v1/tokens";
    match grant(&service, &asked, body).await {
        Ok(token) => succeed(ROUTE, "success", &json!({ "token": token.expose() })),
        Err(failure) => refuse(ROUTE, &failure),
    }
}

async fn grant(service: &Service, asked: &Asked, body: Body) -> Result<Token, Failure> {
    let login: Login = read_body(&asked.headers, body).await?;
    let username = login.username.or(login.email).unwrap_or_default();
    let caller = service.recognise_user(asked, &username, &login.password).await?;
    let bearer = caller.within_album();
    let token = Token::from_random(process::random());
    let scopes: Scopes = [Scope::Upload, Scope::Read, Scope::Manage].into_iter().collect();
    let new = NewToken {
        account_id: bearer.account_id,
        hash: TokenHash(Sha256(Hasher::digest(token.expose()).into())),
        hint: token.hint(),
        name: "Lsky",
        scopes: &scopes,
        expires_at: None,
    };
    let bounds = bounds_of(&bearer);
    let kept = catalog::grant_token(
        service.catalog(),
        &new,
        &bounds,
        Some(asked.client.0),
        service.now(),
    );
    kept.await?.ok_or(Refusal::InvalidCredential)?;
    Ok(token)
}

/// SECURITY: a token that was shown for the password gets no wider one.
fn bounds_of(bearer: &Bearer) -> TokenBounds {
    match bearer.credential {
        Credential::Token {
            id, rate_per_minute, ..
        } => TokenBounds {
            album_id: bearer.album_id,
            rate_per_minute,
            made_by: Some(id),
        },
        Credential::Session { .. } | Credential::Password => TokenBounds::default(),
    }
}

/// Takes back the token that asks; the account's other tokens belong to other clients.
async fn drop_token(service: Service, asked: Asked) -> Response {
    const ROUTE: &str = "DELETE /api/v1/tokens";
    let outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        if let Credential::Token { id, .. } = bearer.credential {
            let (catalog, client) = (service.catalog(), Some(asked.client.0));
            catalog::revoke_token(catalog, bearer.account_id, id, client, service.now()).await?;
        }
        Ok::<_, Failure>(())
    };
    match outcome.await {
        Ok(()) => succeed(ROUTE, "success", &json!({})),
        Err(failure) => refuse(ROUTE, &failure),
    }
}
