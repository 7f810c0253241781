use domain::Scope;
use http_kit::Language;
use serde_json::{Value, json};

use super::{
    operation::{Access, Operation, delete, get, post, put},
    schema::{Schema, count, instant, list_of, number, object, one_of, refer_to, text, truth},
    schemas::scopes,
};

pub(super) fn operations(language: Language) -> Vec<Operation> {
    vec![sign_in(language), describe(language), sign_out(language)]
}

pub(super) fn account(language: Language) -> Vec<Operation> {
    let t = |english, chinese| language.pick(english, chinese);
    let passwords = object(vec![
        ("old_password", text()),
        (
            "new_password",
            text()
                .shortest(12)
                .about(t("12 characters at least.", "至少 12 个字符。")),
        ),
    ]);
    vec![
        get("/v1/account", "getAccount", t("Your account", "查看账户"))
            .about(t("What it holds and may hold.", "用量与配额。"))
            .access(Access::Own(Scope::Read))
            .keeps_to_album()
            .answers(200, t("The account.", "账户信息。"), refer_to("Account")),
        put(
            "/v1/account/password",
            "changePassword",
            t("Change your password", "修改密码"),
        )
        .about(t(
            "Every other session of the account ends; tokens stay.",
            "该账户的其他会话全部失效；令牌不受影响。",
        ))
        .access(Access::Own(Scope::Manage))
        .takes_json(
            passwords,
            &json!({ "old_password": "correct horse battery", "new_password": "a pier in the mist" }),
        )
        .answers_nothing(204, t("Changed.", "已修改。"))
        .refuses(&["wrong_password", "sign_in_throttled"]),
    ]
}

fn sign_in(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    let login = || {
        object(vec![
            ("username", text()),
            ("password", text()),
            ("remember", truth().default(false)),
        ])
    };
    let form = object(vec![
        ("username", text()),
        ("password", text()),
        ("remember", one_of(&["on", "off"]).optional()),
    ]);
    let session = object(vec![
        (
            "token",
            text().example("eyJ0eXAiOiJKV1Qi…").about(t(
                "A JWT for `Authorization: Bearer`.",
                "用于 `Authorization: Bearer` 的 JWT。",
            )),
        ),
        ("expires_at", instant()),
        ("account", refer_to("AccountName")),
    ]);
    post("/v1/session", "signIn", t("Sign in", "登录"))
        .about(t(
            "The session also stands in the cookie `berth_session`, unless a page of another site asked. A wrong name, a wrong password and a disabled account answer alike.",
            "会话同时写入 Cookie `berth_session`（来自其他站点页面的请求除外）。用户名错误、密码错误与账户停用的回答相同。",
        ))
        .access(Access::Anyone)
        .takes_json(login(), &json!({ "username": "alice", "password": "correct horse battery", "remember": true }))
        .takes("application/x-www-form-urlencoded", form, &Value::Null)
        .answers(200, t("The session.", "会话。"), session)
        .with_headers(&["Set-Cookie"])
        .refuses(&["invalid_login", "sign_in_throttled"])
}

fn describe(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    let session = object(vec![
        ("kind", one_of(&["session", "token"]).example("token")),
        ("expires_at", instant().or_null().example(Value::Null)),
        ("scopes", scopes()),
        (
            "album",
            number().or_null().about(t(
                "The only album that the token is good for.",
                "该令牌仅限使用的相册。",
            )),
        ),
        ("account", refer_to("AccountName")),
        ("limits", limits(language)),
        ("uploads", uploads(language)),
    ]);
    get("/v1/session", "getSession", t("Who am I?", "我是谁"))
        .access(Access::Known)
        .keeps_to_album()
        .knows_nobody()
        .query(
            "optional",
            truth().about(t(
                "`true`: whoever shows no good credential gets a 204 instead of a 401.",
                "为 `true` 时，没有有效凭证则回答 204，而不是 401。",
            )),
        )
        .answers_nothing(
            204,
            t("Nobody, which `optional` allows.", "未登录（仅当 `optional`）。"),
        )
        .answers(
            200,
            t(
                "With what the caller came, and for whom it speaks.",
                "所用凭证及其所属账户。",
            ),
            session,
        )
}

/// What may be sent.
fn limits(language: Language) -> Schema {
    let t = |english, chinese| language.pick(english, chinese);
    object(vec![
        ("files", count().example(50)),
        ("request_bytes", count()),
        ("image_bytes", count()),
        ("video_bytes", count()),
        ("types", list_of(text().example("image/jpeg"))),
        (
            "expire_days",
            count().example(30).about(t(
                "Of an image whose upload does not say; 0 is for ever.",
                "上传时未指定有效期的图片保存天数；0 为永久。",
            )),
        ),
        (
            "undo_seconds",
            count().example(604_800).about(t(
                "How long what was withdrawn or has expired can be restored.",
                "删除或过期之后，多长时间内可以恢复。",
            )),
        ),
    ])
}

/// What becomes of an upload that does not say.
fn uploads(language: Language) -> Schema {
    let t = |english, chinese| language.pick(english, chinese);
    object(vec![
        (
            "lifetime_seconds",
            count().example(2_592_000).about(t(
                "How long it lives, by the settings and the site's policy; an album's may say otherwise. 0 is for ever.",
                "保存时长，按系统设置与全站策略（相册策略可另行规定）；0 为永久。",
            )),
        ),
        (
            "longest_seconds",
            count().example(0).about(t(
                "How long it may live at most; 0 is for ever.",
                "最长保存时长；0 为不限。",
            )),
        ),
        (
            "sliding_seconds",
            count().example(0).about(t(
                "For how long a view keeps one alive whose end nobody said; 0 is not at all.",
                "未指定有效期的图片每次浏览后延长到多久；0 为不顺延。",
            )),
        ),
        ("visibility", one_of(&["public", "unlisted", "private"])),
        ("scrub", one_of(&["keep", "location", "all"])),
    ])
}

fn sign_out(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    delete("/v1/session", "signOut", t("Sign out", "退出登录"))
        .about(t(
            "The session is worth nothing from the answer on.",
            "立即生效，会话随即作废。",
        ))
        .access(Access::Known)
        .keeps_to_album()
        .answers_nothing(204, t("Signed out.", "已退出。"))
        .with_headers(&["Set-Cookie"])
        .refuses(&["not_a_session"])
}
