//! A running upload-svc and a small HTTP client that sends exactly the bytes it is told to.

use std::{fmt::Write as _, path::PathBuf};

use catalog::ServiceRole;
use domain::{Scope, Token};
use http_kit::{ConnectionLimits, Listener, Metrics};
use process::settings::Sources;
use serde_json::Value;
use tempfile::TempDir;
use test_kit::{ManualClock, TestDatabase};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use upload_svc::{Service, UploadSettings};

use crate::contract::{Asked, CONTRACT};

pub(crate) const BOUNDARY: &str = "a-boundary-of-the-tests";

pub(crate) struct Server {
    pub(crate) database: TestDatabase,
    pub(crate) clock: ManualClock,
    pub(crate) account: i64,
    pub(crate) token: Token,
    folder: TempDir,
    address: String,
    service: Service,
    stop: CancellationToken,
    #[allow(dead_code, reason = "dropping it ends the service")]
    guard: DropGuard,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// One part of a form.
#[derive(Clone, Copy)]
pub(crate) enum Part<'a> {
    File(&'a str, &'a str, &'a [u8]),
    Text(&'a str, &'a str),
}

pub(crate) fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        let (head, bytes) = match part {
            Part::File(field, name, bytes) => (
                format!("Content-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n"),
                *bytes,
            ),
            Part::Text(field, value) => (
                format!("Content-Disposition: form-data; name=\"{field}\"\r\n"),
                value.as_bytes(),
            ),
        };
        body.extend_from_slice(format!("--{BOUNDARY}\r\n{head}\r\n").as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// Runs a service over a database and a folder, until the token is cancelled.
async fn run(
    database: &TestDatabase,
    folder: &TempDir,
    clock: &ManualClock,
    settings: &[(&str, &str)],
) -> (String, Service, CancellationToken) {
    let (data, url) = (
        folder.path().to_str().unwrap().to_owned(),
        database.url_as(ServiceRole::Upload),
    );
    let mut pairs = vec![
        ("BERTH_BASE_URL", "https://img.example"),
        ("BERTH_SECRET", "0123456789abcdef0123456789abcdef"),
        ("BERTH_DATA", &data),
        ("BERTH_DATABASE_URL", &url),
        ("BERTH_RATE_LIMIT", "0"),
        ("BERTH_ACCOUNT_RATE_LIMIT", "0"),
    ];
    pairs.extend_from_slice(settings);
    let mut settings = UploadSettings::load(Sources::from_pairs(pairs)).unwrap();
    // This program is a test; the service's own knows how to decode.
    settings.decoders.program = env!("CARGO_BIN_EXE_upload-svc").into();
    let metrics = Metrics::new();
    let service = Service::new(&settings, clock.clock(), &metrics).unwrap();
    let stack = upload_svc::stack_settings(&service, &settings);
    let stacked = http_kit::stack(upload_svc::routes(service.clone()), stack, &metrics);
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener
        .local_url()
        .unwrap()
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let stop = CancellationToken::new();
    let limits = ConnectionLimits {
        connections_per_client: 1000,
        ..ConnectionLimits::default()
    };
    tokio::spawn(http_kit::serve(listener, stacked, limits, stop.clone()));
    (address, service, stop)
}

impl Server {
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_on(TestDatabase::create().await, settings).await
    }

    pub(crate) async fn start_on(database: TestDatabase, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at("2026-11-21T00:00:00Z".parse().unwrap());
        let (address, service, stop) = run(&database, &folder, &clock, settings).await;
        let account = test_kit::account(&database, "ann").await;
        let token = test_kit::token(&database, account, &[Scope::Upload, Scope::Read, Scope::Manage]).await;
        Self {
            database,
            clock,
            account,
            token,
            folder,
            address,
            service,
            guard: stop.clone().drop_guard(),
            stop,
        }
    }

    /// Ends the service and starts another one over the same database and files, with the usual settings.
    pub(crate) async fn restart(mut self) -> Self {
        (self.address, self.service, self.stop) = run(&self.database, &self.folder, &self.clock, &[]).await;
        self.guard = self.stop.clone().drop_guard();
        self
    }

    /// Lets it derive variants from now on. Other tests do without, so that nothing happens behind their back.
    pub(crate) fn derive(&self) {
        tokio::spawn(upload_svc::background(
            self.service.clone(),
            self.stop.clone(),
            self.stop.clone(),
        ));
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.folder.path().join("blobs")
    }

    /// Names in the staging folder: what uploads that are over must not leave.
    pub(crate) fn staged(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.blobs().join(".staging")).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Authorization: Bearer {}", self.token.expose())
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }

    /// Sends a request with a body of known length and reads the whole answer.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut stream = self.connect().await;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: img.example\r\nConnection: close\r\n");
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        if matches!(method, "POST" | "PUT" | "PATCH") || !body.is_empty() {
            write!(head, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that has made up its mind may stop reading; its answer counts, not the rest of the body.
        let _ = stream.write_all(body).await;
        let answer = read_answer(&mut stream).await;
        let asked = Asked {
            method,
            target: path,
            headers,
            body,
        };
        CONTRACT.check(&asked, &answer);
        answer
    }

    /// Sends a small body of JSON.
    pub(crate) async fn send_json(&self, method: &str, path: &str, headers: &[&str], body: &Value) -> Answer {
        let mut all = vec!["Content-Type: application/json"];
        all.extend_from_slice(headers);
        self.send(method, path, &all, body.to_string().as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[&self.bearer()], b"").await
    }

    pub(crate) async fn post(&self, path: &str, headers: &[&str], parts: &[Part<'_>]) -> Answer {
        let content_type = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}");
        let mut all = vec![content_type.as_str()];
        all.extend_from_slice(headers);
        self.send("POST", path, &all, &form(parts)).await
    }

    /// `POST /v1/images` with this server's own token.
    pub(crate) async fn upload(&self, parts: &[Part<'_>]) -> Answer {
        self.post("/v1/images", &[&self.bearer()], parts).await
    }
}

pub(crate) async fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _reset_after_the_answer = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap();
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
