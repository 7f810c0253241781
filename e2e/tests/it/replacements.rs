//! Services that are replaced while people look at pictures and send some: nobody notices.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use serde_json::Value;
use test_kit::pictures;

use crate::stack::{Stack, wait_for};

/// How often each service is replaced in `make test`.
const REPLACEMENTS: u64 = 3;
const IMAGES: u64 = 4;
const BOUNDARY: &str = "a-line-that-is-in-no-picture";

/// Somebody who keeps a connection, and notes what was not answered as it should be.
struct Client<'a> {
    authority: &'a str,
    token: &'a str,
    open: Option<BufReader<TcpStream>>,
    answered: u64,
    failed: Vec<String>,
}

impl<'a> Client<'a> {
    fn new(authority: &'a str, token: &'a str) -> Self {
        Self {
            authority,
            token,
            open: None,
            answered: 0,
            failed: Vec::new(),
        }
    }

    /// One request, in these pieces with a pause between them, and its answer's body.
    fn ask(&mut self, line: &str, content_type: &str, pieces: &[&[u8]], pause: Duration) -> Option<Vec<u8>> {
        let outcome = self.exchange(line, content_type, pieces, pause);
        match outcome {
            Ok((status, body)) if (200..300).contains(&status) => {
                self.answered += 1;
                return Some(body);
            }
            Ok((status, _)) => self.failed.push(format!("{line}: {status}")),
            Err(error) => {
                self.open = None;
                self.failed.push(format!("{line}: {error}"));
            }
        }
        None
    }

    fn exchange(
        &mut self,
        line: &str,
        content_type: &str,
        pieces: &[&[u8]],
        pause: Duration,
    ) -> std::io::Result<(u16, Vec<u8>)> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => BufReader::new(TcpStream::connect(self.authority)?),
        };
        open.get_mut().set_read_timeout(Some(Duration::from_secs(20)))?;
        open.get_mut().set_nodelay(true)?;
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        let (authority, token) = (self.authority, self.token);
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\nContent-Type: {content_type}\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        open.get_mut().write_all(head.as_bytes())?;
        for piece in pieces {
            std::thread::sleep(pause);
            open.get_mut().write_all(piece)?;
        }
        let mut text = String::new();
        open.read_line(&mut text)?;
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| std::io::Error::other("no answer"))?;
        let (mut length, mut stays) = (0, true);
        while text != "\r\n" {
            text.clear();
            if open.read_line(&mut text)? == 0 {
                return Err(std::io::Error::other("half an answer"));
            }
            let field = text.to_ascii_lowercase();
            if let Some(value) = field.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(std::io::Error::other)?;
            }
            stays &= !field.starts_with("connection: close");
        }
        let mut body = vec![0; length];
        open.read_exact(&mut body)?;
        self.open = stays.then_some(open);
        Ok((status, body))
    }

    /// Sends a picture, all at once or so slowly that it is under way while services come and go.
    fn upload(&mut self, seed: u64, slowly: bool) -> Option<Value> {
        let picture = pictures::png(64, 64, seed);
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{seed}.png\"\r\n\r\n"
        );
        let end = format!("\r\n--{BOUNDARY}--\r\n");
        let (first, second) = picture.split_at(picture.len() / 2);
        let pieces = [head.as_bytes(), first, second, end.as_bytes()];
        let pause = Duration::from_millis(if slowly { 700 } else { 0 });
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        let body = self.ask("POST /v1/images", &content_type, &pieces, pause)?;
        let answer: Value = serde_json::from_slice(&body).unwrap();
        Some(answer["images"][0].clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_a_service_is_replaced() {
    let times = std::env::var_os("REPLACEMENTS")
        .map_or(REPLACEMENTS, |times| times.to_str().unwrap().parse().unwrap());
    let no_limits = [("BERTH_RATE_LIMIT", "0"), ("BERTH_ACCOUNT_RATE_LIMIT", "0")];
    let mut stack = Stack::start(&no_limits).await;
    let (url, token) = (stack.url.clone(), stack.token.clone());
    let authority = url.strip_prefix("http://").unwrap();
    let mut first = Client::new(authority, &token);
    let images: Vec<Value> = (0..IMAGES)
        .map(|seed| first.upload(seed, false).unwrap())
        .collect();
    let (ended, seeds) = (AtomicBool::new(false), AtomicU64::new(1_000));
    let look = || {
        let mut client = Client::new(authority, &token);
        for image in images.iter().cycle() {
            if ended.load(Ordering::Relaxed) {
                break;
            }
            let path = image["url"].as_str().unwrap().strip_prefix(&url).unwrap();
            let body = client.ask(&format!("GET {path}"), "text/plain", &[], Duration::ZERO);
            let is_whole = body.is_none_or(|body| body.len() as u64 == image["size_bytes"]);
            assert!(is_whole, "{path}");
            // So that the others come to their turn on a machine of two cores.
            std::thread::sleep(Duration::from_millis(1));
        }
        client
    };
    let send = |slowly: bool| {
        let mut client = Client::new(authority, &token);
        while !ended.load(Ordering::Relaxed) {
            client.upload(seeds.fetch_add(1, Ordering::Relaxed), slowly);
        }
        client
    };
    // Nothing that nginx would try again, on connections that it keeps.
    let sign = || {
        let mut client = Client::new(authority, &token);
        let line = format!(
            "POST /v1/images/{}/signed-links",
            images[0]["id"].as_str().unwrap()
        );
        while !ended.load(Ordering::Relaxed) {
            client.ask(&line, "application/json", &[b"{}"], Duration::ZERO);
        }
        client
    };
    let change = || {
        let mut client = Client::new(authority, &token);
        let line = format!("PATCH /v1/images/{}", images[0]["id"].as_str().unwrap());
        while !ended.load(Ordering::Relaxed) {
            let body = br#"{"description": "changed"}"#;
            client.ask(&line, "application/json", &[body], Duration::ZERO);
        }
        client
    };
    let (views, others) = std::thread::scope(|scope| {
        let views = [scope.spawn(look), scope.spawn(look)];
        let others = [
            scope.spawn(|| send(false)),
            scope.spawn(|| send(true)),
            scope.spawn(change),
            scope.spawn(sign),
            scope.spawn(sign),
        ];
        for _ in 0..times {
            stack.replace_service("serve-svc");
            stack.replace_service("upload-svc");
        }
        ended.store(true, Ordering::Relaxed);
        (
            views.map(|client| client.join().unwrap()),
            others.map(|client| client.join().unwrap()),
        )
    });
    let failed: Vec<&String> = views
        .iter()
        .chain(&others)
        .flat_map(|client| &client.failed)
        .collect();
    assert!(
        failed.is_empty(),
        "{} failed: {:?}",
        failed.len(),
        &failed[..failed.len().min(20)]
    );
    let answered: Vec<u64> = views
        .iter()
        .chain(&others)
        .map(|client| client.answered)
        .collect();
    assert!(answered.iter().all(|answered| *answered > times), "{answered:?}");
    println!("{} replacements, answered: {answered:?}", 2 * times);
    // And every view is counted once, whichever process it was.
    let seen: u64 = views.iter().map(|client| client.answered).sum();
    wait_for("the counts", Duration::from_secs(10), || {
        let counted = images.iter().map(|image| {
            let image = stack.describe(image["id"].as_str().unwrap()).json();
            image["views"].as_u64().unwrap()
        });
        (counted.sum::<u64>() == seen).then_some(())
    });
}
