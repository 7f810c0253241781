//! Every error answer: RFC 9457 problem details.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value, json};

use crate::language::Language;

/// `application/problem+json; charset=utf-8`
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer that says no, and why:
/// `{"type":"urn:berth:problem:CODE","title":…,"status":…,"detail":…,"code":CODE, …extra}`.
///
/// It is a [`warp::Reply`], one pointer wide, so `Result<impl Reply, Problem>` stays small.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    title: Cow<'static, str>,
    detail: Option<Cow<'static, str>>,
    retry_after: Option<Duration>,
    extra: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    language: Option<Language>,
    envelope: Option<Value>,
}

impl Problem {
    /// A problem with its status, its stable code (lower-case words joined by `_`) and its title.
    pub fn new(status: StatusCode, code: &'static str, title: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            title: title.into(),
            detail: None,
            retry_after: None,
            extra: Map::new(),
            headers: Vec::new(),
            language: None,
            envelope: None,
        }))
    }

    /// Adds what happened this time, in public words.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds `Retry-After`, in whole seconds rounded up, at least one.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Adds a member beside the standard ones. `type`, `title`, `status`, `detail` and `code` stay ours.
    #[must_use]
    pub fn extra(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.extra.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a header, such as `WWW-Authenticate`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Says which language the words are in (`Content-Language`).
    #[must_use]
    pub fn language(mut self, language: Language) -> Self {
        self.0.language = Some(language);
        self
    }

    /// Says the same in another document, as `application/json`: to a client that reads no problem details. Status and headers stay.
    #[must_use]
    pub fn in_envelope(mut self, envelope: Value) -> Self {
        self.0.envelope = Some(envelope);
        self
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The answer, for a service that is not warp's. A warp handler returns the problem itself.
    #[must_use]
    pub fn into_http(self) -> Response<Full<Bytes>> {
        self.into_bytes_response().map(Full::new)
    }

    /// The problem document, as it stands in the body: for replies that carry several.
    #[must_use]
    pub fn document(&self) -> Value {
        let Parts {
            status,
            code,
            title,
            detail,
            extra,
            ..
        } = &*self.0;
        let mut members = Map::new();
        members.insert("type".to_owned(), json!(format!("urn:berth:problem:{code}")));
        members.insert("title".to_owned(), json!(title));
        members.insert("status".to_owned(), json!(status.as_u16()));
        members.insert("code".to_owned(), json!(code));
        if let Some(detail) = detail {
            members.insert("detail".to_owned(), json!(detail));
        }
        for (name, value) in extra {
            members.entry(name).or_insert_with(|| value.clone());
        }
        Value::Object(members)
    }

    fn into_bytes_response(self) -> Response<Bytes> {
        let (media_type, document) = match &self.0.envelope {
            Some(envelope) => (JSON, envelope.to_string()),
            None => (MEDIA_TYPE, self.document().to_string()),
        };
        let mut response = Response::new(Bytes::from(document));
        let Parts {
            status,
            retry_after,
            headers,
            language,
            ..
        } = *self.0;
        *response.status_mut() = status;
        let answer = response.headers_mut();
        answer.insert(CONTENT_TYPE, media_type);
        answer.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(language) = language {
            answer.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        }
        if let Some(wait) = retry_after {
            answer.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        answer.extend(headers);
        response
    }
}

impl warp::Reply for Problem {
    fn into_response(self) -> warp::reply::Response {
        self.into_bytes_response().into_response()
    }
}

/// Whole seconds, rounded up, at least one: a client that comes back a moment early is refused again.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// The problems that belong to HTTP itself rather than to a service.
impl Problem {
    fn standard(
        status: StatusCode,
        code: &'static str,
        language: Language,
        english: &'static str,
        chinese: &'static str,
    ) -> Self {
        Self::new(status, code, language.pick(english, chinese)).language(language)
    }

    /// 400: the request itself is malformed.
    #[must_use]
    pub fn bad_request(language: Language) -> Self {
        Self::standard(
            StatusCode::BAD_REQUEST,
            "bad_request",
            language,
            "The request is malformed",
            "请求格式有误",
        )
    }

    /// 404: nothing is at this URL.
    #[must_use]
    pub fn not_found(language: Language) -> Self {
        Self::standard(
            StatusCode::NOT_FOUND,
            "not_found",
            language,
            "Nothing is here",
            "这里什么都没有",
        )
    }

    /// 405, with the methods this URL does answer, as `Allow` writes them.
    #[must_use]
    pub fn method_not_allowed(language: Language, allow: &str) -> Self {
        let (english, chinese) = ("This URL does not answer that method", "此地址不支持该请求方法");
        let problem = Self::standard(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            language,
            english,
            chinese,
        );
        problem.header(
            ALLOW,
            HeaderValue::from_str(allow).unwrap_or(HeaderValue::from_static("")),
        )
    }

    /// 408: the client sent too slowly.
    #[must_use]
    pub fn request_timeout(language: Language) -> Self {
        let (english, chinese) = ("The request came too slowly", "请求发送过慢");
        Self::standard(
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            language,
            english,
            chinese,
        )
    }

    /// 411: this URL wants `Content-Length`.
    #[must_use]
    pub fn length_required(language: Language) -> Self {
        let (english, chinese) = ("A Content-Length is required", "缺少 Content-Length");
        Self::standard(
            StatusCode::LENGTH_REQUIRED,
            "length_required",
            language,
            english,
            chinese,
        )
    }

    /// 413: more bytes than one request may carry; `limit` in bytes where it is known.
    #[must_use]
    pub fn too_large(language: Language, limit: Option<u64>) -> Self {
        let (english, chinese) = ("The request is too large", "请求内容过大");
        let problem = Self::standard(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request_too_large",
            language,
            english,
            chinese,
        );
        match limit {
            Some(limit) => problem.extra("limit", limit),
            None => problem,
        }
    }

    /// 414: the URL is too long.
    #[must_use]
    pub fn uri_too_long(language: Language) -> Self {
        Self::standard(
            StatusCode::URI_TOO_LONG,
            "uri_too_long",
            language,
            "The URL is too long",
            "地址过长",
        )
    }

    /// 415: a body of this type is not taken here.
    #[must_use]
    pub fn unsupported_media_type(language: Language) -> Self {
        let (english, chinese) = ("A body of this type is not taken here", "不支持此类请求内容");
        Self::standard(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            language,
            english,
            chinese,
        )
    }

    /// 429: this client asks too often.
    #[must_use]
    pub fn too_many_requests(language: Language, wait: Duration) -> Self {
        let (english, chinese) = ("Too many requests", "请求过于频繁");
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self::standard(status, "too_many_requests", language, english, chinese).retry_after(wait)
    }

    /// 431: the head of the request is too large.
    #[must_use]
    pub fn headers_too_large(language: Language) -> Self {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        Self::standard(
            status,
            "headers_too_large",
            language,
            "The request's headers are too large",
            "请求头过大",
        )
    }

    /// 500: our fault.
    #[must_use]
    pub fn internal(language: Language) -> Self {
        let (english, chinese) = ("Something broke on our side", "服务器内部错误");
        Self::standard(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            language,
            english,
            chinese,
        )
    }

    /// 503: more is asked than can be done now.
    #[must_use]
    pub fn overloaded(language: Language, wait: Duration) -> Self {
        let (english, chinese) = ("The server is busy", "服务器繁忙");
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::standard(status, "overloaded", language, english, chinese).retry_after(wait)
    }
}
