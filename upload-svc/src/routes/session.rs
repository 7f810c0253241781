use std::{fmt::Write as _, time::Duration};

use catalog::{AccountRecord, Bearer, Credential, NewSession, SessionKey, SignIn};
use domain::{AccessRefusal, Expiry, Refusal, Scrub, UploadRules};
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, StatusCode, header::SET_COOKIE};
use http_kit::Language;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Value, json};
use warp::reply::Response;

use super::{
    Asked, Body, answer,
    small_body::{parse_body, read_bytes},
};
use crate::{
    Service,
    idempotency::{key_of, once_of},
    identity::{COOKIE, authenticate_in_album, is_foreign_page},
    problem::Failure,
};

/// What somebody signs in with.
#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
    #[serde(default, deserialize_with = "switch")]
    remember: bool,
}

/// A session that was opened.
pub(crate) struct Opened {
    pub(crate) token: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) account: AccountRecord,
    /// How long the browser keeps its cookie; until it is closed where nothing is said.
    remember: Option<Duration>,
}

const SIGN_IN: &str = "POST /v1/session";

/// `POST /v1/session`: signs in. Answers `token`, `expires_at` and `account`, and sets the cookie, unless a page of another site asks.
pub(super) async fn sign_in(service: Service, asked: Asked, body: Body) -> Response {
    let language = Language::of(&asked.headers);
    // SECURITY: or a page could sign its reader in as somebody else, who then sees what is uploaded.
    let is_foreign = is_foreign_page(&asked.headers, service.base_url());
    let mut response = match let_in(service, asked, body).await {
        Ok(response) => response,
        Err(failure) => answer(SIGN_IN, language, Err(failure)),
    };
    if is_foreign {
        response.headers_mut().remove(SET_COOKIE);
    }
    response
}

/// Signs in, once for each `Idempotency-Key` of the account whose password was shown: before that, nobody is there to whom a key could belong,
/// and every try is counted.
async fn let_in(service: Service, asked: Asked, body: Body) -> Result<Response, Failure> {
    let key = key_of(&asked.headers)?;
    let bytes = read_bytes(body).await?;
    let login: Login = parse_body(&asked.headers, &bytes)?;
    let checked = service
        .check_password(&asked, &login.username, login.password)
        .await?;
    let (account_id, remember) = (checked.account.id, login.remember);
    let run = move |service: Service, asked: Asked, body: Body| async move {
        welcome(&service, &asked, &checked, remember, body).await
    };
    let body: Body = Box::pin(stream::iter([Ok(bytes)]));
    match key {
        Some(key) => once_of(service, asked, body, (key, account_id, None), run).await,
        None => Ok(run(service, asked, body).await),
    }
}

/// Opens the session, and answers with it.
async fn welcome(
    service: &Service,
    asked: &Asked,
    checked: &SignIn,
    remember: bool,
    mut body: Body,
) -> Response {
    let language = Language::of(&asked.headers);
    let lifetime = service.identity().session_lifetime(remember);
    let opened = match open_for(service, asked, checked, lifetime, remember).await {
        Ok(Some(opened)) => opened,
        Ok(None) => {
            let failure = service.sign_in_failed(asked, Some(checked.clone())).await;
            return answer(SIGN_IN, language, Err(failure.unwrap_or_else(Failure::from)));
        }
        Err(failure) => return answer(SIGN_IN, language, Err(failure)),
    };
    // Read to its end, so that the answer is kept; whom it was refused to may try again.
    while body.next().await.is_some() {}
    let account = json!({ "id": opened.account.id, "username": opened.account.username, "role": opened.account.role.as_str() });
    let shown = json!({ "token": opened.token, "expires_at": opened.expires_at, "account": account });
    let mut response = answer(SIGN_IN, language, Ok((StatusCode::OK, Some(shown))));
    if let Some(cookie) = cookie(service, &opened) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// Opens a session for who has just shown their password; none when the account was shut out or the password changed meanwhile.
pub(crate) async fn open_for(
    service: &Service,
    asked: &Asked,
    checked: &SignIn,
    lifetime: Duration,
    remember: bool,
) -> Result<Option<Opened>, Failure> {
    let (identity, account, now) = (service.identity(), &checked.account, service.now());
    let expires_at = Expiry::after(lifetime, now).at().unwrap_or(now);
    let new = NewSession {
        account_id: account.id,
        key: SessionKey(process::random()),
        expires_at,
        client_address: Some(asked.client.0),
    };
    if !catalog::open_session(service.catalog(), &new, &checked.password, now).await? {
        return Ok(None);
    }
    Ok(Some(Opened {
        token: identity.sessions().sign(account.id, new.key, now, expires_at)?,
        expires_at,
        account: account.clone(),
        remember: remember.then_some(lifetime),
    }))
}

/// `GET /v1/session`: who the caller is, and with what. With `?optional=true` nobody is an answer (204) and no failure: a page that
/// has just been opened asks, and most who open it for the first time are nobody.
pub(super) async fn describe(service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        let account = catalog::find_account(service.catalog(), bearer.account_id).await?;
        let account = account.ok_or(Refusal::InvalidCredential)?;
        let uploads = uploads_of(&service, &account).await?;
        Ok((
            StatusCode::OK,
            Some(session_json(&service, &bearer, &account, &uploads)),
        ))
    };
    let outcome = match outcome.await {
        Err(Failure::Refused(Refusal::Unauthenticated | Refusal::InvalidCredential))
            if is_optional(&asked.query) =>
        {
            Ok((StatusCode::NO_CONTENT, None))
        }
        outcome => outcome,
    };
    answer("GET /v1/session", language, outcome)
}

fn is_optional(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "optional" && value == "true")
}

fn session_json(service: &Service, bearer: &Bearer, account: &AccountRecord, uploads: &Uploads) -> Value {
    let (kind, expires_at) = match bearer.credential {
        Credential::Session { expires_at, .. } => ("session", Some(expires_at)),
        Credential::Token { expires_at, .. } => ("token", expires_at),
        Credential::Password => ("password", None),
    };
    json!({
        "kind": kind,
        "expires_at": expires_at,
        "scopes": bearer.scopes.words(),
        "album": bearer.album_id,
        "account": { "id": account.id, "username": account.username, "role": account.role.as_str() },
        "limits": limits_json(service, uploads),
        "uploads": {
            "lifetime_seconds": uploads.rules.lifetime.as_secs(),
            "longest_seconds": uploads.rules.longest.as_secs(),
            "sliding_seconds": uploads.rules.sliding.as_secs(),
            "visibility": uploads.rules.visibility,
            "scrub": uploads.scrub,
        },
    })
}

/// What becomes of an upload that does not say.
struct Uploads {
    /// By the site's policy; an album's may say otherwise.
    rules: UploadRules,
    scrub: Scrub,
}

async fn uploads_of(service: &Service, account: &AccountRecord) -> Result<Uploads, Failure> {
    let site = catalog::find_site_policy(service.catalog()).await?;
    // One that an older release took and this one can't read says nothing about uploads.
    let policy = serde_json::from_value(site.policy).unwrap_or_default();
    Ok(Uploads {
        rules: UploadRules::of(service.lifetime(), &[policy]),
        scrub: service.scrub_of(account.id).await?,
    })
}

/// What may be sent, so that a page can say it before anybody has sent anything.
fn limits_json(service: &Service, uploads: &Uploads) -> Value {
    let limits = service.limits();
    let types: Vec<&str> = limits.allowed.iter().map(|allowed| allowed.mime()).collect();
    json!({
        "files": limits.files,
        "request_bytes": limits.request_bytes,
        "image_bytes": limits.image_bytes,
        "video_bytes": limits.video_bytes,
        "types": types,
        "expire_days": uploads.rules.lifetime.as_secs() / (24 * 60 * 60),
        "undo_seconds": service.grace().as_secs(),
    })
}

/// `DELETE /v1/session`: signs out. The JWT is worth nothing from the answer on, and the cookie is taken back.
pub(super) async fn sign_out(service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = close(&service, &asked)
        .await
        .map(|()| (StatusCode::NO_CONTENT, None));
    // A cookie that is no good any more goes, too; one that another site's page sent along stays.
    let is_over = matches!(outcome, Ok(_) | Err(Failure::Refused(Refusal::InvalidCredential)));
    let mut response = answer("DELETE /v1/session", language, outcome);
    if is_over && let Ok(gone) = format!("{COOKIE}=; {}; Max-Age=0", attributes(&service)).parse() {
        response.headers_mut().insert(SET_COOKIE, gone);
    }
    response
}

/// Closes the session that a request shows.
pub(crate) async fn close(service: &Service, asked: &Asked) -> Result<(), Failure> {
    let bearer = authenticate_in_album(service, asked).await?;
    let Credential::Session { id, .. } = bearer.credential else {
        return Err(AccessRefusal::NotASession.into());
    };
    let session = (bearer.account_id, id);
    catalog::close_session(service.catalog(), session, Some(asked.client.0), service.now()).await?;
    Ok(())
}

pub(crate) fn cookie(service: &Service, opened: &Opened) -> Option<HeaderValue> {
    let mut text = format!("{COOKIE}={}; {}", opened.token, attributes(service));
    // Without an age it goes when the browser is closed.
    if let Some(age) = opened.remember {
        let _infallible = write!(text, "; Max-Age={}", age.as_secs());
    }
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// SECURITY: no script reads it, no other site's form sends it, and no plain connection carries it where links are https.
pub(crate) fn attributes(service: &Service) -> &'static str {
    if service.base_url().starts_with("https:") {
        "Path=/; HttpOnly; SameSite=Lax; Secure"
    } else {
        "Path=/; HttpOnly; SameSite=Lax"
    }
}

/// A truth value, as JSON or as a form writes it.
fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(value) => Ok(value),
        Value::Null => Ok(false),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" => Ok(true),
            "" | "off" | "false" | "no" | "0" => Ok(false),
            _ => Err(D::Error::custom("remember is true or false")),
        },
        _ => Err(D::Error::custom("remember is true or false")),
    }
}
