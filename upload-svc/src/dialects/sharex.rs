//! sharex: `/v1/tokens/{id}/sharex.sxcu` is a ready uploader file for `ShareX`, which posts to Lsky's path.
//!
//! Only the hash of a token is kept, so a token can't be written into a file later. Who shows that very token gets it back in the file. For
//! anybody else GET leaves a placeholder where it goes, and POST makes one under it, with no more rights, which goes when it is revoked.

use catalog::{Bearer, Credential, NewToken, TokenBounds, TokenRecord};
use domain::{AccessRefusal, Refusal, Scope, Scopes, Sha256, Token, TokenHash};
use http::{
    HeaderValue, StatusCode,
    header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE},
};
use http_kit::Language;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256 as Hasher};
use warp::{Filter, Reply as _, filters::BoxedFilter, path, reply::Response};

use super::{With, reply};
use crate::{
    Service,
    idempotency::once,
    identity::{authenticate_in_album, require},
    problem::Failure,
    routes::{Asked, Body, read_body},
};

const ROUTE: &str = "GET /v1/tokens/{id}/sharex.sxcu";
const MAKING: &str = "POST /v1/tokens/{id}/sharex.sxcu";
/// Stands where the token goes that its owner has kept.
const PLACEHOLDER: &str = "YOUR_TOKEN";
/// More tokens than anybody has.
const MOST_TOKENS: i64 = 10_000;

pub(super) fn routes(with: &With) -> Vec<BoxedFilter<(Response,)>> {
    vec![
        row!(
            with,
            path!("v1" / "tokens" / String / "sharex.sxcu"),
            get,
            uploader_file
        ),
        row!(
            with,
            path!("v1" / "tokens" / String / "sharex.sxcu"),
            post + body,
            make_uploader_file
        ),
    ]
}

/// Makes nothing: a page of another site can have a browser send it.
async fn uploader_file(id: String, service: Service, asked: Asked) -> Response {
    let outcome = token_to_show(&service, &asked, &id).await;
    answer(ROUTE, &service, &asked, outcome)
}

/// Makes a token, once for each `Idempotency-Key`.
async fn make_uploader_file(id: String, service: Service, asked: Asked, body: Body) -> Response {
    once(service, asked, body, move |service, asked, body| async move {
        let outcome = token_to_make(&service, &asked, &id, body).await;
        answer(MAKING, &service, &asked, outcome)
    })
    .await
}

fn answer(
    route: &'static str,
    service: &Service,
    asked: &Asked,
    outcome: Result<String, Failure>,
) -> Response {
    match outcome {
        Ok(token) => {
            let text = format!("{:#}\n", uploader(service.base_url(), &token));
            let mut response = reply::json(route, StatusCode::OK, &json!({}));
            *response.body_mut() = text.into_response().into_body();
            let headers = response.headers_mut();
            headers.remove(http::header::CONTENT_LENGTH);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(
                CONTENT_DISPOSITION,
                HeaderValue::from_static("attachment; filename=\"berth.sxcu\""),
            );
            response
        }
        Err(failure) => {
            let problem = failure.problem(Language::of(&asked.headers));
            reply::finish(route, problem.into_response())
        }
    }
}

/// `ShareX` opens `DeletionURL` by GET: the page there asks before it deletes.
fn uploader(base_url: &str, token: &str) -> Value {
    json!({
        "Version": "15.0.0",
        "Name": "berth",
        "DestinationType": "ImageUploader",
        "RequestMethod": "POST",
        "RequestURL": format!("{base_url}/api/v1/upload"),
        "Headers": { "Authorization": format!("Bearer {token}") },
        "Body": "MultipartFormData",
        "FileFormName": "file",
        "URL": "{json:data.url}",
        "ThumbnailURL": "{json:data.links.thumbnail_url}",
        "DeletionURL": "{json:data.delete_url}",
        "ErrorMessage": "{json:message}",
    })
}

async fn token_to_show(service: &Service, asked: &Asked, id: &str) -> Result<String, Failure> {
    let bearer = authenticate_in_album(service, asked).await?;
    let id = read_id(id)?;
    if let Credential::Token { id: shown, .. } = bearer.credential
        && shown == id
        && let Some(token) = shown_token(asked)
    {
        require(&bearer, Scope::Upload)?;
        return Ok(token);
    }
    require(&bearer, Scope::Manage)?;
    find_token(service, &bearer, id).await?;
    Ok(PLACEHOLDER.to_owned())
}

async fn token_to_make(service: &Service, asked: &Asked, id: &str, body: Body) -> Result<String, Failure> {
    let bearer = authenticate_in_album(service, asked).await?;
    require(&bearer, Scope::Manage)?;
    // There is nothing to say.
    let _nothing: Value = read_body(&asked.headers, body).await?;
    let parent = find_token(service, &bearer, read_id(id)?).await?;
    make_under(service, asked, &bearer, &parent).await
}

fn read_id(id: &str) -> Result<i64, AccessRefusal> {
    id.parse().map_err(|_| AccessRefusal::NoSuchToken)
}

/// The text of the token that stands in `Authorization`.
fn shown_token(asked: &Asked) -> Option<String> {
    let text = asked.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let text = text.rsplit(' ').next()?;
    text.parse::<Token>().ok().map(|token| token.expose().to_owned())
}

async fn find_token(service: &Service, bearer: &Bearer, id: i64) -> Result<TokenRecord, Failure> {
    let tokens = catalog::list_tokens(service.catalog(), bearer.account_id, None, MOST_TOKENS).await?;
    let mut found = tokens.into_iter().filter(|token| token.id == id);
    // SECURITY: a token that is bound to an album learns of no other album's.
    let found = found.find(|token| bearer.album_id.is_none() || bearer.album_id == token.album_id);
    Ok(found.ok_or(AccessRefusal::NoSuchToken)?)
}

async fn make_under(
    service: &Service,
    asked: &Asked,
    bearer: &Bearer,
    parent: &TokenRecord,
) -> Result<String, Failure> {
    let is_good = parent.scopes.iter().any(|scope| scope == Scope::Upload.as_str());
    if !is_good {
        return Err(Refusal::ScopeMissing(Scope::Upload).into());
    }
    require(bearer, Scope::Upload)?;
    let token = Token::from_random(process::random());
    let scopes: Scopes = [Scope::Upload].into_iter().collect();
    let new = NewToken {
        account_id: bearer.account_id,
        hash: TokenHash(Sha256(Hasher::digest(token.expose()).into())),
        hint: token.hint(),
        name: "ShareX",
        scopes: &scopes,
        expires_at: parent.expires_at,
    };
    let bounds = TokenBounds {
        album_id: parent.album_id,
        rate_per_minute: parent.rate_per_minute,
        made_by: Some(parent.id),
    };
    let client = Some(asked.client.0);
    let kept = catalog::grant_token(service.catalog(), &new, &bounds, client, service.now()).await?;
    kept.ok_or(AccessRefusal::NoSuchToken)?;
    Ok(token.expose().to_owned())
}
