use bytes::Buf;
use catalog::{AccountError, AccountPatch, AccountRecord, Actor, Bearer, NewAccount, Quotas, Role};
use domain::{AccessRefusal, ImageRefusal, Refusal, Scope, Scrub, Username, readable_password};
use futures_util::Stream;
use http::{HeaderValue, StatusCode, header::ETAG};
use http_kit::Language;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use warp::reply::Response;

use super::{Asked, IfMatch, Page, account::account_json, answer, read_body, tag_of};
use crate::{
    Service,
    identity::{authenticate, require},
    problem::Failure,
};

/// `GET /v1/users`: every account, in the order in which they were made.
pub(super) async fn list(service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        admin(&service, &asked).await?;
        let page = Page::of(&asked.query)?;
        let mut users = catalog::list_accounts(service.catalog(), page.after, page.ask()).await?;
        let next = page.cut(&mut users, |user| user.id);
        let users: Vec<Value> = users.iter().map(account_json).collect();
        Ok((StatusCode::OK, Some(json!({ "users": users, "next": next }))))
    };
    answer("GET /v1/users", language, outcome.await)
}

#[derive(Deserialize)]
struct NewUser {
    username: String,
    password: Option<String>,
    role: Option<String>,
    quota_bytes: Option<i64>,
    quota_files: Option<i64>,
}

/// `POST /v1/users`: makes an account. Without a password one is drawn, and shown in this answer alone.
pub(super) async fn create<B: Buf>(
    service: Service,
    asked: Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Response {
    let language = Language::of(&asked.headers);
    let made = make(&service, &asked, body).await;
    let tag = made.as_ref().ok().map(|(user, _)| etag(user));
    let told = made.map(|(user, drawn)| {
        let mut shown = account_json(&user);
        if let Some(drawn) = drawn {
            shown["password"] = json!(drawn);
        }
        (StatusCode::CREATED, Some(shown))
    });
    tagged(answer("POST /v1/users", language, told), tag)
}

/// Makes it, and gives the password that was drawn.
async fn make<B: Buf>(
    service: &Service,
    asked: &Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Result<(AccountRecord, Option<String>), Failure> {
    let bearer = admin(service, asked).await?;
    let sent: NewUser = read_body(&asked.headers, body).await?;
    let username: Username = sent
        .username
        .parse()
        .map_err(|error| invalid("username", &error))?;
    let role = sent.role.as_deref().map(read_role).transpose()?;
    let quotas = Quotas {
        bytes: read_quota("quota_bytes", sent.quota_bytes)?,
        files: read_quota("quota_files", sent.quota_files)?,
    };
    let drawn = sent
        .password
        .is_none()
        .then(|| readable_password(process::random()));
    let password = sent.password.or_else(|| drawn.clone()).unwrap_or_default();
    let hash = service.new_password("password", password).await?;
    let new = NewAccount {
        username: &username,
        role: role.unwrap_or(Role::Member),
        password_hash: hash.as_phc(),
    };
    let made = catalog::make_account(
        service.catalog(),
        &new,
        quotas,
        actor(&bearer, asked),
        service.now(),
    )
    .await?;
    Ok((made.ok_or(AccessRefusal::UsernameTaken)?, drawn))
}

/// `GET /v1/users/{id}`: one account.
pub(super) async fn describe(id: String, service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        admin(&service, &asked).await?;
        find(&service, &id).await
    };
    tell("GET /v1/users/{id}", language, outcome.await)
}

#[derive(Deserialize)]
struct UserPatch {
    role: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[allow(clippy::option_option, reason = "absent stays, null lifts, a number sets")]
    quota_bytes: Option<Option<i64>>,
    #[serde(default, deserialize_with = "present")]
    #[allow(clippy::option_option, reason = "absent stays, null lifts, a number sets")]
    quota_files: Option<Option<i64>>,
    disabled: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    #[allow(
        clippy::option_option,
        reason = "absent stays, null leaves it to the settings, a word sets"
    )]
    scrub: Option<Option<Scrub>>,
    password: Option<String>,
}

/// Tells a field that is null from one that is absent.
#[allow(clippy::option_option, reason = "that is the point")]
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// `PATCH /v1/users/{id}`: role, quotas, disabled, scrub, password. Who is disabled or gets a new password is signed out at once. With `If-Match`
/// only if it is still the same.
pub(super) async fn change<B: Buf>(
    id: String,
    service: Service,
    asked: Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Response {
    let language = Language::of(&asked.headers);
    tell(
        "PATCH /v1/users/{id}",
        language,
        patch(&id, &service, &asked, body).await,
    )
}

async fn patch<B: Buf>(
    id: &str,
    service: &Service,
    asked: &Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Result<AccountRecord, Failure> {
    let bearer = admin(service, asked).await?;
    let id = read_id(id)?;
    let sent: UserPatch = read_body(&asked.headers, body).await?;
    let quota = |field, quota: Option<Option<i64>>| quota.map(|quota| read_quota(field, quota)).transpose();
    let password = match sent.password {
        Some(password) => Some(service.new_password("password", password).await?),
        None => None,
    };
    let patch = AccountPatch {
        role: sent.role.as_deref().map(read_role).transpose()?,
        quota_bytes: quota("quota_bytes", sent.quota_bytes)?,
        quota_files: quota("quota_files", sent.quota_files)?,
        disabled: sent.disabled,
        scrub: sent.scrub,
        password: password.as_ref(),
    };
    let actor = actor(&bearer, asked);
    let if_match = IfMatch::of(&asked.headers);
    let expected = |before: &AccountRecord| if_match.allows_tag(&etag(before));
    Ok(catalog::patch_account(service.catalog(), id, &patch, &expected, actor, service.now()).await?)
}

/// `DELETE /v1/users/{id}`: the account is gone and all of its images are withdrawn when this answers. With `If-Match` only if it is still
/// the same when that begins.
pub(super) async fn delete(id: String, service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        let bearer = admin(&service, &asked).await?;
        if_match(&service, &asked, &id).await?;
        let id = read_id(&id)?;
        let (catalog, actor, now) = (service.catalog().clone(), actor(&bearer, &asked), service.now());
        // A task of its own: half a deletion must not be all that is left when the client goes away.
        let deleting = tokio::spawn(async move { catalog::delete_account(&catalog, id, actor, now).await });
        deleting.await??;
        Ok::<_, Failure>((StatusCode::NO_CONTENT, None))
    };
    answer("DELETE /v1/users/{id}", language, outcome.await)
}

async fn find(service: &Service, id: &str) -> Result<AccountRecord, Failure> {
    let user = catalog::find_account(service.catalog(), read_id(id)?).await?;
    Ok(user.ok_or(AccessRefusal::NoSuchUser)?)
}

/// Refuses where the account is not what the request believes it to be. Without a belief it need not be there: an interrupted deletion may be asked
/// for again.
async fn if_match(service: &Service, asked: &Asked, id: &str) -> Result<(), Failure> {
    let believed = IfMatch::of(&asked.headers);
    if believed == IfMatch::Anything || believed.allows_tag(&etag(&find(service, id).await?)) {
        return Ok(());
    }
    Err(ImageRefusal::PreconditionFailed.into())
}

/// An account, with its `ETag`.
fn tell(route: &'static str, language: Language, outcome: Result<AccountRecord, Failure>) -> Response {
    let tag = outcome.as_ref().ok().map(etag);
    let told = outcome.map(|user| (StatusCode::OK, Some(account_json(&user))));
    tagged(answer(route, language, told), tag)
}

fn tagged(mut response: Response, tag: Option<String>) -> Response {
    if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// Changes with everything that an administrator can change and see; images come and go without it.
fn etag(user: &AccountRecord) -> String {
    tag_of(&json!([
        user.id,
        user.username,
        user.role.as_str(),
        user.quota_bytes,
        user.quota_files,
        user.disabled_at,
        user.scrub,
    ]))
}

async fn admin(service: &Service, asked: &Asked) -> Result<Bearer, Failure> {
    let bearer = authenticate(service, asked).await?;
    require(&bearer, Scope::Admin)?;
    Ok(bearer)
}

fn actor(bearer: &Bearer, asked: &Asked) -> Actor {
    Actor {
        account_id: bearer.account_id,
        client_address: Some(asked.client.0),
    }
}

fn read_id(text: &str) -> Result<i64, AccessRefusal> {
    text.parse().map_err(|_| AccessRefusal::NoSuchUser)
}

fn read_role(text: &str) -> Result<Role, Refusal> {
    [Role::Admin, Role::Member]
        .into_iter()
        .find(|role| role.as_str() == text)
        .ok_or_else(|| invalid("role", &"expected admin or member"))
}

fn read_quota(field: &'static str, quota: Option<i64>) -> Result<Option<i64>, Refusal> {
    match quota {
        Some(quota) if quota < 0 => Err(invalid(
            field,
            &"expected a number from 0 on, or null for no limit",
        )),
        quota => Ok(quota),
    }
}

fn invalid(field: &'static str, reason: &dyn std::fmt::Display) -> Refusal {
    let reason = reason.to_string();
    Refusal::InvalidField { field, reason }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Catalog(error) => Self::Catalog(error),
            AccountError::Unexpected => ImageRefusal::PreconditionFailed.into(),
            AccountError::NotFound => AccessRefusal::NoSuchUser.into(),
            AccountError::LastAdmin => AccessRefusal::LastAdmin.into(),
        }
    }
}
