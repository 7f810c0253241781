use domain::FileRefusal;
use http::StatusCode;
use http_kit::{Language, Problem};

use super::say;

/// Status and words of every refusal by what is in a file.
pub(super) fn problem(refusal: &FileRefusal, language: Language) -> Problem {
    let say = |english: String, chinese: String| {
        say(
            StatusCode::UNPROCESSABLE_ENTITY,
            refusal.code(),
            language,
            english,
            chinese,
        )
    };
    match refusal {
        FileRefusal::TooManyFrames { frames, pixels } => {
            let megapixels = pixels / 1_000_000;
            say(
                format!(
                    "The animation is too large: {frames} frames and {megapixels} megapixels in all of them at most"
                ),
                format!("动画过大：最多 {frames} 帧，所有帧合计最多 {megapixels} 百万像素"),
            )
        }
        FileRefusal::NotDecodable(reason) => say(
            "The file is damaged: it can't be decoded".to_owned(),
            "文件已损坏，无法解码".to_owned(),
        )
        .detail(reason.clone()),
        FileRefusal::TookTooLong => say(
            "The file takes too long to decode".to_owned(),
            "文件解码耗时过长".to_owned(),
        ),
    }
}
