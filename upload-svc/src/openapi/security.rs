use http_kit::Language;
use serde_json::{Value, json};

/// Every way to show a credential, as clients know it, by its name in the document.
pub(super) const SCHEMES: [&str; 5] = ["bearer", "token", "api_key", "x_api_key", "cookie"];

/// `components/securitySchemes`.
pub(super) fn schemes(language: Language) -> Value {
    let t = |english, chinese| language.pick(english, chinese);
    let header = |name: &str| {
        let about = t(
            "A token or a session, for clients that can't send `Authorization`.",
            "令牌或会话，供无法发送 `Authorization` 的客户端使用。",
        );
        json!({ "type": "apiKey", "in": "header", "name": name, "description": about })
    };
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": t(
                "A token (`berth_` and 43 characters) or the session that `POST /v1/session` gave. Clients that can set no header may send it as `?key=` instead.",
                "令牌（`berth_` 加 43 个字符），或 `POST /v1/session` 返回的会话。无法设置请求头的客户端可改用 `?key=`。",
            ),
        },
        "token": header("token"),
        "api_key": header("Api-Key"),
        "x_api_key": header("X-API-Key"),
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": crate::identity::COOKIE,
            "description": t(
                "The session of a browser. A change with it must come from berth's own page (`Sec-Fetch-Site: same-origin`, or its `Origin`); else it is 403 `cross_site_request`.",
                "浏览器会话。使用它的修改请求必须来自 berth 自己的页面（`Sec-Fetch-Site: same-origin` 或本站 `Origin`），否则返回 403 `cross_site_request`。",
            ),
        },
    })
}
