//! form: an uploader that is nothing but a form. `POST /upload`, `file` repeated, pictures and videos. A browser's form is sent on to
//! `/?upload_success=true`; who accepts JSON gets it. A file that is refused is named in the reply, and the good ones are kept.

use catalog::{Bearer, Credential, Role};
use domain::{Refusal, Scope};
use http::{HeaderMap, StatusCode, header::ACCEPT};
use http_kit::Language;
use serde_json::{Value, json};
use warp::{Reply as _, reply::Response};

use super::{
    received::{Manner, Received, receive, receive_from},
    reply,
};
use crate::{
    Service,
    identity::find_caller,
    intake::{self, Arrived},
    problem::Failure,
    routes::{Asked, Body, image_url},
};

const ROUTE: &str = "POST /upload";

pub(super) async fn upload(service: Service, asked: Asked, body: Body) -> Response {
    let language = Language::of(&asked.headers);
    let taken = match take(&service, &asked, body).await {
        Ok(taken) => taken,
        Err(failure) => {
            service.measures().refused(failure.code());
            return reply::finish(ROUTE, failure.problem(language).into_response());
        }
    };
    let (mut files, mut refused, mut worst) = (Vec::new(), Vec::new(), None);
    for Arrived { name, outcome } in taken {
        match outcome {
            Ok(published) => {
                let image = &published.image;
                files.push(json!({ "url": image_url(&service, image), "id": image.public_id.as_str(), "name": image.name }));
            }
            Err(failure) => {
                let problem = failure.problem(language);
                refused.push(json!({ "name": name.as_str(), "message": problem.document()["title"], "code": problem.code() }));
                worst.get_or_insert(problem.status());
            }
        }
    }
    if refused.is_empty() && !wants_json(&asked.headers) {
        return reply::found(ROUTE, "/?upload_success=true");
    }
    let status = worst.filter(|_| files.is_empty()).unwrap_or(StatusCode::OK);
    reply::json(ROUTE, status, &summary(&files, &refused))
}

fn summary(files: &[Value], refused: &[Value]) -> Value {
    json!({ "success": refused.is_empty(), "files": files, "refused": refused })
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("json"))
}

async fn take(service: &Service, asked: &Asked, body: Body) -> Result<Vec<Arrived>, Failure> {
    let manner = Manner {
        options: &[
            ("album", "album"),
            ("expires_in", "expires_in"),
            ("description", "description"),
        ],
        ..Manner::of("file")
    };
    let known = match find_caller(service, asked).await? {
        None => find_anonymous(service).await?,
        Some(caller) => Some(caller.within_album()),
    };
    let received = match known {
        Some(bearer) => receive_from(service, asked, bearer, manner, body).await?,
        None => receive(service, asked, manner, body).await?,
    };
    let Received { bearer, form, .. } = received;
    intake::publish_all(service, &bearer, asked, form, &[]).await
}

/// Whose account owns what a stranger uploads, if strangers may.
async fn find_anonymous(service: &Service) -> Result<Option<Bearer>, Failure> {
    let Some(username) = service.anonymous_account() else {
        return Ok(None);
    };
    let found = catalog::find_sign_in(service.catalog(), username.as_str()).await?;
    let account = found
        .map(|found| found.account)
        .filter(|account| account.disabled_at.is_none());
    let account = account.ok_or(Refusal::Unauthenticated)?;
    Ok(Some(Bearer {
        credential: Credential::Password,
        account_id: account.id,
        role: Role::Member,
        scopes: [Scope::Upload].into_iter().collect(),
        album_id: None,
    }))
}
