use domain::Scope;
use http_kit::Language;
use serde_json::Value;

use super::{
    operation::{Access, Operation, delete, get, patch, post},
    schema::{Schema, bytes, instant, integer, object, refer_to, text},
};

/// Codes that everything here has.
const OF_ALL: [&str; 3] = ["tus_version", "upload_not_found", "upload_locked"];

/// Codes of pieces, and of what comes of the last one.
const OF_PIECES: [&str; 17] = [
    "invalid_field",
    "offset_mismatch",
    "upload_is_whole",
    "piece_checksum_mismatch",
    "piece_too_long",
    "not_a_piece",
    "file_too_large",
    "type_not_allowed",
    "unreadable_file",
    "too_many_pixels",
    "not_decodable",
    "too_many_frames",
    "took_too_long",
    "checksum_mismatch",
    "quota_exceeded",
    "storage_full",
    "storage_read_only",
];

pub(super) fn operations(language: Language) -> Vec<Operation> {
    vec![
        create(language),
        describe(language),
        append(language),
        terminate(language),
    ]
}

fn id() -> Schema {
    text().example("7h9KzQm2xRfW")
}

fn create(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    post("/v1/uploads", "createUpload", t("Begin an upload in pieces", "创建分片上传"))
        .about(t(
            "tus 1.0.0: creation, creation-with-upload, concatenation. `Upload-Metadata` names `filename`, `filetype`, `album`, `visibility`, `expires_in`, `description`, `name` and `checksum`, as the form of an upload does. `Location` is the upload's URL.",
            "tus 1.0.0：支持 creation、creation-with-upload、concatenation。`Upload-Metadata` 可含 `filename`、`filetype`、`album`、`visibility`、`expires_in`、`description`、`name` 与 `checksum`，含义同表单上传。`Location` 为该上传的地址。",
        ))
        .access(Access::Own(Scope::Upload))
        .keeps_to_album()
        .needs_header("Tus-Resumable", text().example("1.0.0"))
        .needs_header("Upload-Length", text().example("1000").about(t("Bytes of the file; passed over with `final`.", "文件字节数；`final` 时忽略。")))
        .header("Upload-Metadata", text())
        .header("Upload-Concat", text().about(t("`partial`, or `final;` and the URLs of the parts.", "`partial`，或 `final;` 加各分段地址。")))
        .header("Upload-Checksum", text())
        .takes("application/offset+octet-stream", bytes(), &Value::Null)
        .answers_nothing(201, t("Begun.", "已创建。"))
        .refuses(&OF_ALL)
        .refuses(&OF_PIECES)
        .refuses(&["empty_file", "no_file", "album_not_allowed", "parts_incomplete", "too_many_uploads"])
}

fn describe(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    let upload = object(vec![
        ("id", id()),
        ("length", integer().least(1)),
        (
            "offset",
            integer()
                .least(0)
                .about(t("Bytes that are here for good.", "已可靠保存的字节数。")),
        ),
        ("expires_at", instant()),
        ("image", refer_to("Image").or_null()),
    ]);
    get("/v1/uploads/{id}", "getUpload", t("How far it has come", "查询上传进度"))
        .about(t(
            "With the image when there is one. HEAD says the same as tus does (`Upload-Offset`, `Upload-Length`), and ends the request that is writing to the upload.",
            "完成后附带图片信息。HEAD 按 tus 返回 `Upload-Offset` 与 `Upload-Length`，并使正在写入的请求停止。",
        ))
        .access(Access::Own(Scope::Upload))
        .keeps_to_album()
        .path_part("id", id())
        .answers(200, t("The upload.", "上传信息。"), upload)
        .refuses(&OF_ALL)
}

fn append(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    patch("/v1/uploads/{id}", "appendToUpload", t("Add a piece", "上传分片"))
        .about(t(
            "With the last one the image is there: `Upload-Result` is its link, `Location` its URL in the API.",
            "最后一片完成后即生成图片：`Upload-Result` 为图片链接，`Location` 为其 API 地址。",
        ))
        .access(Access::Own(Scope::Upload))
        .keeps_to_album()
        .path_part("id", id())
        .needs_header("Tus-Resumable", text().example("1.0.0"))
        .needs_header("Upload-Offset", text().example("0"))
        .header("Upload-Checksum", text().about(t("`sha1`, `md5` or `sha256`, and the digest in base64.", "`sha1`、`md5` 或 `sha256`，后接 base64 摘要。")))
        .takes("application/offset+octet-stream", bytes(), &Value::Null)
        .answers_nothing(204, t("Taken.", "已接收。"))
        .refuses(&OF_ALL)
        .refuses(&OF_PIECES)
        .refuses(&["album_not_allowed"])
}

fn terminate(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    delete("/v1/uploads/{id}", "terminateUpload", t("Drop it", "取消上传"))
        .about(t(
            "Its bytes are freed. An image that came of it stays.",
            "释放已上传的内容；已生成的图片保留。",
        ))
        .access(Access::Own(Scope::Upload))
        .keeps_to_album()
        .path_part("id", id())
        .needs_header("Tus-Resumable", text().example("1.0.0"))
        .answers_nothing(204, t("Dropped.", "已取消。"))
        .refuses(&OF_ALL)
}
