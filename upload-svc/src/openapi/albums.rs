use domain::Scope;
use http_kit::Language;
use serde_json::json;

use super::{
    image_changes::if_match,
    operation::{Access, Operation, delete, get, patch, post},
    schema::{Schema, object, one_of, refer_to, text},
    schemas::page_of,
};

const ID: &str = "$response.body#/id";

pub(super) fn operations(language: Language) -> Vec<Operation> {
    let t = |english, chinese| language.pick(english, chinese);
    vec![
        get("/v1/albums", "listAlbums", t("List your albums", "列出相册"))
            .about(t("In the order in which they were made.", "按创建顺序。"))
            .access(Access::Own(Scope::Read))
            .keeps_to_album()
            .paged(language)
            .answers(
                200,
                t("A page of albums.", "一页相册。"),
                page_of("albums", refer_to("Album"), language),
            ),
        post("/v1/albums", "makeAlbum", t("Make an album", "新建相册"))
            .access(Access::Own(Scope::Manage))
            .takes_json(fields(name()), &json!({ "name": "Crete" }))
            .answers(201, t("The album.", "新相册。"), refer_to("Album"))
            .with_headers(&["ETag"])
            .leads_to(&["getAlbum", "changeAlbum", "deleteAlbum"], ID)
            .refuses(&["album_name_taken"]),
        get("/v1/albums/{id}", "getAlbum", t("One album", "查看相册"))
            .access(Access::OwnOrAdmin(Scope::Read))
            .keeps_to_album()
            .path_part("id", album_number())
            .answers(200, t("The album.", "相册信息。"), refer_to("Album"))
            .with_headers(&["ETag"])
            .refuses(&["no_such_album"]),
        if_match(
            patch("/v1/albums/{id}", "changeAlbum", t("Change an album", "修改相册"))
                .about(t(
                    "What is absent stays. `default` can't be renamed.",
                    "未提供的字段保持不变。`default` 不能改名。",
                ))
                .access(Access::OwnOrAdmin(Scope::Manage))
                .keeps_to_album()
                .path_part("id", album_number())
                .takes_json(
                    fields(name().optional()),
                    &json!({ "description": "Spring 2026" }),
                )
                .answers(
                    200,
                    t("The album as it is now.", "修改后的相册。"),
                    refer_to("Album"),
                )
                .with_headers(&["ETag"])
                .refuses(&["no_such_album", "album_name_taken", "default_album"]),
            language,
        ),
        if_match(
            delete("/v1/albums/{id}", "deleteAlbum", t("Delete an album", "删除相册"))
                .access(Access::OwnOrAdmin(Scope::Manage))
                .path_part("id", album_number())
                .query(
                    "images",
                    one_of(&["keep", "withdraw"]).with("default", "keep").about(t(
                        "What becomes of its images: they move to `default`, or are withdrawn.",
                        "其中的图片：移到 `default`，或一并撤回。",
                    )),
                )
                .answers_nothing(204, t("Deleted.", "已删除。"))
                .refuses(&["no_such_album", "default_album", "invalid_field"]),
            language,
        ),
    ]
}

fn album_number() -> Schema {
    super::schema::number()
}

fn name() -> Schema {
    text()
        .shortest(1)
        .longest(255)
        .pattern(r"^[^\x00-\x1F\x7F-\x9F]*[^\x00-\x1F\x7F-\x9F\s][^\x00-\x1F\x7F-\x9F]*$")
}

fn fields(name: Schema) -> Schema {
    object(vec![
        ("name", name),
        ("description", text().longest(16_384).optional()),
        ("policy", refer_to("Policy").or_null().optional()),
    ])
    .with("additionalProperties", false)
}
