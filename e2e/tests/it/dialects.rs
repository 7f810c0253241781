//! nginx's part of the older hosts' contracts: what it says of requests that it refuses itself, connections that end, a log without queries, and who
//! answers where several claim a path.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};
use test_kit::pictures;

use crate::{
    curl::{Answer, curl},
    stack::{Stack, wait_for},
};

/// Every path on which a dialect takes uploads, and how nginx says no there: `W` stands for the words.
fn envelopes(status: u16, code: &str, title: &str, words: &str) -> Vec<(&'static str, Value)> {
    let of_proxy = if status == 413 {
        "文件验证失败: 请求内容过大"
    } else {
        words
    };
    let of_smms = if status == 413 { "file_too_large" } else { code };
    let shared = json!({ "success": false, "message": words, "msg": words, "detail": of_proxy, "code": code, "result": [] });
    let lsky = json!({ "status": false, "success": false, "code": code, "message": words, "data": {} });
    let maple = json!({ "data": null, "description": "", "message": words, "status": status.to_string() });
    let error = json!({ "message": words, "code": 100 });
    vec![
        ("/upload", shared.clone()),
        ("/upload?username=a&password=b", shared.clone()),
        ("/upload?key=T", shared),
        ("/upload/image", json!({ "err_code": 1, "message": words })),
        ("/blog/upload/image", json!({ "err_code": 1, "message": words })),
        ("/api/v1/upimg", json!({ "data": words, "status": 1 })),
        ("/api/images", maple),
        ("/api/v1/upload", lsky),
        (
            "/api/upload",
            json!({ "code": status, "message": words, "data": {} }),
        ),
        (
            "/api/1/upload",
            json!({ "status_code": status, "error": error, "status_txt": title }),
        ),
        (
            "/api/v2/upload",
            json!({ "success": false, "code": of_smms, "message": words, "RequestId": null }),
        ),
    ]
}

/// The answer to the head of a request. It is read by its length: nginx waits a while for a body that it has refused.
fn ask(stack: &Stack, head: &str) -> (u16, String, Value) {
    let address = stack.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let (head, body) = loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "cut off: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        if length.is_some_and(|length| length.parse() == Ok(body.len())) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut body: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
    if let Some(id) = body.get_mut("RequestId") {
        assert!(id.as_str().is_some_and(|id| id.len() == 32));
        *id = Value::Null;
    }
    (status, head.to_ascii_lowercase(), body)
}

fn expect(stack: &Stack, length: &str, status: u16, code: &str, title: &str, words: &str) {
    for (path, envelope) in envelopes(status, code, title, words) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: img.example\r\nContent-Length: {length}\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
        );
        let (said, head, body) = ask(stack, &head);
        assert_eq!((said, &body), (status, &envelope), "{path}: {head}");
        for line in [
            "content-type: application/json",
            "access-control-allow-origin: *",
            "connection: close",
            "cache-control: no-store",
        ] {
            assert!(head.contains(line), "{path} lacks {line}: {head}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_says_no_as_each_paths_clients_read_it() {
    let mut stack = Stack::start(&[]).await;
    let large = "请求内容过大。The request is larger than this server takes.";
    expect(
        &stack,
        "99999999999",
        413,
        "request_too_large",
        "The request is too large",
        large,
    );
    let (_, mut upload) = stack.services.remove(0);
    upload.terminate(Duration::from_secs(20));
    let away = "服务暂时不可用，请稍后再试。The service is away for a moment; try again.";
    expect(
        &stack,
        "0",
        502,
        "unavailable",
        "The service is away for a moment",
        away,
    );
    for path in [
        "/stats",
        "/info/7d4496551a953ca22cbf92a45e0057d4",
        "/download_db",
        "/health",
    ] {
        let (status, _, body) = ask(
            &stack,
            &format!("GET {path}?username=a&password=b HTTP/1.1\r\nHost: a\r\n\r\n"),
        );
        assert_eq!((status, body), (502, json!({ "detail": away })), "{path}");
    }
    // The same of berth's own API, readable to a page of another site: it learns when to come back.
    let native = "GET /v1/images HTTP/1.1\r\nHost: a\r\nOrigin: https://editor.example\r\n\r\n";
    let (status, head, body) = ask(&stack, native);
    assert_eq!((status, &body["code"]), (502, &json!("unavailable")), "{head}");
    for line in [
        "access-control-allow-origin: *",
        "access-control-expose-headers: x-request-id, retry-after",
        "retry-after: ",
    ] {
        assert!(head.contains(line), "no {line}: {head}");
    }
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.header(name).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_path_that_several_claim_goes_to_whom_the_request_means() {
    let stack = Stack::start(&[]).await;
    let (url, token) = (&stack.url, &stack.token);
    let at = |path: &str| format!("{url}{path}");
    let file = stack.folder.path().join("a.png");
    std::fs::write(&file, pictures::png(20, 20, 7)).unwrap();
    let form = format!("file=@{}", file.display());
    let password = crate::stack::ADMIN_PASSWORD;

    // POST /upload: a user name and a password, a key, anything else.
    let proxy = curl(&[
        "-F",
        &form,
        &at(&format!("/upload?username=admin&password={password}")),
    ]);
    let image = proxy.json();
    assert_eq!(
        (proxy.status, &image["status"]),
        (200, &json!("uploaded")),
        "{proxy:?}"
    );
    let picgo = curl(&["-F", &form, &at(&format!("/upload?key={token}"))]);
    assert_eq!((picgo.status, &picgo.json()["message"]), (200, &json!("ok")));
    let bearer = format!("Authorization: Bearer {token}");
    let sent = curl(&["-H", &bearer, "-F", &form, &at("/upload")]);
    assert_eq!(
        (sent.status, header(&sent, "location")),
        (302, "/?upload_success=true")
    );
    for answer in [&proxy, &picgo, &sent] {
        assert_eq!(header(answer, "connection"), "close", "{answer:?}");
        assert_eq!(header(answer, "access-control-allow-origin"), "*");
    }

    // GET /: the page, unless a path is named; /images/…: django's or maple's.
    let page = curl(&[&at("/?upload_success=true")]);
    assert!(header(&page, "content-type").starts_with("text/html"), "{page:?}");
    let md5 = image["md5"].as_str().unwrap();
    let month = &curl(&["-H", &bearer, &at("/v1/images")]).json()["images"][0]["created_at"]
        .as_str()
        .unwrap()[..7]
        .replace('-', "/");
    for path in [
        format!("/?path=/{}/{}.png", &md5[..2], &md5[2..]),
        format!("/images/{md5}.png"),
        format!("/images/admin/photo/{month}/a.png"),
        image["url"]
            .as_str()
            .unwrap()
            .strip_prefix(url)
            .unwrap()
            .to_owned(),
    ] {
        let seen = curl(&[&at(&path)]);
        assert_eq!(
            (seen.status, header(&seen, "content-type")),
            (200, "image/png"),
            "{path}"
        );
    }
    let missing = curl(&[&at("/?path=/00/000000000000000000000000000000.png")]);
    assert_eq!(
        (missing.status, header(&missing, "cache-control")),
        (404, "no-store")
    );
    let refused = curl(&[
        "-e",
        "https://evil.example/",
        &at(&format!("/?path=/{}/{}.png", &md5[..2], &md5[2..])),
    ]);
    assert_eq!(
        (refused.status, header(&refused, "cache-control")),
        (403, "no-store")
    );

    // The administrator's copy of the catalogue comes through whole, and SQLite can read it (its magic says so).
    let copy = curl(&[&at(&format!("/download_db?username=admin&password={password}"))]);
    assert_eq!((copy.status, &copy.body[..16]), (200, &b"SQLite format 3\0"[..]));
    assert_eq!(header(&copy, "content-length"), copy.body.len().to_string());

    for path in [
        "/upload",
        "/upload/image",
        "/api/v1/upload",
        "/api/v2/upload",
        "/api/1/upload",
        "/api/v1/upimg",
    ] {
        let asked = curl(&["-X", "OPTIONS", "-H", "Origin: https://editor.example", &at(path)]);
        assert_eq!(
            (asked.status, header(&asked, "access-control-allow-origin")),
            (204, "*"),
            "{path}"
        );
    }
    // None of it is in nginx's log, whose lines are flushed each second.
    let log = wait_for("the log", Duration::from_secs(10), || {
        let log = stack.log("access.log");
        log.contains("/api/v1/upimg").then_some(log)
    });
    assert!(
        log.contains("\"/upload\" 200") && log.contains("\"/download_db\" 200"),
        "{log}"
    );
    for secret in [password, token, "username=", "token=", "path="] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}
