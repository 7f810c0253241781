use domain::Scope;
use http_kit::Language;
use serde_json::json;

use super::{
    operation::{Access, Operation, delete, get, post},
    schema::{any_object, number, object, refer_to, text},
    schemas::{page_of, scopes, token_members},
};

pub(super) fn operations(language: Language) -> Vec<Operation> {
    let t = |english, chinese| language.pick(english, chinese);
    let mut operations = vec![
        make(language),
        get("/v1/tokens", "listTokens", t("List your tokens", "列出令牌"))
            .about(t(
                "Newest first. None of them is shown again.",
                "最新的在前。令牌本身不会再次显示。",
            ))
            .access(Access::Own(Scope::Manage))
            .paged(language)
            .answers(
                200,
                t("A page of tokens.", "一页令牌。"),
                page_of("tokens", refer_to("Token"), language),
            ),
        delete("/v1/tokens/{id}", "revokeToken", t("Revoke a token", "吊销令牌"))
            .about(t(
                "And every token that was made with it.",
                "由它创建的令牌也一并吊销。",
            ))
            .access(Access::Own(Scope::Manage))
            .path_part("id", number())
            .answers_nothing(204, t("Revoked.", "已吊销。"))
            .refuses(&["token_not_found"]),
    ];
    operations.extend(uploader_files(language));
    operations
}

/// Where the dialect `sharex` is on.
fn uploader_files(language: Language) -> Vec<Operation> {
    const PATH: &str = "/v1/tokens/{id}/sharex.sxcu";
    let t = |english, chinese| language.pick(english, chinese);
    vec![
        get(PATH, "getShareXFile", t("Settings for ShareX", "ShareX 设置文件"))
            .about(t(
                "A file that ShareX opens. The token that asks for itself stands in it (then `upload` is enough); for another of yours `YOUR_TOKEN` does, to be replaced.",
                "可用 ShareX 直接打开的设置文件。令牌请求自身时文件中就是该令牌（此时有 `upload` 权限即可）；请求其他令牌时为 `YOUR_TOKEN`，需自行替换。",
            ))
            .access(Access::Own(Scope::Manage))
            .keeps_to_album()
            .path_part("id", number())
            .answers(200, t("The file.", "设置文件。"), any_object())
            .refuses(&["token_not_found"]),
        post(PATH, "makeShareXFile", t("Settings for ShareX, with a new token", "生成带新令牌的 ShareX 设置文件"))
            .about(t(
                "The same with a token made under that one, with no more rights, which goes when that one is revoked.",
                "同上，并在该令牌名下新建一个权限不超过它的令牌，随它一起吊销。",
            ))
            .access(Access::Own(Scope::Manage))
            .keeps_to_album()
            .path_part("id", number())
            .answers(200, t("The file.", "设置文件。"), any_object())
            .refuses(&["token_not_found", "malformed_body", "request_too_large", "request_timeout"]),
    ]
}

fn make(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    let wanted = object(vec![
        ("name", text().longest(255).optional()),
        ("scopes", scopes().with("minItems", 1)),
        (
            "album",
            number()
                .or_null()
                .optional()
                .about(t("The only album that it is good for.", "令牌仅限使用的相册。")),
        ),
        (
            "expires_in",
            text()
                .or_null()
                .with("type", json!(["string", "integer", "null"]))
                .with("minimum", 0)
                .optional()
                .about(t(
                    "`90d`, or seconds; `0` or null: never.",
                    "如 `90d`，或秒数；`0` 或 null 表示永不过期。",
                )),
        ),
        (
            "rate_per_minute",
            number().most(i64::from(i32::MAX)).or_null().optional().about(t(
                "Requests a minute; null: any.",
                "每分钟请求数；null 表示不限。",
            )),
        ),
    ]);
    let mut members = token_members(language);
    members.push((
        "token",
        text()
            .example("berth_9xQ2mV7cJt4LrKp8WzYd3HsNbF6gEaTuXi5RoQvPkM1")
            .about(t("Shown this once.", "仅显示这一次。")),
    ));
    post("/v1/tokens", "makeToken", t("Make a token", "新建令牌"))
        .about(t(
            "It may do no more than its maker: one made with a token is bound to that one's scopes, album, end and rate.",
            "权限不超过创建者：用令牌创建的令牌受其权限、相册、有效期与速率约束。",
        ))
        .access(Access::Own(Scope::Manage))
        .keeps_to_album()
        .takes_json(wanted, &json!({ "name": "PicGo", "scopes": ["upload"], "expires_in": "90d", "rate_per_minute": 60 }))
        .answers(201, t("The token, this once.", "新令牌，仅显示这一次。"), object(members))
        .leads_to(&["revokeToken"], "$response.body#/id")
        .refuses(&["grant_too_wide"])
}
