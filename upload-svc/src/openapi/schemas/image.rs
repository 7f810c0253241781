use http_kit::Language;
use serde_json::{Value, json};

use crate::openapi::schema::{
    Schema, count, either, instant, list_of, number, object, one_of, refer_to, text, truth,
};

/// The public id of an image.
pub(in crate::openapi) fn image_id() -> Schema {
    text()
        .pattern("^[1-9A-HJ-NP-Za-km-z]{12}$")
        .example("7h9KzQm2xRfW")
}

/// Who may see an image.
pub(in crate::openapi) fn visibility(language: Language) -> Schema {
    one_of(&["public", "unlisted", "private"])
        .example("public")
        .about(language.pick(
            "`public`; `unlisted`: not in any list; `private`: seen by its owner alone, and through signed links.",
            "`public` 公开；`unlisted` 不出现在任何列表；`private` 仅自己可见，或通过签名链接访问。",
        ))
}

/// An image as every answer shows it.
pub(in crate::openapi) fn image(language: Language) -> Schema {
    let t = |english, chinese| language.pick(english, chinese);
    let mut members = vec![
        (
            "id",
            image_id().about(t("12 characters of base58.", "12 个 base58 字符。")),
        ),
        (
            "url",
            text()
                .with("format", "uri")
                .example("https://img.example.com/i/7h9KzQm2xRfW.jpg")
                .about(t("The link.", "图片链接。")),
        ),
        (
            "thumbnail_url",
            text()
                .with("format", "uri")
                .example("https://img.example.com/i/7h9KzQm2xRfW.webp?w=300")
                .about(t(
                    "300 pixels wide; it answers from the first moment on.",
                    "宽 300 像素的缩略图，上传后即可访问。",
                )),
        ),
        ("md5", md5()),
        ("sha256", sha256()),
        ("size_bytes", count().example(284_113)),
        (
            "media_type",
            text()
                .example("image/jpeg")
                .about(t("Told from the bytes.", "由文件内容判定。")),
        ),
        ("kind", one_of(&["image", "video"]).example("image")),
        (
            "width",
            count()
                .or_null()
                .example(1600)
                .about(t("In pixels, where it is known.", "像素宽度，未知时为 null。")),
        ),
        ("height", count().or_null().example(1200)),
        (
            "camera",
            refer_to("Camera").or_null().about(t(
                "With which camera it was taken; null where the stored file does not say.",
                "拍摄所用相机；存储的文件未记录时为 null。",
            )),
        ),
    ];
    members.extend(derived_of_image(language));
    members.extend(said_of_image(language));
    object(members)
}

/// What was made of an image after its upload.
fn derived_of_image(language: Language) -> Vec<(&'static str, Schema)> {
    let t = |english, chinese| language.pick(english, chinese);
    let variant = object(vec![
        (
            "url",
            text()
                .with("format", "uri")
                .example("https://img.example.com/i/7h9KzQm2xRfW.webp?w=300"),
        ),
        (
            "media_type",
            one_of(&["image/webp", "image/jpeg"]).example("image/webp"),
        ),
        ("width", count().example(300)),
        ("height", count().example(225)),
        ("size_bytes", count().example(9_812)),
    ]);
    vec![
        (
            "variants",
            list_of(variant).about(t(
                "Smaller copies that are there now, the narrowest first.",
                "当前已生成的缩小版本，由窄到宽。",
            )),
        ),
        (
            "thumbhash",
            text().or_null().example("1QcSHQRnh493V4dIh4eXh1h4kJUI").about(t(
                "Its look, blurred, in some 25 bytes of base64 (thumbhash); null until it was derived.",
                "约 25 字节的模糊预览（thumbhash，base64）；生成前为 null。",
            )),
        ),
        (
            "dominant_color",
            text()
                .pattern("^#[0-9a-f]{6}$")
                .or_null()
                .example("#3a6ea5")
                .about(t("The colour that most of it has.", "主色调。")),
        ),
    ]
}

/// What its owner says of an image, and what time does to it.
fn said_of_image(language: Language) -> Vec<(&'static str, Schema)> {
    let t = |english, chinese| language.pick(english, chinese);
    vec![
        ("name", text().example("sunset.jpg")),
        ("description", text().example("")),
        (
            "album",
            number()
                .example(1)
                .about(t("Its album's number.", "所属相册编号。")),
        ),
        ("visibility", visibility(language)),
        (
            "policy",
            refer_to("Policy").or_null().example(Value::Null).about(t(
                "Rules of its own; null: its album's.",
                "自身的规则；null 表示沿用相册的规则。",
            )),
        ),
        (
            "status",
            one_of(&["uploaded", "existing"]).example("uploaded").about(t(
                "`existing`: you had a live image of these bytes, and this is it.",
                "`existing`：您已有内容相同的图片，返回的就是它。",
            )),
        ),
        (
            "views",
            count()
                .example(0)
                .about(t("About a second behind.", "约有一秒延迟。")),
        ),
        ("created_at", instant()),
        ("updated_at", instant()),
        (
            "expires_at",
            instant()
                .or_null()
                .example("2027-02-19T08:30:00Z")
                .about(t("Null: never.", "null 表示永不过期。")),
        ),
        ("ends_by_policy", ends_by_policy(language)),
        (
            "taken_at",
            instant().or_null().example(Value::Null).about(t(
                "When it was taken, as the file says, by the clock on the wall where that was; by UTC's where `taken_zone` is null.",
                "拍摄时间（来自文件），以拍摄地时间表示；`taken_zone` 为 null 时按 UTC 表示。",
            )),
        ),
        (
            "taken_zone",
            text()
                .or_null()
                .example(Value::Null)
                .about(t("As `+08:00`; null where nothing tells.", "如 `+08:00`；未知时为 null。")),
        ),
        (
            "taken_source",
            text()
                .with(
                    "enum",
                    json!(["exif_original", "exif_created", "exif_modified", "xmp", "container", null]),
                )
                .with("type", json!(["string", "null"]))
                .example(Value::Null)
                .about(t("What told it.", "拍摄时间的来源。")),
        ),
        ("ended_at", instant().or_null().example(Value::Null)),
        (
            "ended_by",
            text()
                .with("enum", json!(["withdrawn", "expired", null]))
                .with("type", json!(["string", "null"]))
                .example(Value::Null)
                .about(t("Null while it is live.", "有效期间为 null。")),
        ),
        (
            "signed_url",
            text()
                .with("format", "uri")
                .or_null()
                .example(Value::Null)
                .about(t(
                    "With what its owner looks at a private image, for an hour; null for the others.",
                    "私有图片供本人查看的签名链接，一小时内有效；其他图片为 null。",
                )),
        ),
        (
            "delete_url",
            text()
                .with("format", "uri")
                .optional()
                .example("https://img.example.com/d/7h9KzQm2xRfW.0.Q8m2vXw5tYk1")
                .about(t(
                    "Whoever has this link may withdraw the image. Told to who uploads it and to who has `manage`.",
                    "持有此链接者可撤回图片。仅告知上传者和拥有 `manage` 权限者。",
                )),
        ),
    ]
}

fn ends_by_policy(language: Language) -> Schema {
    truth().example(false).about(language.pick(
        "Nobody said when it ends: a policy's `expiry.sliding` may let views keep it alive.",
        "未指定有效期：策略的 `expiry.sliding` 可使浏览为其续期。",
    ))
}

fn md5() -> Schema {
    text()
        .pattern("^[0-9a-f]{32}$")
        .example("7d4496551a953ca22cbf92a45e0057d4")
}

fn sha256() -> Schema {
    text()
        .pattern("^[0-9a-f]{64}$")
        .example("0d1c6f7a4c1f2f5b8f0f7d2f3a9b6e5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a")
}

/// One file of an upload: an image, or why it is none.
pub(in crate::openapi) fn taken(language: Language) -> Schema {
    let t = |english, chinese| language.pick(english, chinese);
    either(vec![refer_to("Image"), refer_to("RefusedFile")]).about(t(
        "What became of one file of an upload.",
        "上传中单个文件的结果。",
    ))
}

/// A file of an upload that could not be taken.
pub(in crate::openapi) fn refused_file(language: Language) -> Schema {
    let members = vec![
        ("name", text().example("notes.txt")),
        ("problem", refer_to("Problem")),
    ];
    object(members).about(language.pick("A file that could not be taken.", "未能接收的文件。"))
}
