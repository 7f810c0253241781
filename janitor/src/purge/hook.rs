use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::{BodyExt as _, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use url::{Url, form_urlencoded::byte_serialize};

/// How a cache is told to forget a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurgeHook {
    /// With `{url}` or `{path}` in it, or in the body.
    url: String,
    method: Method,
    /// SECURITY: it may hold a key. It is never shown.
    header: Option<(HeaderName, HeaderValue)>,
    /// JSON, with `{url}` or `{path}` in it.
    body: Option<String>,
}

/// A hook that can't be. The text says what is wrong with which setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct InvalidHook {
    /// The setting's name.
    pub setting: &'static str,
    /// What is wrong with it.
    pub text: &'static str,
}

const URL: &str = "{url}";
const PATH: &str = "{path}";

impl PurgeHook {
    /// Reads the settings: the URL, the method (`PURGE`, or `POST` where there is a body), a header (`Name: value`) and a body.
    pub fn read(
        url: &str,
        method: Option<&str>,
        header: Option<&str>,
        body: Option<&str>,
    ) -> Result<Self, InvalidHook> {
        let wrong = |setting, text| InvalidHook { setting, text };
        let usual = if body.is_some() { "POST" } else { "PURGE" };
        let hook = Self {
            url: url.to_owned(),
            method: method
                .unwrap_or(usual)
                .parse()
                .map_err(|_| wrong("BERTH_PURGE_METHOD", "expected a method such as PURGE or POST"))?,
            header: header
                .map(read_header)
                .transpose()
                .map_err(|text| wrong("BERTH_PURGE_HEADER", text))?,
            body: body.map(str::to_owned),
        };
        let names = |text: &str| text.contains(URL) || text.contains(PATH);
        if !names(url) && !body.is_some_and(names) {
            let text = "{url} or {path} must stand in it, or in BERTH_PURGE_BODY: nothing else says which URL is meant";
            return Err(wrong("BERTH_PURGE_URL", text));
        }
        let example = hook.target("https://img.example/i/7h9KzQm2xRfW.png");
        if !example.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            let text = "expected an http or https URL such as https://cdn.example/purge?url={url}";
            return Err(wrong("BERTH_PURGE_URL", text));
        }
        let filled = hook.body_for("https://img.example/");
        if filled.is_some_and(|body| serde_json::from_str::<serde_json::Value>(&body).is_err()) {
            let text = r#"expected JSON such as {"files":["{url}"]}"#;
            return Err(wrong("BERTH_PURGE_BODY", text));
        }
        Ok(hook)
    }

    /// Where it is told of this URL. `{url}` at the beginning is the URL as it is; elsewhere it is part of a query, and encoded.
    fn target(&self, url: &str) -> Option<Url> {
        let filled = match self.url.strip_prefix(URL) {
            Some(rest) => format!("{url}{}", rest.replace(PATH, &path_of(url)?)),
            None => self
                .url
                .replace(URL, &byte_serialize(url.as_bytes()).collect::<String>())
                .replace(PATH, &path_of(url)?),
        };
        Url::parse(&filled).ok()
    }

    fn body_for(&self, url: &str) -> Option<String> {
        // Inside the quotes that stand there.
        let text = |text: &str| {
            serde_json::Value::from(text)
                .to_string()
                .trim_matches('"')
                .to_owned()
        };
        let body = self.body.as_ref()?.replace(URL, &text(url));
        Some(body.replace(PATH, &text(&path_of(url)?)))
    }
}

/// Path and query of a URL, as they are.
fn path_of(url: &str) -> Option<String> {
    let parsed = Url::parse(url).ok()?;
    Some(parsed[url::Position::BeforePath..].to_owned())
}

fn read_header(text: &str) -> Result<(HeaderName, HeaderValue), &'static str> {
    let (name, value) = text
        .split_once(':')
        .ok_or("expected a header such as Authorization: Bearer KEY")?;
    let name = name.trim().parse().map_err(|_| "its name is no header's")?;
    let mut value = HeaderValue::from_str(value.trim()).map_err(|_| "its value is no header's")?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Why a cache may not have forgotten a URL.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the URL can't be filled in")]
    Url,
    #[error("it can't be reached: {0}")]
    Unreachable(String),
    #[error("it did not answer in time")]
    Silent,
    #[error("it answered {0}")]
    Refused(http::StatusCode),
}

/// How long a connection may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How long the whole may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read, so that its connection can be used again. What it says is not looked at.
const LARGEST_ANSWER: usize = 64 << 10;

/// Calls a hook. It follows no redirect and keeps no cookie: where a call goes is what the operator wrote, and nobody else's word.
#[derive(Debug)]
pub(super) struct Caller {
    hook: PurgeHook,
    client: Client<HttpsConnector<HttpConnector>, String>,
}

impl Caller {
    pub(super) fn new(hook: PurgeHook) -> Self {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_DEADLINE));
        connector.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Self {
            hook,
            client: Client::builder(TokioExecutor::new()).build(connector),
        }
    }

    /// Tells it to forget a URL.
    pub(super) async fn call(&self, url: &str) -> Result<(), Error> {
        let target = self.hook.target(url).ok_or(Error::Url)?;
        let mut request = Request::builder()
            .method(self.hook.method.clone())
            .uri(target.as_str())
            .header(header::USER_AGENT, concat!("berth/", env!("CARGO_PKG_VERSION")));
        let body = self.hook.body_for(url);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some((name, value)) = &self.hook.header {
            request = request.header(name, value);
        }
        let request = request.body(body.unwrap_or_default()).map_err(|_| Error::Url)?;
        let calling = async {
            let response = self.client.request(request).await;
            let response = response.map_err(|error| Error::Unreachable(process::in_one_line(&error)))?;
            let status = response.status();
            drop(Limited::new(response.into_body(), LARGEST_ANSWER).collect().await);
            Ok(status)
        };
        let status = tokio::time::timeout(DEADLINE, calling)
            .await
            .map_err(|_| Error::Silent)??;
        if status.is_success() || self.says_not_there(status) {
            Ok(())
        } else {
            Err(Error::Refused(status))
        }
    }

    /// Caches that understand `PURGE` say in one of these ways that they had nothing to forget (nginx's modules 404 or 412, squid
    /// 404). An API that answers so was asked for the wrong thing.
    fn says_not_there(&self, status: http::StatusCode) -> bool {
        self.hook.method.as_str() == "PURGE" && matches!(status.as_u16(), 404 | 410 | 412)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: &str = "https://img.example/b/?path=/7d/44.png";

    #[test]
    fn a_hook_says_what_each_cache_expects() {
        for (url, body, target, filled) in [
            // Varnish and Fastly at the image's own address.
            ("{url}", None, IMAGE, None),
            // Varnish by another address.
            (
                "http://varnish:6081{path}",
                None,
                "http://varnish:6081/b/?path=/7d/44.png",
                None,
            ),
            // bunny.
            (
                "https://api.bunny.net/purge?url={url}",
                None,
                "https://api.bunny.net/purge?url=https%3A%2F%2Fimg.example%2Fb%2F%3Fpath%3D%2F7d%2F44.png",
                None,
            ),
            // Cloudflare.
            (
                "https://api.cloudflare.com/client/v4/zones/Z/purge_cache",
                Some(r#"{"files":["{url}"]}"#),
                "https://api.cloudflare.com/client/v4/zones/Z/purge_cache",
                Some(r#"{"files":["https://img.example/b/?path=/7d/44.png"]}"#),
            ),
            (
                "http://a/",
                Some(r#"["{path}"]"#),
                "http://a/",
                Some(r#"["/b/?path=/7d/44.png"]"#),
            ),
        ] {
            let hook = PurgeHook::read(url, None, None, body).unwrap();
            assert_eq!(hook.target(IMAGE).unwrap().as_str(), target);
            assert_eq!(hook.body_for(IMAGE).as_deref(), filled);
            let method = if body.is_some() { "POST" } else { "PURGE" };
            assert_eq!(hook.method.as_str(), method);
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_setting() {
        for (url, method, header, body, setting) in [
            ("https://cdn.example/purge", None, None, None, "BERTH_PURGE_URL"),
            ("ftp://cdn.example/{url}", None, None, None, "BERTH_PURGE_URL"),
            ("cdn.example{path}", None, None, None, "BERTH_PURGE_URL"),
            ("{path}", None, None, None, "BERTH_PURGE_URL"),
            (
                "https:///{path}",
                Some("GET IT"),
                None,
                None,
                "BERTH_PURGE_METHOD",
            ),
            ("{url}", None, Some("Bearer"), None, "BERTH_PURGE_HEADER"),
            ("{url}", None, Some("A B: c"), None, "BERTH_PURGE_HEADER"),
            ("{url}", None, Some("A: b\nC: d"), None, "BERTH_PURGE_HEADER"),
            ("{url}", None, None, Some("{url}"), "BERTH_PURGE_BODY"),
        ] {
            let wrong = PurgeHook::read(url, method, header, body).unwrap_err();
            assert_eq!(wrong.setting, setting, "{url} {method:?} {header:?} {body:?}");
        }
        let keyed = PurgeHook::read("{url}", None, Some("Authorization: Bearer key-of-mine"), None).unwrap();
        assert!(!format!("{keyed:?}").contains("key-of-mine"));
    }
}
