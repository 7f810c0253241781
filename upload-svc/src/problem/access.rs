use domain::AccessRefusal;
use http::StatusCode;
use http_kit::{Language, Problem};

use super::{challenge, say};

/// Status and words of every refusal by accounts, sessions, tokens and their limits.
pub(super) fn problem(refusal: &AccessRefusal, language: Language) -> Problem {
    let code = refusal.code();
    let say =
        |status, english: &'static str, chinese: &'static str| say(status, code, language, english, chinese);
    match refusal {
        AccessRefusal::InvalidLogin => challenge(say(
            StatusCode::UNAUTHORIZED,
            "The user name or the password is wrong",
            "用户名或密码错误",
        )),
        AccessRefusal::WrongPassword => say(StatusCode::FORBIDDEN, "The old password is wrong", "原密码错误"),
        AccessRefusal::SignInThrottled { wait } => say(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many tries to sign in; wait a little",
            "登录尝试过于频繁，请稍后再试",
        )
        .retry_after(*wait),
        AccessRefusal::TokenRateExceeded { per_minute, wait } => say(
            StatusCode::TOO_MANY_REQUESTS,
            "This token is used more often than it may be",
            "该令牌的请求过于频繁",
        )
        .extra("per_minute", *per_minute)
        .retry_after(*wait),
        AccessRefusal::AccountRateExceeded { per_minute, wait } => say(
            StatusCode::TOO_MANY_REQUESTS,
            "This account sends more requests than it may",
            "该账户的请求过于频繁",
        )
        .extra("per_minute", *per_minute)
        .retry_after(*wait),
        AccessRefusal::Busy { wait } => say(
            StatusCode::SERVICE_UNAVAILABLE,
            "The server is busy checking passwords",
            "服务器繁忙，请稍后再试",
        )
        .retry_after(*wait),
        AccessRefusal::CrossSite => say(
            StatusCode::FORBIDDEN,
            "A change with the session cookie must come from berth's own page",
            "使用会话 Cookie 的修改请求必须来自本站页面",
        ),
        AccessRefusal::NotASession => say(
            StatusCode::BAD_REQUEST,
            "There is no session to sign out of: a token was sent",
            "没有可退出的会话：请求使用的是令牌",
        ),
        AccessRefusal::GrantTooWide(what) => say(
            StatusCode::FORBIDDEN,
            "A token can't grant more than its maker may do",
            "令牌的权限不能超过其创建者",
        )
        .extra("field", *what),
        AccessRefusal::OtherAlbum => say(
            StatusCode::FORBIDDEN,
            "This token is good for its own album only",
            "该令牌仅限指定相册使用",
        ),
        AccessRefusal::NoSuchToken => say(StatusCode::NOT_FOUND, "There is no such token", "令牌不存在"),
        AccessRefusal::NoSuchUser => say(StatusCode::NOT_FOUND, "There is no such user", "用户不存在"),
        AccessRefusal::UsernameTaken => say(StatusCode::CONFLICT, "The user name is taken", "用户名已被使用"),
        AccessRefusal::LastAdmin => say(
            StatusCode::CONFLICT,
            "This is the last administrator: make another one first",
            "这是最后一个管理员：请先设置另一个管理员",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path, time::Duration};

    use domain::{ImageRefusal, PublicId, Refusal, RepeatRefusal, ResumeRefusal, Scope};

    use super::*;
    use crate::problem::Failure;

    /// The row of docs/ERRORS.md that a problem must have; `…` stands for what differs from time to time.
    fn row_of(failure: &Failure) -> (String, [String; 2]) {
        let (english, chinese) = (failure.problem(Language::En), failure.problem(Language::Zh));
        let words = [english.clone(), chinese].map(|problem| {
            problem.document()["title"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        });
        (
            format!("| `{}` | {} |", english.code(), english.status().as_u16()),
            words,
        )
    }

    /// Whether `words` are those of a cell, in which `…` stands for anything.
    fn fits(cell: &str, words: &str) -> bool {
        match cell.split_once('…') {
            None => cell == words,
            Some((before, after)) => words.starts_with(before) && words.ends_with(after),
        }
    }

    #[test]
    fn every_refusal_has_its_row_in_the_documentation() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ERRORS.md");
        let text = fs::read_to_string(path).unwrap();
        let wait = Duration::from_secs(1);
        let access = [
            AccessRefusal::InvalidLogin,
            AccessRefusal::WrongPassword,
            AccessRefusal::SignInThrottled { wait },
            AccessRefusal::TokenRateExceeded { per_minute: 1, wait },
            AccessRefusal::AccountRateExceeded { per_minute: 1, wait },
            AccessRefusal::Busy { wait },
            AccessRefusal::CrossSite,
            AccessRefusal::NotASession,
            AccessRefusal::GrantTooWide("scopes"),
            AccessRefusal::OtherAlbum,
            AccessRefusal::NoSuchToken,
            AccessRefusal::NoSuchUser,
            AccessRefusal::UsernameTaken,
            AccessRefusal::LastAdmin,
        ];
        let images = [
            ImageRefusal::InvalidCursor,
            ImageRefusal::CursorMismatch,
            ImageRefusal::PreconditionFailed,
            ImageRefusal::AlreadyLive(PublicId::from_random([0; 16])),
            ImageRefusal::QuotaExceeded,
            ImageRefusal::ChecksumMismatch,
            ImageRefusal::NoSuchAlbum,
            ImageRefusal::AlbumNameTaken,
            ImageRefusal::DefaultAlbum,
        ];
        let others = [
            Refusal::Unauthenticated,
            Refusal::InvalidCredential,
            Refusal::ScopeMissing(Scope::Read),
            Refusal::NoFile,
            Refusal::EmptyFile,
            Refusal::TooManyFiles { limit: 1 },
            Refusal::FileTooLarge { limit: 1 },
            Refusal::RequestTooLarge { limit: 1 },
            Refusal::TypeNotAllowed,
            Refusal::Unreadable,
            Refusal::TooManyPixels { side: 1, pixels: 1 },
            Refusal::MalformedMultipart(String::new()),
            Refusal::MalformedBody(String::new()),
            Refusal::NotFound,
        ];
        let repeats = [
            RepeatRefusal::InvalidKey,
            RepeatRefusal::KeyReused,
            RepeatRefusal::UnderWay { wait },
            RepeatRefusal::AnswerLost,
        ];
        let resumes = [
            ResumeRefusal::OtherVersion,
            ResumeRefusal::NoSuchUpload,
            ResumeRefusal::OffsetMismatch { offset: 1 },
            ResumeRefusal::Held { wait },
            ResumeRefusal::Whole,
            ResumeRefusal::PieceChecksum,
            ResumeRefusal::PieceTooLong,
            ResumeRefusal::NotAPiece,
            ResumeRefusal::PartsIncomplete,
            ResumeRefusal::TooManyUploads { limit: 1 },
        ];
        let resumes = resumes.into_iter().map(Refusal::from);
        let images = images.into_iter().map(Refusal::from);
        let repeats = repeats.into_iter().map(Refusal::from);
        let all = access
            .into_iter()
            .map(Refusal::from)
            .chain(images)
            .chain(repeats)
            .chain(resumes)
            .chain(others);
        for failure in all.map(Failure::from) {
            let (begin, words) = row_of(&failure);
            let row = text.lines().find(|line| line.starts_with(&begin));
            let row = row.unwrap_or_else(|| panic!("no row begins with {begin}"));
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            assert!(fits(cells[3], &words[0]), "{row}\n{}", words[0]);
            assert!(fits(cells[4], &words[1]), "{row}\n{}", words[1]);
        }
    }
}
