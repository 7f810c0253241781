mod camera;
mod image;
mod people;

use http_kit::Language;
use serde_json::{Map, Value, json};

use super::schema::{
    Schema, any_object, count, instant, integer, list_of, number, object, refer_to, text, truth,
};

pub(super) use image::{image_id, visibility};
pub(super) use people::{account_members, role, scopes, token_members};

/// `components/schemas`: the shapes that several operations share.
pub(super) fn all(language: Language) -> Map<String, Value> {
    let schemas = [
        ("Image", image::image(language)),
        ("Camera", camera::camera(language)),
        ("Taken", image::taken(language)),
        ("RefusedFile", image::refused_file(language)),
        ("Album", album(language)),
        ("Account", people::account(language)),
        ("AccountName", people::account_name(language)),
        ("Token", people::token(language)),
        ("Event", people::event(language)),
        ("Problem", problem(language)),
        ("Policy", policy(language)),
    ];
    schemas
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema.into_json()))
        .collect()
}

/// A page of a list: `{"NAME":[…],"next":…}`.
pub(super) fn page_of(name: &str, items: Schema, language: Language) -> Schema {
    let next = text().or_null().example(Value::Null).about(language.pick(
        "Send it as `after` to get the next page; null on the last one.",
        "作为 `after` 发送以获取下一页；最后一页为 null。",
    ));
    object(vec![(name, list_of(items)), ("next", next)])
}

fn album(language: Language) -> Schema {
    let t = |english, chinese| language.pick(english, chinese);
    object(vec![
        ("id", number().example(7)),
        ("name", text().example("Crete")),
        ("description", text().example("")),
        (
            "policy",
            refer_to("Policy").or_null().example(Value::Null).about(t(
                "Rules of its own; null: the site's.",
                "自身的规则；null 表示沿用站点的规则。",
            )),
        ),
        (
            "images",
            count().example(12).about(t("Live ones.", "有效图片数。")),
        ),
        ("is_default", truth().example(false)),
        ("created_at", instant()),
        ("updated_at", instant()),
    ])
}

fn policy(language: Language) -> Schema {
    any_object().example(json!({})).about(language.pick(
        "Rules about who may embed, and for how long images live.",
        "防盗链与有效期规则。",
    ))
}

fn problem(language: Language) -> Schema {
    let t = |english, chinese| language.pick(english, chinese);
    object(vec![
        ("type", text().example("urn:berth:problem:type_not_allowed")),
        (
            "title",
            text()
                .example(t("This type of file is not taken here", "不支持的文件类型"))
                .about(t(
                    "For people, in the language of `Accept-Language`.",
                    "给人看的文字，语言取决于 `Accept-Language`。",
                )),
        ),
        ("status", integer().least(400).most(599).example(415)),
        (
            "code",
            text()
                .example("type_not_allowed")
                .about(t("For programs: it never changes.", "给程序判断用，永不改变。")),
        ),
        (
            "detail",
            text()
                .optional()
                .about(t("What happened this time.", "这次具体发生了什么。")),
        ),
        (
            "field",
            text()
                .optional()
                .about(t("The field that is wrong.", "出错的字段。")),
        ),
        (
            "image",
            image_id().optional().about(t(
                "The other image (`already_live`).",
                "另一张图片（`already_live`）。",
            )),
        ),
        (
            "limit",
            count().optional().about(t(
                "In bytes (`request_too_large`).",
                "字节数上限（`request_too_large`）。",
            )),
        ),
        (
            "per_minute",
            count().optional().about(t(
                "(`token_rate_exceeded`, `account_rate_exceeded`)",
                "每分钟上限（`token_rate_exceeded`、`account_rate_exceeded`）。",
            )),
        ),
        (
            "file",
            count().optional().about(t(
                "Which file of an `atomic` batch, from 0.",
                "`atomic` 批次中出错的文件序号，从 0 起。",
            )),
        ),
        (
            "name",
            text()
                .optional()
                .about(t("The name of that file.", "该文件的名称。")),
        ),
        (
            "images",
            list_of(refer_to("Taken")).optional().about(t(
                "Of an upload of which nothing was taken: what became of each file.",
                "上传全部失败时，各文件的结果。",
            )),
        ),
    ])
    .about(t(
        "Every error is one of these (RFC 9457). Test for `code`.",
        "所有错误都是这种形式（RFC 9457）。程序请判断 `code`。",
    ))
}
