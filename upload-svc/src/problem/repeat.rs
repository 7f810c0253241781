use domain::RepeatRefusal;
use http::StatusCode;
use http_kit::{Language, Problem};

use super::{Failure, say};

/// Status and words of every refusal of a request that carries an `Idempotency-Key`.
pub(super) fn problem(refusal: &RepeatRefusal, language: Language) -> Problem {
    let code = refusal.code();
    let say =
        |status, english: &'static str, chinese: &'static str| say(status, code, language, english, chinese);
    match refusal {
        RepeatRefusal::InvalidKey => say(
            StatusCode::BAD_REQUEST,
            "An Idempotency-Key is 1 to 255 printable characters",
            "Idempotency-Key 应为 1 至 255 个可打印字符",
        ),
        RepeatRefusal::KeyReused => say(
            StatusCode::UNPROCESSABLE_ENTITY,
            "This Idempotency-Key came before, with another request",
            "该 Idempotency-Key 已用于另一个请求",
        ),
        RepeatRefusal::UnderWay { wait } => say(
            StatusCode::CONFLICT,
            "The same request is still under way; ask again in a moment",
            "相同的请求正在处理中，请稍后再试",
        )
        .retry_after(*wait),
        RepeatRefusal::AnswerLost => say(
            StatusCode::CONFLICT,
            "This request was done, but its answer can't be read any more",
            "该请求已处理完毕，但其应答已无法读取",
        ),
    }
}

impl From<RepeatRefusal> for Failure {
    fn from(refusal: RepeatRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}
