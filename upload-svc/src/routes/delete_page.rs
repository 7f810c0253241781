//! `/d/{delete token}`: GET shows a page that asks, POST withdraws. The page runs no script and loads nothing but the
//! picture it is about. Who asks for JSON gets JSON.

use catalog::ImageRecord;
use domain::Visibility;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_kit::{Language, Route, escape_html, get_or_head, post};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use warp::{Filter, Reply as _, filters::BoxedFilter, path, reply::Response};

use super::{Asked, asked};
use crate::{Service, delete_link, problem::Failure};

const STYLE: &str = include_str!("delete_page/page.css");
const FRAME: &str = include_str!("delete_page/frame.html");
const ASK: &str = include_str!("delete_page/ask.html");
const SAY: &str = include_str!("delete_page/say.html");

pub(super) fn routes<F, W>(with: &F) -> Vec<BoxedFilter<(Response,)>>
where
    F: Fn() -> W,
    W: Filter<Extract = (Service,), Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
{
    vec![
        path!("d" / String)
            .and(get_or_head())
            .and(with())
            .and(asked())
            .then(ask)
            .boxed(),
        path!("d" / String)
            .and(post())
            .and(with())
            .and(asked())
            .then(withdraw)
            .boxed(),
    ]
}

async fn ask(token: String, service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = delete_link::find(&service, &token).await;
    let response = match outcome {
        Ok(image) if wants_json(&asked.headers) => {
            let body = json!({ "id": image.public_id.as_str(), "name": image.name });
            warp::reply::json(&body).into_response()
        }
        Ok(image) => page(StatusCode::OK, language, &question(&image, language)),
        Err(failure) => refuse(&failure, &asked.headers, language),
    };
    finish("GET /d/{token}", response)
}

async fn withdraw(token: String, service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let response = match delete_link::withdraw(&service, &token, asked.client.0).await {
        Ok(image) if wants_json(&asked.headers) => {
            let body = json!({ "id": image.public_id.as_str(), "withdrawn": true });
            warp::reply::json(&body).into_response()
        }
        Ok(image) => {
            let words = language.pick(
                "It is gone. No link to it shows the picture any more.",
                "图片已删除，所有链接即刻失效。",
            );
            page(
                StatusCode::OK,
                language,
                &saying(&escape_html(&image.name), words),
            )
        }
        Err(failure) => refuse(&failure, &asked.headers, language),
    };
    finish("POST /d/{token}", response)
}

fn refuse(failure: &Failure, headers: &HeaderMap, language: Language) -> Response {
    let problem = failure.problem(language);
    if wants_json(headers) {
        return problem.into_response();
    }
    let status = problem.status();
    let (title, words) = if status == StatusCode::NOT_FOUND {
        (
            language.pick("Nothing here", "这里没有图片"),
            language.pick(
                "This link deletes nothing: the picture is gone already, or the link was taken back.",
                "该删除链接已失效：图片已被删除，或链接已被收回。",
            ),
        )
    } else {
        (
            language.pick("Not now", "暂时无法处理"),
            language.pick(
                "Something is away on our side. Nothing was deleted; try again in a moment.",
                "服务暂时不可用，图片未被删除，请稍后重试。",
            ),
        )
    };
    page(status, language, &saying(title, words))
}

/// The page that asks.
fn question(image: &ImageRecord, language: Language) -> String {
    let extension = image.media_type.extension();
    // A private picture is shown to nobody without a signature. `origin` names our own host, which may always embed.
    let picture = if image.visibility == Visibility::Private || !image.media_type.mime().starts_with("image/")
    {
        String::new()
    } else {
        format!(
            "<img src=\"/i/{}.{extension}\" alt=\"\" referrerpolicy=\"origin\">",
            image.public_id
        )
    };
    let day = image.created_at.to_string();
    let facts = format!(
        "{} · {} · {}",
        crate::problem::mebibytes(image.size_bytes),
        extension.to_uppercase(),
        &day[..day.len().min(10)],
    );
    ASK.replace("{picture}", &picture)
        .replace("{title}", language.pick("Delete this picture?", "删除这张图片？"))
        .replace("{facts}", &facts)
        .replace(
            "{words}",
            language.pick(
                "It disappears from every page that shows it, at once.",
                "删除后立即生效，所有引用它的页面都将无法显示。",
            ),
        )
        .replace("{button}", language.pick("Delete", "删除"))
        // Last: a name may hold what looks like one of the others.
        .replace("{name}", &escape_html(&image.name))
}

fn saying(title: &str, words: &str) -> String {
    SAY.replace("{words}", words).replace("{title}", title)
}

fn page(status: StatusCode, language: Language, inside: &str) -> Response {
    let text = FRAME
        .replace("{lang}", language.tag())
        .replace("{style}", STYLE)
        .replace("{inside}", inside);
    let mut response = warp::reply::with_status(warp::reply::html(text), status).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    response
}

/// SECURITY: a page that somebody else frames could be made to press its button.
fn policy() -> String {
    use base64::Engine as _;
    let digest = base64::prelude::BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; img-src 'self'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

/// What every answer carries. SECURITY: the URL is the secret: it stays in no cache and goes to no other site.
fn finish(route: &'static str, mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::VARY, "accept, accept-language"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response.extensions_mut().insert(Route(route));
    response
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accept.contains("json") && !accept.contains("html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_is_the_one_that_the_policy_lets_in() {
        let response = page(StatusCode::OK, Language::Zh, &saying("a", "b"));
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.contains("style-src 'sha256-") && !policy.contains("script"));
        // The hash is over exactly what stands between the tags.
        assert!(FRAME.contains("<style>{style}</style>"));
        assert_eq!(escape_html("<b>&\""), "&lt;b&gt;&amp;&quot;");
    }
}
