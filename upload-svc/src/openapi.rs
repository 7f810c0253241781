//! The OpenAPI document of the native API, and the pages that are made from it.
//!
//! The document is written here by hand, a file a resource, in both languages, because the handlers read and write JSON by hand, too: there
//! are no types that it could be derived from (docs/adr/0022). What keeps it true is tests:
//!
//! - `tests.rs` compares it with the table of routes, in both directions;
//! - each answer that an integration test gets from a running service is checked against it (`tests/it/contract.rs`);
//! - the rows of who may do what are made from it (`tests/it/access.rs`).
//!
//! **A new route**: write its [`Operation`](operation::Operation) into the file of its resource (a new resource: a file of its own, a line in
//! [`operations`] and one in [`TAGS`]).

mod albums;
mod image_changes;
mod images;
mod operation;
#[allow(
    clippy::format_push_string,
    reason = "the pages are written once, when the service starts"
)]
mod page;
mod pages;
mod policy;
mod problems;
mod schema;
mod schemas;
mod security;
mod session;
#[cfg(test)]
mod tests;
mod tokens;
mod uploads;
mod usage;
mod users;

use http_kit::Language;
use serde_json::{Map, Value, json};

use operation::Operation;
pub(crate) use pages::routes;

/// The sections of the document, in order: name, title in English and in Chinese.
const TAGS: &[(&str, &str, &str)] = &[
    ("images", "Images", "图片"),
    ("uploads", "Uploads in pieces", "分片上传"),
    ("albums", "Albums", "相册"),
    ("stats", "Statistics", "统计"),
    ("policy", "Policies", "防盗链与规则"),
    ("session", "Signing in", "登录"),
    ("account", "Account", "账户"),
    ("tokens", "Tokens", "令牌"),
    ("users", "Users", "用户管理"),
    ("events", "Events", "操作记录"),
];

/// Every operation, with the section that it stands in.
fn operations(language: Language) -> Vec<Operation> {
    let sections = [
        ("images", images::operations(language)),
        ("images", image_changes::operations(language)),
        ("images", usage::of_image(language)),
        ("uploads", uploads::operations(language)),
        ("albums", albums::operations(language)),
        ("stats", usage::stats(language)),
        ("images", policy::links(language)),
        ("policy", policy::operations(language)),
        ("session", session::operations(language)),
        ("account", session::account(language)),
        ("tokens", tokens::operations(language)),
        ("users", users::operations(language)),
        ("events", users::events(language)),
    ];
    let with_tag = |(tag, operations): (&'static str, Vec<Operation>)| {
        operations
            .into_iter()
            .map(move |operation| Operation { tag, ..operation })
    };
    sections.into_iter().flat_map(with_tag).collect()
}

/// The document. `base_url` has no slash at its end.
#[must_use]
pub fn document(base_url: &str, language: Language) -> Value {
    let t = |english, chinese| language.pick(english, chinese);
    let mut paths: Map<String, Value> = Map::new();
    let mut answers = Map::new();
    for operation in operations(language) {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = operation_json(&operation, language, &mut answers);
    }
    let tags: Vec<Value> = TAGS
        .iter()
        .map(|(name, english, chinese)| json!({ "name": name, "description": t(english, chinese) }))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "berth",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": t("A bed for the pictures of your blog.", "为你的博客安放图片。"),
            "description": t(ABOUT.0, ABOUT.1),
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": base_url }],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": security::schemes(language),
            "parameters": parameters(language),
            "headers": headers(language),
            "responses": answers,
            "schemas": schemas::all(language),
        },
    })
}

/// What holds for every operation.
const ABOUT: (&str, &str) = (
    "Answers are JSON. Errors are problem details (RFC 9457): test for `code`, show `title`. Lists take `limit` and `after` and answer `next`. Times are RFC 3339; what is not known is null. HEAD is answered wherever GET is. Pages of any site may call the API with a token that they already have (CORS).",
    "回答均为 JSON。错误遵循 problem details（RFC 9457）：程序判断 `code`，`title` 供人阅读。列表接受 `limit` 与 `after`，返回 `next`。时间为 RFC 3339 格式，未知为 null。凡可 GET 之处皆可 HEAD。持有令牌的任意站点页面均可调用（CORS）。",
);

fn operation_json(operation: &Operation, language: Language, shared: &mut Map<String, Value>) -> Value {
    let mut json = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
    });
    if let Some(about) = operation.about {
        json["description"] = json!(about);
    }
    json["security"] = operation.security();
    json["x-berth-access"] = json!(operation.access_word());
    json["x-berth-album-token"] = json!(operation.album_word());
    let mut parameters = operation.parameters.clone();
    if operation.is_done_once() {
        parameters.push(json!({ "$ref": "#/components/parameters/Idempotency-Key" }));
    }
    if !parameters.is_empty() {
        json["parameters"] = json!(parameters);
    }
    if let Some(body) = &operation.body {
        json["requestBody"] = body.clone();
    }
    let mut responses = Map::new();
    for answered in &operation.answers {
        let mut response = json!({ "description": answered.about });
        let names = ["X-Request-Id", "RateLimit", "RateLimit-Policy"]
            .iter()
            .chain(&answered.headers);
        let refer = |name: &&str| {
            let reference = json!({ "$ref": format!("#/components/headers/{name}") });
            ((*name).to_owned(), reference)
        };
        response["headers"] = Value::Object(names.map(refer).collect());
        if let Some(schema) = &answered.schema {
            response["content"] = json!({ "application/json": { "schema": schema.clone().into_json() } });
        }
        if !answered.links.is_empty() {
            response["links"] = Value::Object(answered.links.clone());
        }
        responses.insert(answered.status.to_string(), response);
    }
    for (status, reference) in problems::answers(operation, language, shared) {
        responses.insert(status.to_string(), reference);
    }
    json["responses"] = Value::Object(responses);
    json
}

/// `components/parameters`.
fn parameters(language: Language) -> Value {
    let about = language.pick(
        "Drawn by the client for this request. When the request is sent again with it, the answer is the one that was given, with `Idempotency-Replayed: true`.",
        "由客户端为本次请求生成。携带同一键重发时返回当时的应答，并带有 `Idempotency-Replayed: true`。",
    );
    json!({
        "Idempotency-Key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": about,
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
        },
    })
}

/// `components/headers`.
fn headers(language: Language) -> Value {
    let t = |english, chinese| language.pick(english, chinese);
    let header = |about: &str| json!({ "description": about, "schema": { "type": "string" } });
    json!({
        "X-Request-Id": header(t("The request's id: name it when you report something.", "请求编号：反馈问题时请附上。")),
        "RateLimit": header(t("How much of each limit is left, and when it is whole again.", "各项限额的剩余量及恢复时间。")),
        "RateLimit-Policy": header(t("The limits: `client`, one client address; `account`, all that an account sends; `token`, one with a rate of its own.", "限额：`client` 为单个客户端地址，`account` 为整个账户，`token` 为设有速率的令牌。")),
        "ETag": header(t("Changes with everything that can be changed; for `If-Match`.", "内容的版本，用于 `If-Match`。")),
        "Set-Cookie": header(t("The cookie `berth_session`.", "Cookie `berth_session`。")),
        "WWW-Authenticate": header(t("How to come back with a credential.", "说明如何携带凭证。")),
        "Retry-After": {
            "description": t("When to come back, in seconds.", "建议的重试间隔（秒）。"),
            "schema": { "type": "integer", "minimum": 1 },
        },
    })
}
