use domain::Scope;
use http_kit::Language;
use serde_json::{Value, json};

use super::{
    operation::{Access, Operation, delete, get, post, put},
    schema::{Schema, any_object, either, instant, integer, list_of, object, one_of, refer_to, text, truth},
    schemas::{image_id, visibility},
};

pub(super) fn operations(language: Language) -> Vec<Operation> {
    let t = |english, chinese| language.pick(english, chinese);
    let body = object(vec![("policy", refer_to("Policy"))]).with("additionalProperties", false);
    vec![
        get("/v1/policy", "getPolicy", t("The site's policy", "站点规则"))
            .access(Access::Admin)
            .answers(200, t("The policy, and what holds where no album and no image says anything.", "站点规则，以及相册和图片均未另行规定时的实际规则。"), site(language))
            .with_headers(&["ETag"]),
        put("/v1/policy", "setPolicy", t("Set the site's policy", "设置站点规则"))
            .about(t(
                "It takes the place of the one before, and is in force everywhere within a second.",
                "替换原有规则，一秒内处处生效。",
            ))
            .access(Access::Admin)
            .header("If-Match", text().about(t("Only if nobody has changed it since.", "仅当此后无人修改过。")))
            .takes_json(body, &json!({ "policy": { "hotlink": { "allow": ["blog.example"] } } }))
            .answers(200, t("The policy as it is now.", "设置后的规则。"), site(language))
            .with_headers(&["ETag"])
            .refuses(&["invalid_field", "precondition_failed"]),
        get("/v1/policy/explain", "explainPolicy", t("Which rule decides, and why", "哪条规则起作用，为什么"))
            .about(t(
                "What a request for this URL from that page is answered. The code that decides views decides here.",
                "从某页面请求某地址会得到什么结果；与实际判断用的是同一段代码。",
            ))
            .access(Access::OwnOrAdmin(Scope::Read))
            .keeps_to_album()
            .query("url", text().about(t("The URL of an image, such as `/i/7h9KzQm2xRfW.jpg`; without it the site's rules are explained.", "图片地址，如 `/i/7h9KzQm2xRfW.jpg`；省略则说明站点规则。")))
            .query("referer", text().example("https://blog.example/post").about(t("The page that shows it.", "引用它的页面。")))
            .query("origin", text())
            .query("sec_fetch_site", text())
            .query("sec_fetch_dest", text())
            .answers(200, t("The decision.", "判断结果。"), decision(language))
            .refuses(&["not_found", "invalid_field"]),
    ]
}

/// Links that open an image.
pub(super) fn links(language: Language) -> Vec<Operation> {
    let t = |english, chinese| language.pick(english, chinese);
    let wanted = object(vec![
        (
            "expires_in",
            text().or_null().optional().about(t(
                "Such as `12h`; a day when absent, 366 days at most.",
                "如 `12h`；默认一天，最长 366 天。",
            )),
        ),
        (
            "width",
            integer().least(1).or_null().optional().about(t(
                "The link is good for this width alone.",
                "链接仅对该宽度有效。",
            )),
        ),
    ])
    .with("additionalProperties", false);
    let link = object(vec![
        (
            "url",
            text()
                .with("format", "uri")
                .example("https://img.example.com/i/7h9KzQm2xRfW.jpg?e=1795222800&s=0f3a…"),
        ),
        ("expires_at", instant()),
        ("width", integer().or_null().example(Value::Null)),
    ]);
    vec![
        post("/v1/images/{id}/signed-links", "signLink", t("A link that opens the image for a while", "生成限时签名链接"))
            .about(t(
                "Good until then wherever it is opened, private or not; hotlink rules are not asked. It never outlives the image.",
                "到期之前在任何地方都有效，私有图片也不例外，且不受防盗链规则限制；不会晚于图片本身失效。",
            ))
            .access(Access::OwnOrAdmin(Scope::Manage))
            .keeps_to_album()
            .path_part("id", image_id())
            .takes_json(wanted, &json!({ "expires_in": "12h" }))
            .answers(201, t("The link.", "签名链接。"), link)
            .refuses(&["not_found", "invalid_field"]),
        delete("/v1/images/{id}/signed-links", "revokeLinks", t("Take back all links of an image", "收回图片的全部链接"))
            .about(t(
                "Every signed link and the delete link that were given out so far.",
                "此前发出的所有签名链接与删除链接一并失效。",
            ))
            .access(Access::OwnOrAdmin(Scope::Manage))
            .keeps_to_album()
            .path_part("id", image_id())
            .answers_nothing(204, t("Taken back.", "已收回。"))
            .refuses(&["not_found"]),
    ]
}

fn level() -> Schema {
    one_of(&["settings", "site", "album", "image"])
}

fn site(language: Language) -> Schema {
    let t = |english, chinese| language.pick(english, chinese);
    let seconds = || integer().least(0).about(t("0: for ever.", "0 表示永久。"));
    object(vec![
        ("policy", refer_to("Policy")),
        ("updated_at", instant()),
        (
            "effective",
            object(vec![
                ("hotlink", effective(language)),
                (
                    "expiry",
                    object(vec![
                        ("default_seconds", seconds()),
                        ("longest_seconds", seconds()),
                        (
                            "sliding_seconds",
                            integer()
                                .least(0)
                                .about(t("0: views keep nothing alive.", "0 表示浏览不延长寿命。")),
                        ),
                    ]),
                ),
                ("visibility", visibility(language)),
            ]),
        ),
    ])
}

/// Hotlink rules, each with the level that it comes from.
fn effective(language: Language) -> Schema {
    let set = |value: Schema| object(vec![("value", value), ("level", level())]);
    let hosts = || list_of(text());
    let choice = || one_of(&["allow", "deny"]);
    object(vec![
        ("allow", set(hosts())),
        ("deny", set(hosts())),
        ("empty_referer", set(choice())),
        ("hidden_embeds", set(choice())),
        ("refusal", set(refusal())),
        ("dry_run", set(truth())),
    ])
    .about(language.pick(
        "Each field, and the level that it comes from.",
        "各字段的值及其来自哪一级。",
    ))
}

fn refusal() -> Schema {
    either(vec![
        one_of(&["placeholder", "bare"]),
        object(vec![("redirect", text().with("format", "uri"))]),
    ])
}

fn decision(language: Language) -> Schema {
    let t = |english, chinese| language.pick(english, chinese);
    object(vec![
        ("decision", one_of(&["allowed", "refused", "missing"])),
        ("reason", text().example("listed")),
        ("why", text().about(t("In words.", "文字说明。"))),
        (
            "host",
            text().or_null().about(t("The host of the page.", "页面的域名。")),
        ),
        (
            "rule",
            text()
                .or_null()
                .about(t("The rule that fits it.", "命中的规则。")),
        ),
        (
            "level",
            level()
                .with("enum", json!(["settings", "site", "album", "image", null]))
                .with("type", json!(["string", "null"]))
                .about(t("Who has set what decided.", "由哪一级规定。")),
        ),
        ("dry_run", truth()),
        (
            "answer",
            either(vec![
                one_of(&["image", "placeholder", "bare", "missing"]),
                object(vec![("redirect", text().with("format", "uri"))]),
            ]),
        ),
        ("image", image_id().or_null()),
        (
            "visibility",
            visibility(language)
                .with("enum", json!(["public", "unlisted", "private", null]))
                .with("type", json!(["string", "null"])),
        ),
        ("policy", effective(language)),
        (
            "unreadable",
            list_of(any_object()).about(t("Policies that can't be read.", "无法解析的规则。")),
        ),
    ])
}
