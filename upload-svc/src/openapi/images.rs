use domain::Scope;
use http_kit::Language;
use serde_json::{Value, json};

use super::{
    operation::{Access, Operation, get, post},
    schema::{Schema, bytes, either, instant, list_of, number, object, one_of, refer_to, text, truth},
    schemas::{image_id, page_of, visibility},
};

/// Codes of what may be wrong with a file that arrives.
pub(super) const OF_FILES: [&str; 15] = [
    "no_file",
    "empty_file",
    "malformed_multipart",
    "invalid_field",
    "too_many_files",
    "file_too_large",
    "type_not_allowed",
    "unreadable_file",
    "too_many_pixels",
    "too_many_frames",
    "not_decodable",
    "took_too_long",
    "checksum_mismatch",
    "storage_full",
    "storage_read_only",
];

/// The field `checksum` of a form.
pub(super) fn checksum() -> Schema {
    text().pattern("^(md5=[0-9A-Fa-f]{32}|sha256=[0-9A-Fa-f]{64})$")
}

/// Header fields of an upload that say what its file hashes to.
pub(super) fn with_checksums(operation: Operation, language: Language) -> Operation {
    let about = language.pick(
        "What the file (not the form) hashes to; other bytes are refused with 422 `checksum_mismatch`.",
        "文件（而非表单）的摘要；内容不符时返回 422 `checksum_mismatch`。",
    );
    operation
        .header(
            "Content-MD5",
            text().about(about).example("1B2M2Y8AsgTpgAmY7PhCfg=="),
        )
        .header(
            "Digest",
            text()
                .about(about)
                .example("sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        )
        .header(
            "Content-Digest",
            text()
                .about(about)
                .example("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"),
        )
}

pub(super) fn operations(language: Language) -> Vec<Operation> {
    vec![
        upload(language),
        list(language),
        exists(language),
        describe(language),
    ]
}

fn upload(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    let file = either(vec![
        bytes(),
        list_of(bytes()).with("minItems", 1).with("maxItems", 50),
    ]);
    let form = object(vec![
        (
            "file",
            file.about(t(
                "The file; repeat it for several, up to 50.",
                "文件；可重复，最多 50 个。",
            )),
        ),
        (
            "album",
            text().optional().about(t(
                "The number of one of your albums. The token's, or your `default`, when absent.",
                "相册编号；缺省为令牌绑定的相册或 `default`。",
            )),
        ),
        (
            "expires_in",
            text().optional().about(t(
                "How long they live: `90s`, `15m`, `7d`; `0` is for ever.",
                "有效期，如 `90s`、`15m`、`7d`；`0` 为永久。",
            )),
        ),
        (
            "name",
            text().optional().about(t(
                "Their name, instead of the file's own.",
                "名称，替代原文件名。",
            )),
        ),
        (
            "description",
            text().optional().about(t("Your words.", "说明文字。")),
        ),
        ("visibility", visibility(language).optional()),
        (
            "scrub",
            one_of(&["keep", "location", "all"]).optional().about(t(
                "What of their metadata is taken out. As the account or the settings say, when absent.",
                "去除哪些元数据；缺省时按账户或系统设置。",
            )),
        ),
        (
            "atomic",
            truth().optional().about(t(
                "All of them or none: the first thing against one of them is the answer.",
                "全部成功或全部不保存：任一文件出错即返回该错误。",
            )),
        ),
        (
            "checksum",
            checksum().optional().about(t(
                "`md5=<hex>` or `sha256=<hex>`, with a single file.",
                "`md5=<hex>` 或 `sha256=<hex>`，仅限单个文件。",
            )),
        ),
    ]);
    let images = || object(vec![("images", list_of(refer_to("Taken")))]);
    let operation = post("/v1/images", "uploadImages", t("Upload 1 to 50 files", "上传 1 到 50 个文件"))
        .about(t(
            "`images` is in the order in which the files were sent. A file that could not be taken is `{\"name\", \"problem\"}` in its place, and the others are kept; when none could be taken, the answer is the first one's problem. The same bytes again answer the image that is there (`existing`), and it lives on at least as long as this upload asked.",
            "`images` 与文件的发送顺序一致。无法接收的文件以 `{\"name\", \"problem\"}` 占位，其余照常保存；全部失败时返回第一个文件的错误。重复上传相同内容会返回已有的图片（`existing`），并按本次要求延长有效期。",
        ))
        .access(Access::Own(Scope::Upload))
        .keeps_to_album()
        .takes("multipart/form-data", form, &Value::Null)
        .answers(201, t("At least one image is new.", "至少有一张是新的。"), images())
        .leads_to(&["getImage", "changeImage", "withdrawImage"], "$response.body#/images/0/id")
        .answers(200, t("All that was taken was there already.", "全部已存在。"), images())
        .leads_to(&["getImage"], "$response.body#/images/0/id")
        .refuses(&OF_FILES)
        .refuses(&["album_not_allowed", "quota_exceeded"]);
    with_checksums(operation, language)
}

/// A time or a day, as the filters of a list take it.
fn moment(about: &str) -> Schema {
    either(vec![
        instant(),
        text().with("format", "date").example("2024-05-01"),
    ])
    .about(about)
}

fn list(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    get("/v1/images", "listImages", t("List your images", "列出图片"))
        .about(t(
            "`next` goes back as `after`, with the same filters and the same `sort`. Times are instants, or days of UTC: `…_to` a day includes it.",
            "翻页时将 `next` 作为 `after` 发送，筛选与排序须保持一致。时间可为时刻或 UTC 日期；`…_to` 为日期时包含当天。",
        ))
        .access(Access::OwnOrAdmin(Scope::Read))
        .keeps_to_album()
        .refuses(&["album_not_allowed"])
        .query("sort", one_of(&["newest", "oldest", "taken", "name", "size"]).with("default", "newest").about(t(
            "`taken`: last taken first, undated ones behind; `size`: largest first.",
            "`taken`：最近拍摄在前，无日期在后；`size`：最大在前。",
        )))
        .query("album", number())
        .query("q", text().about(t("Text in the name or the description.", "名称或说明中的文字。")))
        .query("kind", one_of(&["image", "video"]))
        .query("visibility", one_of(&["public", "unlisted", "private"]))
        .query("taken_from", moment(t("Taken then or later.", "拍摄时间下限。")))
        .query("taken_to", moment(t("Taken before.", "拍摄时间上限。")))
        .query("no_date", truth().with("default", false).about(t(
            "Those of which nothing tells when they were taken.",
            "仅列出没有拍摄时间的。",
        )))
        .query("uploaded_from", moment(t("Uploaded then or later.", "上传时间下限。")))
        .query("uploaded_to", moment(t("Uploaded before.", "上传时间上限。")))
        .query("unused_since", moment(t("Last seen before this, or never.", "在此之后无人访问。")))
        .query("expiring_before", moment(t("Those that end before this.", "在此之前过期。")))
        .query("ended", truth().with("default", false).about(t(
            "Those that were withdrawn or have expired and can be restored, in place of the live ones.",
            "改为列出已撤回或已过期、仍可恢复的图片。",
        )))
        .query("all", truth().with("default", false).about(t(
            "Everybody's; for administrators with the scope `admin`.",
            "列出所有人的图片；需管理员及 `admin` 权限。",
        )))
        .paged(language)
        .answers(200, t("A page of images.", "一页图片。"), page_of("images", refer_to("Image"), language))
        .refuses(&["invalid_cursor", "cursor_mismatch"])
}

/// A digest of so many digits, in any case.
fn hexadecimal(digits: usize) -> Schema {
    text().pattern(&format!("^[0-9A-Fa-f]{{{digits}}}$"))
}

fn exists(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    let found = object(vec![
        ("exists", truth().example(true)),
        ("images", list_of(refer_to("Image"))),
    ]);
    get(
        "/v1/images/exists",
        "findImagesByContent",
        t("Find images by their bytes", "查询内容是否已存在"),
    )
    .about(t(
        "Are they here already? Among your own live images alone. Say `md5` or `sha256`.",
        "仅在您自己的有效图片中查找。请提供 `md5` 或 `sha256`。",
    ))
    .access(Access::Own(Scope::Read))
    .keeps_to_album()
    .query("md5", hexadecimal(32).example("7d4496551a953ca22cbf92a45e0057d4"))
    .query("sha256", hexadecimal(64))
    .answers(200, t("Whether, and which.", "是否存在及对应图片。"), found)
    .refuses(&["invalid_field"])
}

fn describe(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    get("/v1/images/{id}", "getImage", t("One image", "查看图片"))
        .access(Access::OwnOrAdmin(Scope::Read))
        .keeps_to_album()
        .path_part("id", image_id())
        .answers(200, t("The image.", "图片信息。"), refer_to("Image"))
        .with_headers(&["ETag"])
        .refuses(&["not_found"])
}

/// An example of a body with an id in it.
pub(super) fn example_ids() -> Value {
    json!(["7h9KzQm2xRfW"])
}
