use domain::Scope;
use http_kit::Language;

use super::{
    operation::{Access, Operation, get},
    schema::{Schema, count, instant, list_of, object, one_of, text, truth},
    schemas::image_id,
};

fn day() -> Schema {
    text().with("format", "date").example("2026-11-21")
}

/// What was asked for, in numbers.
fn used(language: Language) -> Vec<(&'static str, Schema)> {
    let t = |english, chinese| language.pick(english, chinese);
    vec![
        (
            "views",
            count().example(42).about(t(
                "By people, as far as anybody can tell.",
                "访问次数（不含爬虫）。",
            )),
        ),
        (
            "bytes",
            count()
                .example(1_204_224)
                .about(t("Sent for them.", "为此发送的字节数。")),
        ),
        (
            "bots",
            count().example(3).about(t(
                "By programs that say that they are ones.",
                "自称爬虫的程序的访问次数。",
            )),
        ),
        (
            "bot_bytes",
            count()
                .example(86_016)
                .about(t("Sent for those.", "为爬虫发送的字节数。")),
        ),
        (
            "refusals",
            count().example(0).about(t(
                "Requests that the hotlink rules refused.",
                "被防盗链规则拒绝的请求数。",
            )),
        ),
    ]
}

fn days(language: Language) -> Schema {
    let mut members = vec![("day", day())];
    members.extend(used(language));
    list_of(object(members)).about(language.pick(
        "In UTC, the first first; days on which nothing was asked for are not among them.",
        "按 UTC 日期升序；没有请求的日子不列出。",
    ))
}

/// Members that tell of sites.
fn sites(language: Language) -> Vec<(&'static str, Schema)> {
    let t = |english, chinese| language.pick(english, chinese);
    let site = || {
        text().or_null().example("blog.example").about(t(
            "The host of the `Referer`; null: the request named none.",
            "`Referer` 的主机名；null 表示请求未注明来源。",
        ))
    };
    let shown = object(vec![
        ("site", site()),
        ("views", count()),
        ("bytes", count()),
        ("refusals", count()),
    ]);
    let refused = object(vec![("site", site()), ("refusals", count()), ("views", count())]);
    let other = object(vec![
        ("views", count()),
        ("bytes", count()),
        ("refusals", count()),
    ]);
    vec![
        (
            "sites",
            list_of(shown).about(t(
                "Where it is shown, most views first, up to 100. Bots apart.",
                "展示图片的站点，访问多的在前，最多 100 个；不含爬虫。",
            )),
        ),
        (
            "refused_sites",
            list_of(refused).about(t(
                "Who hotlinks: most refusals first, up to 100.",
                "盗链来源，被拒次数多的在前，最多 100 个。",
            )),
        ),
        (
            "other_sites",
            other.about(t("All that are not named.", "其余未列出的站点合计。")),
        ),
    ]
}

fn with_period(operation: Operation, language: Language) -> Operation {
    let t = |english, chinese| language.pick(english, chinese);
    operation
        .query(
            "from",
            day().about(t(
                "The first day (UTC). The 30 days up to `to` when absent; 400 at most.",
                "起始日期（UTC）。缺省为截至 `to` 的 30 天，最长 400 天。",
            )),
        )
        .query(
            "to",
            day().about(t("The last day. Today when absent.", "截止日期，缺省为今天。")),
        )
        .refuses(&["invalid_field"])
}

pub(super) fn of_image(language: Language) -> Vec<Operation> {
    let t = |english, chinese| language.pick(english, chinese);
    let mut members = vec![
        ("id", image_id()),
        ("from", day()),
        ("to", day()),
        (
            "total",
            object(used(language)).about(t("Since it was published.", "发布以来的总数。")),
        ),
        ("last_viewed_at", instant().or_null()),
        ("days", days(language)),
    ];
    members.extend(sites(language));
    let operation = get(
        "/v1/images/{id}/usage",
        "getImageUsage",
        t("How an image is used", "图片的使用情况"),
    )
    .about(t(
        "About a second behind. Of images that have ended, too.",
        "约有一秒延迟。已结束的图片同样可查。",
    ))
    .access(Access::OwnOrAdmin(Scope::Read))
    .keeps_to_album()
    .path_part("id", image_id())
    .answers(200, t("By day and by site.", "按日期与站点。"), object(members))
    .refuses(&["not_found"]);
    vec![with_period(operation, language)]
}

pub(super) fn stats(language: Language) -> Vec<Operation> {
    let t = |english, chinese| language.pick(english, chinese);
    let mut totals = vec![
        ("images", count().about(t("Live ones, now.", "当前有效图片数。"))),
        (
            "stored_bytes",
            count().about(t("What they take.", "占用字节数。")),
        ),
    ];
    totals.extend(used(language));
    let link = || vec![("id", image_id()), ("url", text()), ("name", text())];
    let mut top = link();
    top.extend([("views", count()), ("bytes", count())]);
    let mut expiring = link();
    expiring.push(("expires_at", instant()));
    let storage = object(vec![
        ("media_type", text().example("image/png")),
        ("kind", one_of(&["image", "video"])),
        ("images", count()),
        ("bytes", count()),
    ]);
    let soon = object(vec![
        ("before", instant()),
        (
            "count",
            count().about(t("Counted up to 10,000.", "最多计到 10,000。")),
        ),
        (
            "images",
            list_of(object(expiring)).about(t("The first 20.", "最先过期的 20 张。")),
        ),
    ]);
    let mut members = vec![
        ("from", day()),
        ("to", day()),
        ("totals", object(totals)),
        ("days", days(language)),
        (
            "top_images",
            list_of(object(top)).about(t("The 20 most viewed.", "访问最多的 20 张。")),
        ),
        (
            "storage",
            list_of(storage).about(t("By format, the largest first.", "按格式，占用多的在前。")),
        ),
        (
            "expiring_soon",
            soon.about(t("Within seven days.", "七天内过期。")),
        ),
    ];
    let damaged = object(vec![
        ("count", count()),
        (
            "images",
            list_of(object(link())).about(t("The first 20.", "最早的 20 张。")),
        ),
    ]);
    members.push((
        "damaged",
        damaged.about(t(
            "Live ones whose bytes the disk has lost or changed. They are not shown until the same file is sent again.",
            "文件丢失或损坏的有效图片：重新上传同一文件即可恢复，此前不再显示。",
        )),
    ));
    members.extend(sites(language));
    let operation = get(
        "/v1/stats",
        "getStats",
        t("What you have and how it is used", "统计"),
    )
    .about(t(
        "Read from rows that are kept as views come in: as quick with ten million images as with ten.",
        "取自随访问更新的汇总，与图片总数无关。",
    ))
    .access(Access::OwnOrAdmin(Scope::Read))
    .query(
        "all",
        truth().with("default", false).about(t(
            "Everybody's; for administrators with the scope `admin`.",
            "统计所有人；需管理员及 `admin` 权限。",
        )),
    )
    .answers(200, t("The figures.", "统计数据。"), object(members));
    vec![with_period(operation, language)]
}
