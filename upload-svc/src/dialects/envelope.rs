//! What the stack says of a dialect's URL before any handler sees the request (413, 414, 429, 503, 500), and of its URLs that are not there (404,
//! 405), in the words and the envelope that its clients read. nginx says the same of what it refuses itself (`snippets/errors.conf`).

use domain::Dialect;
use http::{StatusCode, Uri};
use http_kit::Problem;
use serde_json::{Value, json};

use super::{smms, upload::claimed_by};
use crate::routes::CORS;

/// The problem as the client of this URL expects it; as it is where that client reads problem details. A page of another site reads it, too: to
/// a browser an answer without these headers is no more than a failed request, and nobody would learn when to come back.
pub(crate) fn reword(uri: &Uri, problem: Problem) -> Problem {
    let problem = match envelope(uri, &problem) {
        Some(envelope) => problem.in_envelope(envelope),
        None => problem,
    };
    CORS.into_iter()
        .fold(problem, |problem, (name, value)| problem.header(name, value))
}

fn envelope(uri: &Uri, problem: &Problem) -> Option<Value> {
    let (path, status, words) = (uri.path(), problem.status(), words(problem.status())?);
    let below = |folder: &str| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let image_proxy = || json!({ "detail": words_of_image_proxy(status).unwrap_or(words) });
    let picgo = || json!({ "success": false, "message": words, "msg": words, "result": [] });
    let maple = || json!({ "data": null, "description": "", "message": words, "status": status.as_str() });
    Some(match path {
        "/upload" => match claimed_by(uri.query().unwrap_or_default()) {
            Dialect::ImageProxy => image_proxy(),
            Dialect::PicgoServer => picgo(),
            _ => return None,
        },
        "/upload/image" | "/blog/upload/image" => json!({ "err_code": 1, "message": words }),
        "/delete" | "/heartbeat" => picgo(),
        "/stats" | "/download_db" | "/health" => image_proxy(),
        _ if below("/info") => image_proxy(),
        "/api/v1/upimg" => json!({ "data": words, "status": 1 }),
        "/api/upload" => json!({ "code": status.as_u16(), "message": words, "data": {} }),
        _ if ["/api/albums", "/api/images", "/api/login", "/api/logout"]
            .into_iter()
            .any(below) =>
        {
            maple()
        }
        _ if below("/api/1") => {
            let title = status.canonical_reason().unwrap_or_default();
            json!({ "status_code": status.as_u16(), "error": { "message": words, "code": 100 }, "status_txt": title })
        }
        _ if below("/api/v2") => {
            let request_id = smms::uuid(process::random());
            let code = match status {
                StatusCode::PAYLOAD_TOO_LARGE => "file_too_large",
                _ => problem.code(),
            };
            json!({ "success": false, "code": code, "message": words, "RequestId": request_id })
        }
        _ if below("/api") => json!({ "status": false, "success": false, "message": words, "data": {} }),
        _ => return None,
    })
}

/// Both languages at once: these clients show whatever they are told, and say nothing of their own.
fn words(status: StatusCode) -> Option<&'static str> {
    Some(match status {
        StatusCode::BAD_REQUEST => "请求格式有误。The request is malformed.",
        StatusCode::NOT_FOUND => "这里什么都没有。Nothing is here.",
        StatusCode::METHOD_NOT_ALLOWED => "此地址不支持该请求方法。This URL does not answer that method.",
        StatusCode::PAYLOAD_TOO_LARGE => "请求内容过大。The request is larger than this server takes.",
        StatusCode::URI_TOO_LONG => "地址过长。The URL is longer than 4096 bytes.",
        StatusCode::TOO_MANY_REQUESTS => {
            "请求过于频繁，请稍后再试。Too many requests at once; try again in a moment."
        }
        StatusCode::INTERNAL_SERVER_ERROR => "服务器内部错误。Something broke on our side.",
        StatusCode::SERVICE_UNAVAILABLE => {
            "服务暂时不可用，请稍后再试。The service is away for a moment; try again."
        }
        _ => return None,
    })
}

/// What its own client compares to the letter.
fn words_of_image_proxy(status: StatusCode) -> Option<&'static str> {
    Some(match status {
        StatusCode::NOT_FOUND => "Not Found",
        StatusCode::METHOD_NOT_ALLOWED => "Method Not Allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "文件验证失败: 请求内容过大",
        StatusCode::TOO_MANY_REQUESTS => "请求过于频繁，请稍后再试",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_kit::Language;

    use super::*;

    #[test]
    fn each_url_says_no_as_its_clients_read_it() {
        let busy = "请求过于频繁，请稍后再试。Too many requests at once; try again in a moment.";
        let lsky = json!({ "status": false, "success": false, "message": busy, "data": {} });
        let maple = json!({ "data": null, "description": "", "message": busy, "status": "429" });
        let proxy = json!({ "detail": "请求过于频繁，请稍后再试" });
        let picgo = json!({ "success": false, "message": busy, "msg": busy, "result": [] });
        for (uri, expected) in [
            ("/upload?username=a&password=b", Some(proxy.clone())),
            ("/upload?key=T", Some(picgo.clone())),
            ("/upload", None),
            ("/upload/image", Some(json!({ "err_code": 1, "message": busy }))),
            (
                "/blog/upload/image",
                Some(json!({ "err_code": 1, "message": busy })),
            ),
            ("/info/7d4496551a953ca22cbf92a45e0057d4", Some(proxy.clone())),
            ("/stats?username=a", Some(proxy.clone())),
            ("/download_db", Some(proxy)),
            ("/delete", Some(picgo)),
            ("/api/v1/upimg", Some(json!({ "data": busy, "status": 1 }))),
            ("/api/v1/upload", Some(lsky.clone())),
            ("/api/v1/images/abc", Some(lsky)),
            (
                "/api/upload",
                Some(json!({ "code": 429, "message": busy, "data": {} })),
            ),
            ("/api/albums", Some(maple.clone())),
            ("/api/images/3", Some(maple)),
            (
                "/api/1/upload?format=txt",
                Some(
                    json!({ "status_code": 429, "error": { "message": busy, "code": 100 }, "status_txt": "Too Many Requests" }),
                ),
            ),
            ("/v1/images", None),
            ("/d/abc", None),
            ("/information", None),
        ] {
            let uri: Uri = uri.parse().unwrap();
            let problem = Problem::too_many_requests(Language::Zh, Duration::from_secs(1));
            assert_eq!(envelope(&uri, &problem), expected, "{uri}");
        }
        let smms = envelope(
            &Uri::from_static("/api/v2/upload"),
            &Problem::too_large(Language::En, None),
        )
        .unwrap();
        let keys: Vec<&String> = smms.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["success", "code", "message", "RequestId"]);
        assert_eq!(smms["code"], "file_too_large");
    }
}
