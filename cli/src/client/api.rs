use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt as _, Full, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::{
    problem::{ApiError, Problem, wait_before},
    words::Words,
};

/// Bytes of a request or an answer, as they come.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;
/// A body that is written as it is read from somewhere.
pub(crate) type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// How long a connection may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// No byte went either way for so long: the connection is dead, whatever the machine believes. A server that looks into a large file
/// takes seconds.
const SILENCE: Duration = Duration::from_secs(90);
/// JSON of a server that means well is smaller.
const LARGEST_ANSWER: usize = 32 << 20;

/// When bytes last moved.
#[derive(Debug, Clone)]
pub(crate) struct Pulse(Arc<Mutex<Instant>>);

impl Pulse {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    /// Some moved just now.
    pub(crate) fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Comes to an end when nothing has moved for too long.
    pub(crate) async fn stops(&self) {
        loop {
            let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if last.elapsed() > SILENCE {
                return;
            }
            tokio::time::sleep_until(last + SILENCE + Duration::from_millis(10)).await;
        }
    }
}

/// How a body is made, afresh for each try.
type Maker<'a> = Box<dyn Fn(Pulse) -> Chunks + Send + Sync + 'a>;

/// What a request carries.
enum Content<'a> {
    Nothing,
    Json(Bytes),
    Stream { length: u64, make: Maker<'a> },
}

/// One request, which may be sent several times.
pub(crate) struct Ask<'a> {
    method: Method,
    path: String,
    headers: HeaderMap,
    content: Content<'a>,
    tries: u32,
}

/// So many tries take about two minutes.
const TRIES: u32 = 9;

impl<'a> Ask<'a> {
    /// A request for a path of the berth, such as `/v1/images?q=a`.
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            content: Content::Nothing,
            tries: TRIES,
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A POST of JSON, which is done once however often it is sent.
    pub(crate) fn post(path: impl Into<String>, body: &Value) -> Self {
        Self::new(Method::POST, path).json(body).once()
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.content = Content::Json(body.to_string().into());
        self.header(header::CONTENT_TYPE, "application/json")
    }

    /// A body of known length that is made afresh for each try.
    pub(crate) fn stream(mut self, length: u64, make: impl Fn(Pulse) -> Chunks + Send + Sync + 'a) -> Self {
        let make = Box::new(make);
        self.content = Content::Stream { length, make };
        self
    }

    /// Sends an `Idempotency-Key` along: what was done although its answer was lost is not done twice.
    pub(crate) fn once(self) -> Self {
        let key = hex::encode(process::random::<16>());
        self.header(HeaderName::from_static("idempotency-key"), &key)
    }

    /// A header; a value that is none is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Not tried again: who asks sees to it.
    pub(crate) fn no_retry(mut self) -> Self {
        self.tries = 1;
        self
    }
}

/// An answer that is a success.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    url: String,
}

impl Answer {
    /// Reads the JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|error| ApiError::Strange {
            url: self.url.clone(),
            why: error.to_string(),
        })
    }

    /// A header as text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A berth to speak to.
pub(crate) struct Api {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    url: String,
    token: Option<String>,
    words: Words,
}

impl Api {
    /// The berth at a URL (without a slash at its end), asked with a token if there is one.
    pub(crate) fn new(url: &str, token: Option<String>, words: Words) -> Self {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_DEADLINE));
        connector.set_nodelay(true);
        connector.set_keepalive(Some(Duration::from_secs(30)));
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            // nginx closes idle connections after 75 seconds, others sooner.
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(15))
            .build(connector);
        Self {
            client,
            url: url.to_owned(),
            token,
            words,
        }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The language of who asks.
    pub(crate) fn words(&self) -> Words {
        self.words
    }

    /// Asks, again and again while that makes sense.
    pub(crate) async fn ask(&self, ask: Ask<'_>) -> Result<Answer, ApiError> {
        let mut number = 0;
        loop {
            let (error, headers) = match self.ask_once(&ask).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let [chance] = process::random();
            number += 1;
            if !error.passes() || number >= ask.tries {
                return Err(error);
            }
            let Some(wait) = wait_before(number - 1, headers.as_ref(), chance) else {
                return Err(error);
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Asks and reads the JSON of the answer.
    pub(crate) async fn json<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<T, ApiError> {
        self.ask(ask).await?.json()
    }

    async fn ask_once(&self, ask: &Ask<'_>) -> Result<Answer, (ApiError, Option<HeaderMap>)> {
        let url = format!("{}{}", self.url, ask.path);
        let pulse = Pulse::new();
        let mut headers = ask.headers.clone();
        let body = match &ask.content {
            Content::Nothing => whole(Bytes::new()),
            Content::Json(bytes) => whole(bytes.clone()),
            Content::Stream { length, make } => {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(*length));
                let frames = make(pulse.clone()).map_ok(http_body::Frame::data);
                StreamBody::new(frames).boxed_unsync()
            }
        };
        if let Some(token) = &self.token {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|error| (ApiError::Here(error.to_string()), None))?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let response = self.send(&ask.method, &url, headers, body, &pulse).await;
        let (head, body) = response.map_err(|error| (error, None))?.into_parts();
        let reading = Limited::new(body, LARGEST_ANSWER).collect();
        let unreachable = |why: String| {
            (
                ApiError::Unreachable {
                    url: url.clone(),
                    why,
                },
                None,
            )
        };
        let body = tokio::time::timeout(SILENCE, reading)
            .await
            .map_err(|_| unreachable("its answer did not come to an end".to_owned()))?
            .map_err(|error| unreachable(error.to_string()))?
            .to_bytes();
        if head.status.is_success() {
            return Ok(Answer {
                headers: head.headers,
                body,
                url,
            });
        }
        let problem = Problem::read(head.status, &body);
        Err((ApiError::Refused(problem), Some(head.headers)))
    }

    /// Opens a URL for reading, without the token: where the picture is need not be where the token is good.
    pub(crate) async fn open(&self, url: &str, headers: HeaderMap) -> Result<Response<Body>, ApiError> {
        self.send(&Method::GET, url, headers, whole(Bytes::new()), &Pulse::new())
            .await
    }

    async fn send(
        &self,
        method: &Method,
        url: &str,
        headers: HeaderMap,
        body: Body,
        pulse: &Pulse,
    ) -> Result<Response<Body>, ApiError> {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(url)
            .body(body)
            .map_err(|error| ApiError::Here(format!("{url}: {error}")))?;
        let own = request.headers_mut();
        let agent = HeaderValue::from_static(concat!("berth/", env!("CARGO_PKG_VERSION")));
        own.insert(header::USER_AGENT, agent);
        own.insert(
            header::ACCEPT_LANGUAGE,
            HeaderValue::from_static(self.words.accepted()),
        );
        own.extend(headers);
        let unreachable = |why: String| ApiError::Unreachable {
            url: self.url.clone(),
            why,
        };
        let response = tokio::select! {
            response = self.client.request(request) => response.map_err(|error| unreachable(causes(&error)))?,
            () = pulse.stops() => return Err(unreachable("nothing came and nothing went for 90 s".to_owned())),
        };
        Ok(response.map(|body| body.map_err(io::Error::other).boxed_unsync()))
    }
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// An error's last cause, which is the one that people can do something about.
fn causes(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}
