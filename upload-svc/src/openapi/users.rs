use http_kit::Language;
use serde_json::json;

use super::{
    image_changes::if_match,
    operation::{Access, Operation, delete, get, patch, post},
    schema::{Schema, count, instant, number, object, refer_to, text, truth},
    schemas::{account_members, page_of, role},
};

pub(super) fn operations(language: Language) -> Vec<Operation> {
    let t = |english, chinese| language.pick(english, chinese);
    vec![
        get("/v1/users", "listUsers", t("List accounts", "列出账户"))
            .about(t("In the order in which they were made.", "按创建顺序。"))
            .access(Access::Admin)
            .paged(language)
            .answers(200, t("A page of accounts.", "一页账户。"), page_of("users", refer_to("Account"), language)),
        make(language),
        get("/v1/users/{id}", "getUser", t("One account", "查看账户"))
            .access(Access::Admin)
            .path_part("id", number())
            .answers(200, t("The account.", "账户信息。"), refer_to("Account"))
            .with_headers(&["ETag"])
            .refuses(&["user_not_found"]),
        change(language),
        if_match(delete("/v1/users/{id}", "deleteUser", t("Delete an account", "删除账户"))
            .about(t(
                "Its sessions and tokens are gone, its name is free, and all of its images are withdrawn when this answers. There is no undo.",
                "其会话与令牌全部失效，用户名释放，名下图片全部撤回。不可撤销。",
            ))
            .access(Access::Admin)
            .path_part("id", number())
            .answers_nothing(204, t("Deleted.", "已删除。"))
            .refuses(&["user_not_found", "last_admin"]), language),
    ]
}

fn quota(language: Language) -> Schema {
    count()
        .or_null()
        .optional()
        .about(language.pick("Null: no limit.", "null 表示不限。"))
}

fn password(language: Language) -> Schema {
    text()
        .shortest(12)
        .optional()
        .about(language.pick("12 characters at least.", "至少 12 个字符。"))
}

fn make(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    let wanted = object(vec![
        (
            "username",
            text()
                .shortest(1)
                .longest(64)
                .pattern(r"^[\p{L}\p{N}._@+\-]{1,64}$"),
        ),
        ("password", password(language)),
        ("role", role().default("member")),
        ("quota_bytes", quota(language)),
        ("quota_files", quota(language)),
    ]);
    let mut members = account_members(language);
    members.push((
        "password",
        text().optional().about(t(
            "One that was drawn, this once.",
            "自动生成的密码，仅显示这一次。",
        )),
    ));
    post("/v1/users", "makeUser", t("Make an account", "新建账户"))
        .about(t(
            "Without `password` one is drawn, and shown in this answer alone.",
            "不提供 `password` 时自动生成，仅在本次回答中显示。",
        ))
        .access(Access::Admin)
        .takes_json(
            wanted,
            &json!({ "username": "bob", "role": "member", "quota_files": 1000 }),
        )
        .answers(201, t("The account.", "新账户。"), object(members))
        .with_headers(&["ETag"])
        .leads_to(&["getUser", "changeUser", "deleteUser"], "$response.body#/id")
        .refuses(&["username_taken"])
}

fn change(language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    let fields = object(vec![
        ("role", role().optional()),
        ("quota_bytes", quota(language)),
        ("quota_files", quota(language)),
        ("disabled", truth().optional()),
        (
            "scrub",
            text()
                .with("enum", json!(["keep", "location", "all", null]))
                .with("type", json!(["string", "null"]))
                .optional()
                .about(t(
                    "What of the metadata of their files is taken out; null: as the settings say.",
                    "去除其文件的哪些元数据；null 表示按系统设置。",
                )),
        ),
        ("password", password(language)),
    ]);
    let operation = patch("/v1/users/{id}", "changeUser", t("Change an account", "修改账户"))
        .about(t(
            "What is absent stays. Who is disabled or gets a new password is signed out at once. The last administrator can be neither disabled nor demoted.",
            "未提供的字段保持不变。被停用或被重设密码的账户立即退出登录。最后一个管理员不能停用或降级。",
        ))
        .access(Access::Admin)
        .path_part("id", number())
        .takes_json(fields, &json!({ "quota_bytes": 1_073_741_824, "quota_files": null }))
        .answers(200, t("The account as it is now.", "修改后的账户。"), refer_to("Account"))
        .with_headers(&["ETag"])
        .refuses(&["user_not_found", "last_admin"]);
    if_match(operation, language)
}

pub(super) fn events(language: Language) -> Vec<Operation> {
    let t = |english, chinese| language.pick(english, chinese);
    let operation = get("/v1/events", "listEvents", t("What happened", "操作记录"))
        .about(t(
            "Newest first: uploads with the client's address, sign-ins good and bad, refusals, deletions, changes of accounts and tokens.",
            "最新的在前：上传（含客户端地址）、登录成败、限流、删除、账户与令牌的变更。",
        ))
        .access(Access::Admin)
        .query("kind", text().pattern("^[a-z_]{0,64}$").about(t("A word such as `upload` or `sign_in_failed`.", "如 `upload`、`sign_in_failed`。")))
        .query("account", number().about(t("Who did it.", "操作者。")))
        .query("address", text().about(t("The client's address.", "客户端地址。")))
        .query("since", instant())
        .query("until", instant().about(t("It is not among them.", "不含此刻。")))
        .paged(language)
        .answers(200, t("A page of events.", "一页记录。"), page_of("events", refer_to("Event"), language));
    vec![operation]
}
