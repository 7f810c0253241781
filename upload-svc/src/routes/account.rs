use bytes::Buf;
use catalog::{AccountRecord, Credential, NewPassword};
use domain::{AccessRefusal, Refusal, Scope};
use futures_util::Stream;
use http::StatusCode;
use http_kit::Language;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::reply::Response;

use super::{Asked, answer, read_body};
use crate::{
    Service,
    identity::{authenticate, authenticate_in_album, require},
    problem::Failure,
};

/// `GET /v1/account`: one's own account, what it holds and may hold.
pub(super) async fn describe(service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        // What is left of the quota bounds an album's token, too.
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Read)?;
        let account = catalog::find_account(service.catalog(), bearer.account_id).await?;
        let account = account.ok_or(Refusal::InvalidCredential)?;
        Ok((StatusCode::OK, Some(account_json(&account))))
    };
    answer("GET /v1/account", language, outcome.await)
}

/// An account as its owner and administrators see it.
pub(super) fn account_json(account: &AccountRecord) -> Value {
    json!({
        "id": account.id,
        "username": account.username,
        "role": account.role.as_str(),
        "quota_bytes": account.quota_bytes,
        "quota_files": account.quota_files,
        "used_bytes": account.used_bytes,
        "used_files": account.used_files,
        "created_at": account.created_at,
        "disabled": account.disabled_at.is_some(),
        "disabled_at": account.disabled_at,
        "scrub": account.scrub,
    })
}

#[derive(Deserialize)]
struct PasswordChange {
    old_password: String,
    new_password: String,
}

/// `PUT /v1/account/password`: a new password, for who knows the old one. Every other session of the account ends; tokens stay.
pub(super) async fn change_password<B: Buf>(
    service: Service,
    asked: Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = change(&service, &asked, body).await;
    let outcome = outcome.map(|()| (StatusCode::NO_CONTENT, None));
    answer("PUT /v1/account/password", language, outcome)
}

async fn change<B: Buf>(
    service: &Service,
    asked: &Asked,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Result<(), Failure> {
    let bearer = authenticate(service, asked).await?;
    require(&bearer, Scope::Manage)?;
    let sent: PasswordChange = read_body(&asked.headers, body).await?;
    let (catalog, passwords) = (service.catalog(), service.identity().passwords());
    let account = catalog::find_account(catalog, bearer.account_id).await?;
    let account = account.ok_or(Refusal::InvalidCredential)?;
    // SECURITY: a stolen session could try passwords here instead.
    service.admit_password(&account.username, asked).await?;
    let old = catalog::find_password(catalog, account.id).await?;
    let old = old.ok_or(Refusal::InvalidCredential)?;
    if !passwords.verify(&old, sent.old_password).await? {
        return Err(AccessRefusal::WrongPassword.into());
    }
    let new = service.new_password("new_password", sent.new_password).await?;
    let change = NewPassword {
        account_id: account.id,
        old: &old,
        new: &new,
        keep_session: match bearer.credential {
            Credential::Session { id, .. } => Some(id),
            Credential::Token { .. } | Credential::Password => None,
        },
    };
    if catalog::change_password(catalog, &change, Some(asked.client.0), service.now()).await? {
        Ok(())
    } else {
        // Somebody else changed it while the old one was checked.
        Err(AccessRefusal::WrongPassword.into())
    }
}
