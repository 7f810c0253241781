//! What is changed is changed for the very next request: asked by clients whose connections are open already, for starting a program
//! takes longer than the word from one service to another.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use serde_json::{Value, json};
use test_kit::pictures;

use crate::stack::Stack;

/// Images that are changed in each way.
const EACH: u64 = 40;

/// A connection that stays open.
struct Line {
    host: String,
    stream: BufReader<TcpStream>,
}

struct Answer {
    status: u16,
    etag: Option<String>,
    body: Vec<u8>,
}

impl Line {
    fn open(url: &str) -> Self {
        let host = url.strip_prefix("http://").unwrap().to_owned();
        Self {
            stream: Self::connect(&host),
            host,
        }
    }

    fn connect(host: &str) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(host).unwrap();
        stream.set_nodelay(true).unwrap();
        BufReader::new(stream)
    }

    fn ask(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n{headers}\r\n",
            self.host,
            body.len()
        );
        self.stream
            .get_mut()
            .write_all(&[head.as_bytes(), body].concat())
            .unwrap();
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.stream.read_line(&mut line).unwrap() > 0, "the line is open");
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            head.push(line);
        }
        let header = |name: &str| {
            head.iter().find_map(|line| {
                let (key, value) = line.split_once(": ")?;
                key.eq_ignore_ascii_case(name).then(|| value.to_owned())
            })
        };
        assert_eq!(header("transfer-encoding"), None, "a length is said");
        let length = header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        // nginx ends the line after an upload; the next question needs another.
        if header("connection").is_some_and(|what| what == "close") {
            self.stream = Self::connect(&self.host);
        }
        Answer {
            status: head[0].split(' ').nth(1).unwrap().parse().unwrap(),
            etag: header("etag"),
            body,
        }
    }

    fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "", b"")
    }
}

/// An owner and a visitor.
struct Pair {
    owner: Line,
    visitor: Line,
    bearer: String,
}

impl Pair {
    /// Uploads a new picture and has the visitor see it; gives its id and its path.
    fn publish(&mut self, seed: u64) -> (String, String) {
        let png = pictures::png(31, 33, seed);
        let part = b"--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n";
        let form = [part.as_slice(), &png, b"\r\n--edge--\r\n"].concat();
        let headers = format!(
            "{}Content-Type: multipart/form-data; boundary=edge\r\n",
            self.bearer
        );
        let answer = self.owner.ask("POST", "/v1/images", &headers, &form);
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        let json: Value = serde_json::from_slice(&answer.body).unwrap();
        let id = json["images"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/i/{id}.png");
        for _ in 0..2 {
            assert_eq!(self.visitor.get(&path).status, 200, "it is on every shelf");
        }
        (id, path)
    }

    fn change(&mut self, method: &str, path: &str, content_type: &str, body: &[u8]) {
        let headers = format!("{}Content-Type: {content_type}\r\n", self.bearer);
        let answer = self.owner.ask(method, path, &headers, body);
        assert!(
            (200..300).contains(&answer.status),
            "{method} {path}: {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
    }
}

/// Changes images in four ways, and looks at each at once.
pub(crate) fn check(url: &str, token: &str) {
    let mut pair = Pair {
        owner: Line::open(url),
        visitor: Line::open(url),
        bearer: format!("Authorization: Bearer {token}\r\n"),
    };
    let mut late = [0_u32; 4];
    for seed in 0..EACH {
        let (id, path) = pair.publish(4 * seed);
        pair.change("DELETE", &format!("/v1/images/{id}"), "text/plain", b"");
        late[0] += u32::from(pair.visitor.get(&path).status != 404);

        let (id, path) = pair.publish(4 * seed + 1);
        let private = br#"{"visibility":"private"}"#;
        pair.change("PATCH", &format!("/v1/images/{id}"), "application/json", private);
        late[1] += u32::from(pair.visitor.get(&path).status != 404);

        let (id, path) = pair.publish(4 * seed + 2);
        let before = pair.visitor.get(&path).etag;
        let png = pictures::png(48, 48, 1_000_000 + seed);
        pair.change("PUT", &format!("/v1/images/{id}/content"), "image/png", &png);
        let after = pair.visitor.get(&path);
        late[2] += u32::from(after.etag == before || after.body != png);

        let (id, path) = pair.publish(4 * seed + 3);
        let many = json!({ "action": "withdraw", "ids": [id] }).to_string();
        pair.change("POST", "/v1/images/bulk", "application/json", many.as_bytes());
        late[3] += u32::from(pair.visitor.get(&path).status != 404);
    }
    assert_eq!(late, [0; 4], "of {EACH} each: withdrawn, private, replaced, many");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_holds_for_the_very_next_request_through_nginx() {
    let stack = Stack::start(&[("BERTH_RATE_LIMIT", "0"), ("BERTH_ACCOUNT_RATE_LIMIT", "0")]).await;
    check(&stack.url, &stack.token);
}
