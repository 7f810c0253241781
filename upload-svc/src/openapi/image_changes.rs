use domain::Scope;
use http_kit::Language;
use serde_json::{Value, json};

use super::{
    images::{OF_FILES, example_ids, with_checksums},
    operation::{Access, Operation, delete, patch, post, put},
    schema::{Schema, bytes, instant, list_of, number, object, one_of, refer_to, text, truth},
    schemas::{image_id, visibility},
};

pub(super) fn operations(language: Language) -> Vec<Operation> {
    vec![
        change(language),
        withdraw(language),
        restore(language),
        replace(language),
        bulk(language),
    ]
}

pub(super) fn if_match(operation: Operation, language: Language) -> Operation {
    let about = language.pick(
        "The `ETag` of it as you know it; if somebody has changed it since: 412 `precondition_failed`.",
        "您所知的 `ETag`；若其间已被修改，返回 412 `precondition_failed`。",
    );
    operation
        .header("If-Match", text().about(about))
        .refuses(&["precondition_failed"])
}

fn expires_at(language: Language) -> Schema {
    instant()
        .or_null()
        .example("2030-01-01T00:00:00Z")
        .about(language.pick("A time to come; null: never.", "将来的时刻；null 表示永不过期。"))
}

fn change(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    let fields = object(vec![
        ("name", text().pattern(r"\S").optional()),
        ("description", text().longest(16_384).optional()),
        (
            "album",
            number()
                .optional()
                .about(t("An album of the image's owner.", "图片所有者的相册。")),
        ),
        ("expires_at", expires_at(language).optional()),
        ("visibility", visibility(language).optional()),
        ("policy", refer_to("Policy").or_null().optional()),
    ])
    .with("additionalProperties", false);
    let operation = patch(
        "/v1/images/{id}",
        "changeImage",
        t("Change an image", "修改图片信息"),
    )
    .about(t("What is absent stays.", "未提供的字段保持不变。"))
    .access(Access::OwnOrAdmin(Scope::Manage))
    .keeps_to_album()
    .refuses(&["album_not_allowed"])
    .path_part("id", image_id())
    .takes_json(
        fields,
        &json!({ "name": "harbour.jpg", "description": "Chania, in the morning" }),
    )
    .answers(
        200,
        t("The image as it is now.", "修改后的图片。"),
        refer_to("Image"),
    )
    .with_headers(&["ETag"])
    .refuses(&["not_found"]);
    if_match(operation, language)
}

fn withdraw(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    let operation = delete("/v1/images/{id}", "withdrawImage", t("Withdraw an image", "撤回图片"))
        .about(t(
            "From this moment none of its URLs answers. It can be restored until the grace ends; then its bytes are freed, unless another image has them.",
            "立即生效：其所有链接不再可访问。宽限期内可恢复；之后若无其他图片使用，文件会被清除。",
        ))
        .access(Access::OwnOrAdmin(Scope::Manage))
        .keeps_to_album()
        .path_part("id", image_id())
        .answers_nothing(204, t("Withdrawn.", "已撤回。"))
        .refuses(&["not_found"]);
    if_match(operation, language)
}

fn restore(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    post("/v1/images/{id}/restore", "restoreImage", t("Bring an image back", "恢复图片"))
        .about(t(
            "What was withdrawn or has expired, until the grace ends. One that has expired lives as long as a new upload. A live image is answered as it is.",
            "恢复已撤回或已过期的图片，限宽限期内。过期的图片重新获得默认有效期；仍有效的图片原样返回。",
        ))
        .access(Access::OwnOrAdmin(Scope::Manage))
        .keeps_to_album()
        .path_part("id", image_id())
        .answers(200, t("The image.", "图片信息。"), refer_to("Image"))
        .with_headers(&["ETag"])
        .refuses(&[
            "not_found",
            "already_live",
            "quota_exceeded",
            "malformed_body",
            "request_too_large",
            "request_timeout",
        ])
}

fn replace(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    let form = object(vec![
        ("file", bytes()),
        ("checksum", super::images::checksum().optional()),
    ]);
    let operation = put("/v1/images/{id}/content", "replaceContent", t("Replace an image's bytes", "替换内容，链接不变"))
        .about(t(
            "The link stays. The body is the file, or a form with one `file`. Name, description, album, expiry and views stay; what follows from the bytes is new.",
            "请求体为文件本身，或只含一个 `file` 的表单。名称、说明、相册、有效期与访问量保持不变。",
        ))
        .access(Access::OwnOrAdmin(Scope::Manage))
        .keeps_to_album()
        .path_part("id", image_id())
        .takes("multipart/form-data", form, &Value::Null)
        .takes("application/octet-stream", bytes(), &Value::Null)
        .answers(200, t("The image with its new bytes.", "替换后的图片。"), refer_to("Image"))
        .with_headers(&["ETag"])
        .refuses(&OF_FILES)
        .refuses(&["not_found", "already_live", "quota_exceeded"]);
    if_match(with_checksums(operation, language), language)
}

fn bulk(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    let body = object(vec![
        ("ids", list_of(text()).with("minItems", 1).with("maxItems", 1000)),
        (
            "action",
            one_of(&["withdraw", "restore", "move", "expire", "visibility"]),
        ),
        (
            "album",
            number().optional().about(t("For `move`.", "用于 `move`。")),
        ),
        ("expires_at", expires_at(language).optional()),
        ("visibility", visibility(language).optional()),
        (
            "all",
            truth().optional().about(t(
                "Everybody's images; for administrators with the scope `admin`.",
                "包括他人的图片；需管理员及 `admin` 权限。",
            )),
        ),
    ])
    .with("additionalProperties", false);
    let result = object(vec![
        ("id", text().example("7h9KzQm2xRfW")),
        ("ok", truth().example(true)),
        ("problem", refer_to("Problem").optional()),
    ]);
    post("/v1/images/bulk", "changeImages", t("Change up to 1,000 images", "批量操作，最多 1000 张"))
        .about(t(
            "A result for each id, in the order sent. Every 200 ids are one transaction; where the database fails between two of them, the same request may be sent again.",
            "按发送顺序逐个返回结果。每 200 个为一个事务；若中途数据库故障，可原样重发。",
        ))
        .access(Access::OwnOrAdmin(Scope::Manage))
        .keeps_to_album()
        .refuses(&["album_not_allowed"])
        .takes_json(body, &json!({ "ids": example_ids(), "action": "withdraw" }))
        .answers(200, t("What became of each.", "各项结果。"), object(vec![("results", list_of(result))]))
}
