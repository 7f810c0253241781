use domain::ImageRefusal;
use http::StatusCode;
use http_kit::{Language, Problem};

use super::say;

/// Status and words of every refusal by images and albums that are there.
pub(super) fn problem(refusal: &ImageRefusal, language: Language) -> Problem {
    let code = refusal.code();
    let say =
        |status, english: &'static str, chinese: &'static str| say(status, code, language, english, chinese);
    match refusal {
        ImageRefusal::InvalidCursor => say(
            StatusCode::BAD_REQUEST,
            "`after` is not what a list gave as `next`",
            "after 参数无效：请使用列表返回的 next",
        ),
        ImageRefusal::CursorMismatch => say(
            StatusCode::BAD_REQUEST,
            "`after` belongs to a list with another order or other filters",
            "after 参数与当前的排序或筛选条件不符",
        ),
        ImageRefusal::PreconditionFailed => say(
            StatusCode::PRECONDITION_FAILED,
            "It has changed since; look at it again",
            "内容已被修改，请重新获取后再试",
        ),
        ImageRefusal::AlreadyLive(other) => say(
            StatusCode::CONFLICT,
            "You have a live image of the same bytes",
            "您已有一张内容相同的图片",
        )
        .extra("image", other.as_str()),
        ImageRefusal::QuotaExceeded => say(
            StatusCode::INSUFFICIENT_STORAGE,
            "Your quota is used up; withdraw something first",
            "您的存储配额已用完，请先删除一些图片",
        ),
        ImageRefusal::ChecksumMismatch => say(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The bytes that arrived don't fit the checksum; send them again",
            "收到的内容与校验和不符，请重新上传",
        ),
        ImageRefusal::NoSuchAlbum => say(StatusCode::NOT_FOUND, "There is no such album", "相册不存在"),
        ImageRefusal::AlbumNameTaken => say(
            StatusCode::CONFLICT,
            "You have an album of that name",
            "同名相册已存在",
        ),
        ImageRefusal::DefaultAlbum => say(
            StatusCode::CONFLICT,
            "The album `default` can be neither renamed nor deleted",
            "默认相册不能重命名或删除",
        ),
    }
}
