//! image-proxy: the `FastAPI` "Image Proxy Project" 2.0. `POST /upload?username&password`, `GET /info/{md5}`, `/stats`, `/health`, `/download_db`.
//! Its pictures are seen at `/secure_get/{md5}?token=`, which serve-svc answers. Failures are `{"detail":…}`.

use catalog::{Content, ImageRecord, Role};
use domain::{AccessRefusal, Md5, MediaType, Refusal, Scope, UploadLimits};
use http::{HeaderValue, StatusCode, header::ALLOW};
use http_kit::{BodyFault, Language};
use serde_json::{Value, json};
use warp::{Filter, filters::BoxedFilter, path, reply::Response};

use super::{
    With, image_proxy_db,
    received::{Manner, publish_first, receive_from},
    reply,
    words::{is_about_the_caller, title},
};
use crate::{
    Service,
    identity::{Caller, find_caller, require},
    problem::{Failure, mebibytes},
    routes::{Asked, Body},
};

const UPLOAD: &str = "POST /upload?username";
const INFO: &str = "GET /info/{md5}";
const STATS: &str = "GET /stats";
const HEALTH: &str = "GET /health";
/// The methods of what is only looked at.
const READ: &str = "GET, HEAD";
/// What the original takes.
const TYPES: [MediaType; 4] = [MediaType::Jpeg, MediaType::Png, MediaType::Gif, MediaType::Webp];

pub(super) fn routes(with: &With) -> Vec<BoxedFilter<(Response,)>> {
    vec![
        row!(with, path!("info" / String), get_or_head, info),
        row!(with, path!("stats"), get_or_head, stats),
        row!(with, path!("health"), get_or_head, health),
        row!(with, path!("download_db"), get, image_proxy_db::download),
        path!("info" / String).map(|_| wrong_method(INFO, READ)).boxed(),
        path!("stats").map(|| wrong_method(STATS, READ)).boxed(),
        path!("health").map(|| wrong_method(HEALTH, READ)).boxed(),
        path!("download_db")
            .map(|| wrong_method(image_proxy_db::ROUTE, "GET"))
            .boxed(),
    ]
}

fn wrong_method(route: &'static str, allow: &'static str) -> Response {
    let mut response = detail(route, StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allow));
    response
}

fn detail(route: &'static str, status: StatusCode, words: &str) -> Response {
    reply::json(route, status, &json!({ "detail": words }))
}

pub(super) async fn upload(service: Service, asked: Asked, body: Body) -> Response {
    let narrower = service.limited(limits(service.limits()));
    let bearer = match enter(&service, &asked).await {
        Ok(caller) => caller.within_album(),
        Err(why) => return why.response(UPLOAD, &narrower),
    };
    let outcome = async {
        let received = receive_from(&narrower, &asked, bearer, Manner::of("file"), body).await?;
        publish_first(&narrower, &asked, received).await
    };
    match outcome.await {
        Ok(taken) => {
            let status = if taken.is_new { "uploaded" } else { "existing" };
            reply::ok(UPLOAD, &uploaded(&service, &taken.image, status))
        }
        Err(failure) => {
            service.measures().refused(failure.code());
            Denied::Failure(failure).response(UPLOAD, &narrower)
        }
    }
}

fn limits(usual: &UploadLimits) -> UploadLimits {
    UploadLimits {
        allowed: usual
            .allowed
            .iter()
            .copied()
            .filter(|kind| TYPES.contains(kind))
            .collect(),
        ..usual.clone()
    }
}

/// What an upload answers; the original's documented client reads `md5` behind its other fields.
fn uploaded(service: &Service, image: &ImageRecord, status: &str) -> Value {
    json!({
        "url": super::links::secure_url(service, image),
        "expire_at": image.expiry.at().map(jiff::Timestamp::as_second),
        "name": image.name,
        "width": image.width,
        "height": image.height,
        "access_count": accesses(image),
        "status": status,
        "md5": image.md5.to_string(),
        "file_size": image.size_bytes,
        "created_at": image.created_at.as_second(),
    })
}

/// Views, and how often its bytes were sent again.
fn accesses(image: &ImageRecord) -> u64 {
    image.views.saturating_add(image.sent_again)
}

async fn info(md5: String, service: Service, asked: Asked) -> Response {
    match find(&service, &asked, &md5).await {
        Ok(image) => {
            let body = json!({
                "url": super::links::secure_url(&service, &image),
                "expire_at": image.expiry.at().map(jiff::Timestamp::as_second),
                "name": image.name,
                "width": image.width,
                "height": image.height,
                "access_count": accesses(&image),
                "file_size": image.size_bytes,
                "status": "existing",
                "md5": image.md5.to_string(),
                "created_at": image.created_at.as_second(),
            });
            reply::ok(INFO, &body)
        }
        Err(why) => why.response(INFO, &service),
    }
}

/// The caller's own image of these bytes, the oldest where there are several; where there is none, the oldest that everybody may see.
/// SECURITY: of an unlisted or a private image of somebody else's nothing is told, not even that it is there.
async fn find(service: &Service, asked: &Asked, md5: &str) -> Result<ImageRecord, Denied> {
    let bearer = enter(service, asked).await?.within_album();
    require(&bearer, Scope::Read).map_err(Failure::from)?;
    let md5: Md5 = md5.parse().map_err(|_| Failure::from(Refusal::NotFound))?;
    let (catalog, now) = (service.catalog(), service.now());
    let own = catalog::find_by_content(
        catalog,
        bearer.account_id,
        bearer.album_id,
        Content::Md5(md5),
        now,
    )
    .await;
    let own = own.map_err(Failure::from)?.into_iter().next();
    let image = match own {
        Some(image) => Some(image),
        // A token that is bound to an album keeps to it.
        None if bearer.album_id.is_some() => None,
        None => catalog::find_public_by_md5(catalog, md5, now)
            .await
            .map_err(Failure::from)?,
    };
    image.ok_or_else(|| Failure::from(Refusal::NotFound).into())
}

/// Of the caller's own images; of everybody's for an administrator.
async fn stats(service: Service, asked: Asked) -> Response {
    let outcome = async {
        let caller = enter(&service, &asked).await?;
        let bearer = caller.of_whole_account().map_err(Failure::from)?;
        require(&bearer, Scope::Read).map_err(Failure::from)?;
        let is_admin = bearer.role == Role::Admin && bearer.scopes.contains(Scope::Admin);
        let owner = (!is_admin).then_some(bearer.account_id);
        let stats = catalog::sum_up_images(service.catalog(), owner, service.now()).await;
        Ok::<_, Denied>(stats.map_err(Failure::from)?)
    };
    match outcome.await {
        Ok(stats) => {
            let latest = stats
                .latest
                .map(|(name, at)| json!({ "original_name": name, "created_at": at.as_second() }));
            let body = json!({
                "total_images": stats.images,
                "total_access": stats.accesses,
                "total_size_bytes": stats.bytes,
                "latest_image": latest,
                "db_file_size": stats.database_bytes,
            });
            reply::ok(STATS, &body)
        }
        Err(why) => why.response(STATS, &service),
    }
}

/// Open to everybody, as the original's.
async fn health(service: Service, _asked: Asked) -> Response {
    let body = json!({
        "status": "healthy",
        "timestamp": service.now().as_second(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    reply::ok(HEALTH, &body)
}

/// Why somebody did not get in, or did not get what they wanted.
pub(super) enum Denied {
    /// Parameters that a query lacks.
    Missing(Vec<&'static str>),
    Failure(Failure),
}

impl From<Failure> for Denied {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Who a query's user name and password speak for; a token will do for both.
pub(super) async fn enter(service: &Service, asked: &Asked) -> Result<Caller, Denied> {
    let pairs: Vec<_> = url::form_urlencoded::parse(asked.query.as_bytes()).collect();
    let said = |name: &str| {
        pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_ref())
    };
    match (said("username"), said("password")) {
        (Some(username), Some(password)) => Ok(service.recognise_user(asked, username, password).await?),
        (username, password) => {
            if let Some(caller) = find_caller(service, asked).await? {
                return Ok(caller);
            }
            let missing = [("username", username), ("password", password)];
            let missing = missing.into_iter().filter(|(_, value)| value.is_none());
            Err(Denied::Missing(missing.map(|(name, _)| name).collect()))
        }
    }
}

impl Denied {
    pub(super) fn response(self, route: &'static str, service: &Service) -> Response {
        match self {
            Self::Missing(names) => missing(route, "query", &names),
            Self::Failure(Failure::Refused(Refusal::NoFile)) => missing(route, "body", &["file"]),
            Self::Failure(failure) => {
                let (status, words) = told(&failure, service);
                detail(route, status, &words)
            }
        }
    }
}

/// What `FastAPI` says of parameters that are not there.
fn missing(route: &'static str, place: &str, names: &[&str]) -> Response {
    let all: Vec<Value> = names
        .iter()
        .map(
            |name| json!({ "type": "missing", "loc": [place, name], "msg": "Field required", "input": null }),
        )
        .collect();
    reply::json(route, StatusCode::UNPROCESSABLE_ENTITY, &json!({ "detail": all }))
}

fn told(failure: &Failure, service: &Service) -> (StatusCode, String) {
    let refused = |reason: &str| (StatusCode::BAD_REQUEST, format!("文件验证失败: {reason}"));
    match failure {
        failure if is_about_the_caller(failure) => {
            (StatusCode::FORBIDDEN, "权限不足，请联系管理员".to_owned())
        }
        Failure::Refused(Refusal::Access(
            AccessRefusal::SignInThrottled { .. }
            | AccessRefusal::TokenRateExceeded { .. }
            | AccessRefusal::AccountRateExceeded { .. },
        )) => (
            StatusCode::TOO_MANY_REQUESTS,
            "请求过于频繁，请稍后再试".to_owned(),
        ),
        Failure::Refused(Refusal::NotFound) => (StatusCode::NOT_FOUND, "图片不存在".to_owned()),
        Failure::Refused(Refusal::FileTooLarge { limit } | Refusal::RequestTooLarge { limit }) => {
            refused(&format!("文件大小超限，最大允许 {}", mebibytes(*limit)))
        }
        Failure::Body(BodyFault::TooLarge) => refused("文件大小超限"),
        Failure::Refused(Refusal::TypeNotAllowed) => {
            let allowed = &service.limits().allowed;
            let types: Vec<&str> = TYPES
                .iter()
                .filter(|kind| allowed.contains(kind))
                .map(|kind| kind.mime())
                .collect();
            refused(&format!("不支持的文件类型，支持: {}", types.join(", ")))
        }
        Failure::Refused(_) => refused(&title(failure, Language::Zh)),
        other => {
            let problem = other.problem(Language::Zh);
            (problem.status(), title(other, Language::Zh))
        }
    }
}
