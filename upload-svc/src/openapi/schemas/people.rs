use http_kit::Language;
use serde_json::{Value, json};

use crate::openapi::schema::{
    Schema, any_object, count, instant, list_of, number, object, one_of, text, truth,
};

pub(in crate::openapi) fn role() -> Schema {
    one_of(&["admin", "member"])
}

/// The members of an account, as its owner and administrators see it; in the answer that makes it there may be one more.
pub(in crate::openapi) fn account_members(language: Language) -> Vec<(&'static str, Schema)> {
    let t = |english, chinese| language.pick(english, chinese);
    let quota = || {
        count()
            .or_null()
            .example(Value::Null)
            .about(t("Null: no limit.", "null 表示不限。"))
    };
    vec![
        ("id", number().example(1)),
        ("username", text().example("alice")),
        ("role", role().example("member")),
        ("quota_bytes", quota()),
        ("quota_files", quota()),
        ("used_bytes", count().example(284_113)),
        ("used_files", count().example(1)),
        ("created_at", instant()),
        (
            "disabled",
            truth().example(false).about(t(
                "Who is disabled can't sign in, and their tokens rest.",
                "被停用的账户无法登录，其令牌暂不可用。",
            )),
        ),
        ("disabled_at", instant().or_null().example(Value::Null)),
        (
            "scrub",
            text()
                .with("enum", json!(["keep", "location", "all", null]))
                .with("type", json!(["string", "null"]))
                .example(Value::Null)
                .about(t(
                    "What of the metadata of its files is taken out; null: as the settings say.",
                    "去除其文件的哪些元数据；null 表示按系统设置。",
                )),
        ),
    ]
}

pub(in crate::openapi) fn account(language: Language) -> Schema {
    object(account_members(language))
}

pub(in crate::openapi) fn account_name(_: Language) -> Schema {
    object(vec![
        ("id", number().example(1)),
        ("username", text().example("alice")),
        ("role", role().example("member")),
    ])
}

/// Scopes of a token or a session.
pub(in crate::openapi) fn scopes() -> Schema {
    list_of(one_of(&["upload", "read", "manage", "admin"])).example(json!(["upload", "read"]))
}

/// The members of a token in a list; in the answer that makes it there is one more.
pub(in crate::openapi) fn token_members(language: Language) -> Vec<(&'static str, Schema)> {
    let t = |english, chinese| language.pick(english, chinese);
    vec![
        ("id", number().example(3)),
        ("name", text().example("PicGo")),
        (
            "hint",
            text()
                .example("berth_9xQ2")
                .about(t("How it begins.", "令牌的开头几位。")),
        ),
        ("scopes", scopes()),
        (
            "album",
            number()
                .or_null()
                .example(Value::Null)
                .about(t("The only album it uploads to.", "只能上传到的相册。")),
        ),
        (
            "rate_per_minute",
            number()
                .or_null()
                .example(60)
                .about(t("Null: any.", "null 表示不限。")),
        ),
        (
            "made_by",
            number().or_null().example(Value::Null).about(t(
                "The token that it was made with; it goes with that one.",
                "创建它的令牌；后者吊销时一并失效。",
            )),
        ),
        ("created_at", instant()),
        ("expires_at", instant().or_null().example(Value::Null)),
        (
            "last_used_at",
            instant().or_null().about(t("To the minute.", "精确到分钟。")),
        ),
    ]
}

pub(in crate::openapi) fn token(language: Language) -> Schema {
    object(token_members(language))
}

pub(in crate::openapi) fn event(language: Language) -> Schema {
    let t = |english, chinese| language.pick(english, chinese);
    object(vec![
        ("id", number().example(9001)),
        ("at", instant()),
        ("kind", text().example("upload")),
        (
            "account",
            number().or_null().example(1).about(t("Who did it.", "操作者。")),
        ),
        ("username", text().or_null().example("alice")),
        ("client_address", text().or_null().example("203.0.113.7")),
        (
            "subject",
            text()
                .example("7h9KzQm2xRfW")
                .about(t("What it is about.", "操作对象。")),
        ),
        ("detail", any_object().example(json!({}))),
    ])
}
