mod access;
mod file;
mod image;
mod repeat;
mod resume;

use std::{borrow::Cow, error::Error, time::Duration};

use domain::{AccessRefusal, FileRefusal, ImageRefusal, Refusal};
use http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE};
use http_kit::{BodyFault, Language, Problem, body_fault};

/// Why a request came to nothing: the one error type of this service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The client is told no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The body could not be read to its end.
    #[error("{0}")]
    Body(BodyFault),
    /// The database failed.
    #[error("the database failed")]
    Catalog(#[from] catalog::Error),
    /// The store failed.
    #[error("the store failed")]
    Blobs(#[from] blobs::Error),
    /// A session could not be signed.
    #[error("a session could not be signed")]
    Signing(#[from] jsonwebtoken::errors::Error),
    /// No decoder could be started.
    #[error("no decoder could be started")]
    Decoder(#[source] std::io::Error),
    /// One file of a batch that is taken whole or not at all.
    #[error("{name}: {failure}")]
    OfBatch {
        /// Which, counted from zero.
        place: usize,
        /// What its client calls it.
        name: String,
        /// What was against it.
        failure: Box<Failure>,
    },
    /// A task of ours died.
    #[error("a task died")]
    Task(#[from] tokio::task::JoinError),
}

/// When a client may try again after the database or the disk failed.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl Failure {
    /// Tells a broken form from a body that did not arrive, however deep multer has wrapped it.
    pub(crate) fn of_form(error: &multer::Error) -> Self {
        match body_fault(error) {
            Some(fault) => Self::Body(fault),
            None => Self::Refused(Refusal::MalformedMultipart(error.to_string())),
        }
    }

    /// The stable word for metrics and for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::OfBatch { failure, .. } => failure.code(),
            Self::Body(BodyFault::TooLarge) => "request_too_large",
            Self::Body(fault) => fault.problem(Language::En).code(),
            Self::Catalog(catalog::Error::Unavailable { .. }) => "database_away",
            Self::Blobs(blobs::Error::Full { .. }) => "storage_full",
            Self::Blobs(blobs::Error::ReadOnly { .. }) => "storage_read_only",
            Self::Blobs(error) if error.is_remote() => "store_away",
            Self::Catalog(_) | Self::Blobs(_) | Self::Signing(_) | Self::Decoder(_) | Self::Task(_) => {
                "internal"
            }
        }
    }

    /// The answer. Logs what is our own fault, once, here.
    pub(crate) fn problem(&self, language: Language) -> Problem {
        self.log();
        match self {
            Self::OfBatch { place, name, failure } => failure
                .problem(language)
                .extra("file", *place)
                .extra("name", name.as_str()),
            Self::Refused(refusal) => refusal_problem(refusal, language),
            Self::Body(BodyFault::TooLarge) => say(
                StatusCode::PAYLOAD_TOO_LARGE,
                self.code(),
                language,
                "The request is too large",
                "请求内容过大",
            ),
            Self::Body(fault) => fault.problem(language),
            Self::Catalog(catalog::Error::Unavailable { .. }) => {
                let english = "The database is away; nothing was stored, try again";
                let chinese = "数据库暂不可用，请稍后重试";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                say(status, self.code(), language, english, chinese).retry_after(RETRY_AFTER)
            }
            Self::Blobs(blobs::Error::ReadOnly { .. }) => {
                let english = "The server can't write to its disk; nothing was stored";
                let chinese = "服务器存储只读，文件未保存";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                say(status, self.code(), language, english, chinese).retry_after(RETRY_AFTER)
            }
            Self::Blobs(error) if error.is_remote() => {
                let english = "The store is away; nothing was stored, try again";
                let chinese = "存储服务暂不可用，文件未保存，请稍后重试";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                say(status, self.code(), language, english, chinese).retry_after(RETRY_AFTER)
            }
            Self::Blobs(blobs::Error::Full { .. }) => {
                let english = "The server's disk is full; nothing was stored";
                let chinese = "服务器存储空间已满，文件未保存";
                let status = StatusCode::INSUFFICIENT_STORAGE;
                say(status, self.code(), language, english, chinese)
            }
            Self::Catalog(_) | Self::Blobs(_) | Self::Signing(_) | Self::Decoder(_) | Self::Task(_) => {
                Problem::internal(language)
            }
        }
    }

    /// Whether the same file would be refused for ever: neither another credential nor more room would help.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Refused(Refusal::Access(_) | Refusal::Image(ImageRefusal::QuotaExceeded)) => false,
            Self::Refused(_) => true,
            _ => false,
        }
    }

    fn log(&self) {
        let error = self as &dyn Error;
        match self {
            // Its failure logs itself.
            Self::OfBatch { .. } => {}
            Self::Refused(_) | Self::Body(_) => tracing::debug!(code = self.code(), error, "refused"),
            Self::Catalog(catalog::Error::Unavailable { .. }) => {
                tracing::warn!(error, "the database is away");
            }
            _ => tracing::error!(error, "a request failed"),
        }
    }
}

impl From<AccessRefusal> for Failure {
    fn from(refusal: AccessRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<FileRefusal> for Failure {
    fn from(refusal: FileRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<ImageRefusal> for Failure {
    fn from(refusal: ImageRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<catalog::ChangeError> for Failure {
    fn from(error: catalog::ChangeError) -> Self {
        match error {
            catalog::ChangeError::Catalog(error) => Self::Catalog(error),
            catalog::ChangeError::NotFound => Refusal::NotFound.into(),
            catalog::ChangeError::Unexpected => ImageRefusal::PreconditionFailed.into(),
            catalog::ChangeError::NoSuchAlbum => no_such_album(),
            catalog::ChangeError::AlreadyLive(other) => ImageRefusal::AlreadyLive(other).into(),
            catalog::ChangeError::QuotaExceeded => ImageRefusal::QuotaExceeded.into(),
            catalog::ChangeError::TooLong(too_long) => Refusal::InvalidField {
                field: "expires_at",
                reason: too_long.to_string(),
            }
            .into(),
        }
    }
}

impl From<catalog::AlbumError> for Failure {
    fn from(error: catalog::AlbumError) -> Self {
        match error {
            catalog::AlbumError::Catalog(error) => Self::Catalog(error),
            catalog::AlbumError::NotFound => ImageRefusal::NoSuchAlbum.into(),
            catalog::AlbumError::NameTaken => ImageRefusal::AlbumNameTaken.into(),
            catalog::AlbumError::Unexpected => ImageRefusal::PreconditionFailed.into(),
            catalog::AlbumError::IsDefault => ImageRefusal::DefaultAlbum.into(),
        }
    }
}

impl<B> From<catalog::ReplaceError<B>> for Failure
where
    Self: From<B>,
{
    fn from(error: catalog::ReplaceError<B>) -> Self {
        match error {
            catalog::ReplaceError::Change(error) => error.into(),
            catalog::ReplaceError::Bytes(error) => Self::from(error),
        }
    }
}

/// An album that is named in a field, not in the URL.
fn no_such_album() -> Failure {
    Failure::Refused(Refusal::InvalidField {
        field: "album",
        reason: "there is no such album of yours".to_owned(),
    })
}

impl<B> From<catalog::PublishError<B>> for Failure
where
    Self: From<B>,
{
    fn from(error: catalog::PublishError<B>) -> Self {
        match error {
            catalog::PublishError::Catalog(error) => Self::Catalog(error),
            catalog::PublishError::Bytes(error) => Self::from(error),
            catalog::PublishError::NoSuchAlbum => no_such_album(),
            catalog::PublishError::QuotaExceeded => ImageRefusal::QuotaExceeded.into(),
        }
    }
}

fn say(
    status: StatusCode,
    code: &'static str,
    language: Language,
    english: impl Into<Cow<'static, str>>,
    chinese: impl Into<Cow<'static, str>>,
) -> Problem {
    let title = match language {
        Language::En => english.into(),
        Language::Zh => chinese.into(),
    };
    Problem::new(status, code, title).language(language)
}

/// Status and words of every refusal, on one screen.
fn refusal_problem(refusal: &Refusal, language: Language) -> Problem {
    let code = refusal.code();
    let say = |status, english: &str, chinese: &str| {
        say(status, code, language, english.to_owned(), chinese.to_owned())
    };
    match refusal {
        Refusal::Unauthenticated => challenge(say(
            StatusCode::UNAUTHORIZED,
            "A token is needed: send it as Authorization: Bearer TOKEN",
            "缺少凭证：请以 Authorization: Bearer TOKEN 发送令牌",
        )),
        Refusal::InvalidCredential => challenge(say(
            StatusCode::UNAUTHORIZED,
            "The token is not valid (unknown, expired or revoked)",
            "令牌无效（不存在、已过期或已吊销）",
        )),
        Refusal::ScopeMissing(scope) => say(
            StatusCode::FORBIDDEN,
            &format!("The token may not do this: it lacks the scope {scope}"),
            &format!("令牌权限不足：缺少 {scope} 权限"),
        ),
        Refusal::NoFile => say(
            StatusCode::BAD_REQUEST,
            "The form holds no file: send it in the field `file`",
            "表单中没有文件：请用 file 字段上传",
        ),
        Refusal::EmptyFile => say(StatusCode::BAD_REQUEST, "The file is empty", "文件为空"),
        Refusal::TooManyFiles { limit } => say(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("One request may bring {limit} files at most"),
            &format!("单次请求最多上传 {limit} 个文件"),
        ),
        Refusal::FileTooLarge { limit } => say(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("The file is too large: {} at most", mebibytes(*limit)),
            &format!("文件过大：最大允许 {}", mebibytes(*limit)),
        ),
        Refusal::RequestTooLarge { limit } => say(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("The request is too large: {} at most", mebibytes(*limit)),
            &format!("请求过大：最大允许 {}", mebibytes(*limit)),
        ),
        Refusal::TypeNotAllowed => say(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "This type of file is not taken here",
            "不支持的文件类型",
        ),
        Refusal::Unreadable => say(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The file is damaged: its header makes no sense",
            "文件已损坏，无法识别",
        ),
        Refusal::TooManyPixels { side, pixels } => say(
            StatusCode::UNPROCESSABLE_ENTITY,
            &format!(
                "The picture is too large: {side} pixels a side and {} megapixels at most",
                pixels / 1_000_000
            ),
            &format!(
                "图片尺寸过大：单边最多 {side} 像素，总计最多 {} 百万像素",
                pixels / 1_000_000
            ),
        ),
        Refusal::MalformedMultipart(reason) => say(
            StatusCode::BAD_REQUEST,
            "The multipart form is broken",
            "multipart 表单格式错误",
        )
        .detail(reason.clone()),
        Refusal::InvalidField { field, reason } => say(
            StatusCode::BAD_REQUEST,
            &format!("The field {field} is not right"),
            &format!("字段 {field} 有误"),
        )
        .detail(reason.clone())
        .extra("field", *field),
        Refusal::MalformedBody(reason) => say(
            StatusCode::BAD_REQUEST,
            "The body can't be read: send JSON (or a form) with the documented fields",
            "请求内容无法解析：请按文档以 JSON（或表单）发送",
        )
        .detail(reason.clone()),
        Refusal::File(refusal) => file::problem(refusal, language),
        Refusal::Access(refusal) => access::problem(refusal, language),
        Refusal::Image(refusal) => image::problem(refusal, language),
        Refusal::Repeat(refusal) => repeat::problem(refusal, language),
        Refusal::Resume(refusal) => resume::problem(refusal, language),
        Refusal::NotFound => say(StatusCode::NOT_FOUND, "There is no such image", "图片不存在"),
    }
}

/// Says how to come back with a credential.
fn challenge(problem: Problem) -> Problem {
    problem.header(
        WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer realm=\"berth\""),
    )
}

/// A size for a person: `64.0MB`, as the older hosts wrote it.
pub(crate) fn mebibytes(bytes: u64) -> String {
    let tenths = (u128::from(bytes) * 10).div_ceil(1 << 20);
    format!("{}.{}MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_for_people() {
        for (bytes, expected) in [
            (64 << 20, "64.0MB"),
            (10 << 20, "10.0MB"),
            (1 << 19, "0.5MB"),
            (1, "0.1MB"),
        ] {
            assert_eq!(mebibytes(bytes), expected);
        }
    }

    #[test]
    fn what_a_client_did_is_never_a_500_and_what_broke_here_never_a_4xx() {
        let away = catalog::Error::Unavailable {
            operation: "x",
            source: "gone".into(),
        };
        let full = blobs::Error::Full {
            operation: "x",
            path: "y".into(),
            source: std::io::Error::other("full"),
        };
        for (failure, status) in [
            (Failure::from(Refusal::Unauthenticated), 401),
            (Refusal::ScopeMissing(domain::Scope::Upload).into(), 403),
            (Refusal::NoFile.into(), 400),
            (Refusal::FileTooLarge { limit: 1 }.into(), 413),
            (Refusal::TypeNotAllowed.into(), 415),
            (Refusal::Unreadable.into(), 422),
            (FileRefusal::NotDecodable(String::new()).into(), 422),
            (FileRefusal::TookTooLong.into(), 422),
            (Refusal::MalformedMultipart(String::new()).into(), 400),
            (Failure::Body(BodyFault::TooLarge), 413),
            (Failure::Body(BodyFault::Idle), 408),
            (Failure::from(away), 503),
            (Failure::from(full), 507),
        ] {
            assert_eq!(
                failure.problem(Language::En).status().as_u16(),
                status,
                "{failure}"
            );
        }
    }
}
