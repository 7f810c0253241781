use domain::ResumeRefusal;
use http::{HeaderName, HeaderValue, StatusCode};
use http_kit::{Language, Problem};

use super::{Failure, say};

/// tus: the bytes do not fit the checksum of their piece.
const CHECKSUM_MISMATCH: u16 = 460;

/// Status and words of every refusal of an upload in pieces.
pub(super) fn problem(refusal: &ResumeRefusal, language: Language) -> Problem {
    let code = refusal.code();
    let say =
        |status, english: &'static str, chinese: &'static str| say(status, code, language, english, chinese);
    match refusal {
        ResumeRefusal::OtherVersion => say(
            StatusCode::PRECONDITION_FAILED,
            "tus 1.0.0 is spoken here: send Tus-Resumable: 1.0.0",
            "此处使用 tus 1.0.0：请发送 Tus-Resumable: 1.0.0",
        )
        .header(
            HeaderName::from_static("tus-version"),
            HeaderValue::from_static("1.0.0"),
        ),
        ResumeRefusal::NoSuchUpload => say(
            StatusCode::NOT_FOUND,
            "There is no such upload, or it is over",
            "上传不存在或已过期",
        ),
        ResumeRefusal::OffsetMismatch { offset } => say(
            StatusCode::CONFLICT,
            "The piece does not begin where the upload ends; ask for its offset again",
            "分片起点与已上传长度不符，请重新查询",
        )
        .header(
            HeaderName::from_static("upload-offset"),
            HeaderValue::from(*offset),
        ),
        ResumeRefusal::Held { wait } => say(
            StatusCode::LOCKED,
            "Another request writes to this upload; try again in a moment",
            "另一个请求正在写入此上传，请稍后再试",
        )
        .retry_after(*wait),
        ResumeRefusal::Whole => say(
            StatusCode::FORBIDDEN,
            "The upload is whole: nothing can be added",
            "上传已完整，不能再追加",
        ),
        ResumeRefusal::PieceChecksum => say(
            StatusCode::from_u16(CHECKSUM_MISMATCH).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY),
            "The piece does not fit its checksum and was dropped; send it again",
            "分片与校验和不符，已丢弃，请重新发送",
        ),
        ResumeRefusal::PieceTooLong => say(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The piece goes past the end of the upload",
            "分片超出了上传的总长度",
        ),
        ResumeRefusal::NotAPiece => say(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "A piece of an upload is sent as application/offset+octet-stream",
            "分片须以 application/offset+octet-stream 发送",
        ),
        ResumeRefusal::PartsIncomplete => say(
            StatusCode::CONFLICT,
            "A part has not come whole yet",
            "尚有分段未上传完整",
        ),
        ResumeRefusal::TooManyUploads { limit } => say(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many uploads are under way; finish or drop some first",
            "进行中的上传过多，请先完成或取消一些",
        )
        .extra("limit", *limit)
        .retry_after(std::time::Duration::from_mins(1)),
    }
}

impl From<ResumeRefusal> for Failure {
    fn from(refusal: ResumeRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}
