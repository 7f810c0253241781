use http_kit::Language;

use crate::openapi::schema::{Schema, count, decimal, object, text, truth};

/// With which camera an image was taken.
pub(super) fn camera(language: Language) -> Schema {
    let t = |english, chinese| language.pick(english, chinese);
    let name = || text().longest(100).or_null();
    let members = vec![
        ("make", name().example("Apple")),
        ("model", name().example("iPhone 15 Pro")),
        (
            "lens",
            name()
                .example("iPhone 15 Pro back triple camera 6.765mm f/1.78")
                .about(t(
                    "Its name, or its focal lengths and openings.",
                    "镜头型号，或其焦距与光圈范围。",
                )),
        ),
        ("f_number", decimal().or_null().example(1.78)),
        (
            "exposure_seconds",
            decimal()
                .or_null()
                .example(0.008_333_33)
                .about(t("1/120 s is 0.00833333.", "1/120 秒为 0.00833333。")),
        ),
        ("iso", count().or_null().example(100)),
        ("focal_length_mm", decimal().or_null().example(6.76)),
        (
            "focal_length_35mm",
            count().or_null().example(24).about(t(
                "What shows as much on 35 mm film, in millimetres.",
                "等效 35 毫米焦距，单位毫米。",
            )),
        ),
        (
            "flash",
            truth()
                .or_null()
                .example(false)
                .about(t("Whether it fired.", "是否使用了闪光灯。")),
        ),
    ];
    object(members).about(t(
        "With which camera an image was taken and how that was set, as the stored file says. What is not known is null.",
        "拍摄所用相机及参数，取自存储的文件；未知的项为 null。",
    ))
}
