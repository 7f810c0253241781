use bytes::Buf;
use catalog::{Bearer, Credential, NewToken, TokenBounds, TokenRecord};
use domain::{
    AccessRefusal, Expiry, Grant, Refusal, Scope, Scopes, Sha256, Token, TokenHash, parse_duration,
};
use futures_util::Stream;
use http::StatusCode;
use http_kit::Language;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256 as Hasher};
use warp::reply::Response;

use super::{Asked, Page, answer, read_body, reply::Outcome};
use crate::{
    Service,
    identity::{authenticate, authenticate_in_album, require},
    problem::Failure,
};

/// A name that a person can still read in a list.
const LONGEST_NAME: usize = 255;

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    name: String,
    scopes: Vec<String>,
    album: Option<i64>,
    expires_in: Option<Value>,
    rate_per_minute: Option<u32>,
}

/// `POST /v1/tokens`: makes a token that may do no more than its maker. It is shown in this answer and never again.
pub(super) async fn create<B: Buf>(
    service: Service,
    asked: Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Response {
    let language = Language::of(&asked.headers);
    answer("POST /v1/tokens", language, make(&service, &asked, body).await)
}

async fn make<B: Buf>(
    service: &Service,
    asked: &Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Outcome {
    // What an album's token makes is bound to the same album.
    let bearer = authenticate_in_album(service, asked).await?;
    require(&bearer, Scope::Manage)?;
    let wanted: Wanted = read_body(&asked.headers, body).await?;
    let now = service.now();
    let grant = read_grant(&wanted, now)?.made_by(&grant_of(&bearer))?;
    let name = read_name(&wanted.name)?;
    let token = Token::from_random(process::random());
    let new = NewToken {
        account_id: bearer.account_id,
        hash: TokenHash(Sha256(Hasher::digest(token.expose()).into())),
        hint: token.hint(),
        name,
        scopes: &grant.scopes,
        expires_at: grant.expires_at,
    };
    let bounds = TokenBounds {
        album_id: grant.album_id,
        rate_per_minute: grant
            .rate_per_minute
            .map(i32::try_from)
            .transpose()
            .ok()
            .flatten(),
        made_by: match bearer.credential {
            Credential::Token { id, .. } => Some(id),
            Credential::Session { .. } | Credential::Password => None,
        },
    };
    let kept = catalog::grant_token(service.catalog(), &new, &bounds, Some(asked.client.0), now).await?;
    let id = kept.ok_or_else(|| invalid("album", "there is no such album of yours"))?;
    let record = TokenRecord {
        id,
        hint: token.hint().to_owned(),
        name: name.to_owned(),
        scopes: grant.scopes.words().into_iter().map(str::to_owned).collect(),
        album_id: bounds.album_id,
        rate_per_minute: bounds.rate_per_minute,
        made_by: bounds.made_by,
        created_at: now,
        expires_at: grant.expires_at,
        last_used_at: None,
    };
    let mut shown = token_json(&record);
    shown["token"] = json!(token.expose());
    Ok((StatusCode::CREATED, Some(shown)))
}

/// What the caller may hand on. A session's own end is no bound: tokens are made to outlive it.
fn grant_of(bearer: &Bearer) -> Grant {
    let (expires_at, rate_per_minute) = match bearer.credential {
        Credential::Token {
            expires_at,
            rate_per_minute,
            ..
        } => (expires_at, rate_per_minute.map(i32::unsigned_abs)),
        Credential::Session { .. } | Credential::Password => (None, None),
    };
    Grant {
        scopes: bearer.scopes.clone(),
        album_id: bearer.album_id,
        expires_at,
        rate_per_minute,
    }
}

fn read_grant(wanted: &Wanted, now: Timestamp) -> Result<Grant, Refusal> {
    let scopes: Result<Scopes, _> = wanted.scopes.iter().map(|word| word.parse::<Scope>()).collect();
    let scopes = scopes.map_err(|error| invalid("scopes", error.to_string()))?;
    if scopes.is_empty() {
        return Err(invalid(
            "scopes",
            "name one at least: upload, read, manage, admin",
        ));
    }
    let rate_per_minute = wanted.rate_per_minute;
    if rate_per_minute.is_some_and(|rate| rate == 0 || i32::try_from(rate).is_err()) {
        return Err(invalid(
            "rate_per_minute",
            "expected a number from 1 on, or null for any",
        ));
    }
    Ok(Grant {
        scopes,
        album_id: wanted.album,
        expires_at: read_expiry(wanted.expires_in.as_ref(), now)?.at(),
        rate_per_minute,
    })
}

/// A duration as text, or a number of seconds; absent, null and zero are for ever.
fn read_expiry(expires_in: Option<&Value>, now: Timestamp) -> Result<Expiry, Refusal> {
    let text = match expires_in {
        None | Some(Value::Null) => return Ok(Expiry::Never),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let duration = parse_duration(&text).map_err(|error| invalid("expires_in", error.to_string()))?;
    Ok(Expiry::after(duration, now))
}

fn read_name(name: &str) -> Result<&str, Refusal> {
    let name = name.trim();
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(invalid(
            "name",
            format!("expected {LONGEST_NAME} characters at most, none of them control characters"),
        ));
    }
    Ok(name)
}

fn invalid(field: &'static str, reason: impl Into<String>) -> Refusal {
    Refusal::InvalidField {
        field,
        reason: reason.into(),
    }
}

/// `GET /v1/tokens`: the caller's tokens, newest first.
pub(super) async fn list(service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        let bearer = authenticate(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        let page = Page::of(&asked.query)?;
        let catalog = service.catalog();
        let mut tokens = catalog::list_tokens(catalog, bearer.account_id, page.after, page.ask()).await?;
        let next = page.cut(&mut tokens, |token| token.id);
        let tokens: Vec<Value> = tokens.iter().map(token_json).collect();
        Ok((StatusCode::OK, Some(json!({ "tokens": tokens, "next": next }))))
    };
    answer("GET /v1/tokens", language, outcome.await)
}

/// `DELETE /v1/tokens/{id}`: revokes one of the caller's tokens, and those that it made.
pub(super) async fn revoke(id: String, service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        let bearer = authenticate(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        let id = id.parse().map_err(|_| AccessRefusal::NoSuchToken)?;
        let (catalog, client) = (service.catalog(), Some(asked.client.0));
        let revoked = catalog::revoke_token(catalog, bearer.account_id, id, client, service.now()).await?;
        revoked.ok_or(AccessRefusal::NoSuchToken)?;
        Ok::<_, Failure>((StatusCode::NO_CONTENT, None))
    };
    answer("DELETE /v1/tokens/{id}", language, outcome.await)
}

fn token_json(token: &TokenRecord) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "hint": token.hint,
        "scopes": token.scopes,
        "album": token.album_id,
        "rate_per_minute": token.rate_per_minute,
        "made_by": token.made_by,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
    })
}
