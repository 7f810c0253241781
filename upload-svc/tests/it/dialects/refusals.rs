//! What is refused before a dialect is asked, and what fails behind it, in the words and the envelope of each path.

use serde_json::{Value, json};
use test_kit::{TestDatabase, pictures};
use tokio::io::AsyncWriteExt as _;

use super::{assert_plain, token_header};
use crate::server::{Answer, Part, Server, read_answer};

/// Every path on which a dialect takes uploads, and the envelope of a refusal there: `W` stands for the words, 429 for the status.
const PATHS: [(&str, &str); 9] = [
    (
        "/upload?username=a&password=b",
        r#"{"detail":"请求过于频繁，请稍后再试"}"#,
    ),
    (
        "/upload?key=T",
        r#"{"success":false,"message":"W","msg":"W","result":[]}"#,
    ),
    ("/upload/image", r#"{"err_code":1,"message":"W"}"#),
    ("/blog/upload/image", r#"{"err_code":1,"message":"W"}"#),
    ("/api/v1/upimg", r#"{"data":"W","status":1}"#),
    (
        "/api/images",
        r#"{"data":null,"description":"","message":"W","status":"429"}"#,
    ),
    (
        "/api/v1/upload",
        r#"{"status":false,"success":false,"message":"W","data":{}}"#,
    ),
    ("/api/upload", r#"{"code":429,"message":"W","data":{}}"#),
    (
        "/api/1/upload",
        r#"{"status_code":429,"error":{"message":"W","code":100},"status_txt":"Too Many Requests"}"#,
    ),
];

#[tokio::test]
async fn who_asks_too_often_is_told_in_the_envelope_of_the_path() {
    let server = Server::start(&[("BERTH_RATE_LIMIT", "1")]).await;
    assert_eq!(server.get("/api/v1/strategies").await.status, 200);
    let words = "请求过于频繁，请稍后再试。Too many requests at once; try again in a moment.";
    let token = token_header(&server);
    for (path, envelope) in PATHS {
        let answer = server.post(path, &[&token], &[]).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (429, &*envelope.replace('W', words)),
            "{path}"
        );
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        assert_plain(&answer);
    }
    let smms = server.post("/api/v2/upload", &[&token], &[]).await;
    let mut reply = smms.json();
    assert_eq!(reply["RequestId"].as_str().map(str::len), Some(36));
    reply["RequestId"] = Value::Null;
    let expected =
        json!({ "success": false, "code": "too_many_requests", "message": words, "RequestId": null });
    assert_eq!((smms.status, reply.to_string()), (429, expected.to_string()));
    for path in ["/stats", "/info/7d4496551a953ca22cbf92a45e0057d4", "/download_db"] {
        let answer = server.send("GET", path, &[], b"").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (429, r#"{"detail":"请求过于频繁，请稍后再试"}"#)
        );
    }
    let native = server.get("/v1/images").await;
    assert_eq!(
        native.header("content-type"),
        Some("application/problem+json; charset=utf-8")
    );
}

/// The head of an upload that claims to be too large for any request.
async fn claim(server: &Server, path: &str) -> Answer {
    let mut stream = server.connect().await;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: img.example\r\nConnection: close\r\nContent-Length: 99999999999\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    read_answer(&mut stream).await
}

#[tokio::test]
async fn what_is_too_large_or_not_there_is_told_in_the_envelope_of_the_path() {
    let server = Server::start(&[]).await;
    let large = "请求内容过大。The request is larger than this server takes.";
    let method = "此地址不支持该请求方法。This URL does not answer that method.";
    for (path, envelope) in PATHS {
        let said = |status: &str, reason: &str, words: &str| {
            let envelope = envelope.replace('W', words).replace("429", status);
            envelope.replace("Too Many Requests", reason)
        };
        let answer = claim(&server, path).await;
        let expected = if path.contains("username") {
            r#"{"detail":"文件验证失败: 请求内容过大"}"#.to_owned()
        } else {
            said("413", "Payload Too Large", large)
        };
        assert_eq!((answer.status, answer.body.as_str()), (413, &*expected), "{path}");
        assert_plain(&answer);

        let answer = server.send("PATCH", path, &[], b"").await;
        let expected = if path.contains("username") {
            r#"{"detail":"Method Not Allowed"}"#.to_owned()
        } else {
            said("405", "Method Not Allowed", method)
        };
        assert_eq!((answer.status, answer.body.as_str()), (405, &*expected), "{path}");
        assert!(
            answer.header("allow").is_some_and(|allow| allow.contains("POST")),
            "{answer:?}"
        );
    }
    let nowhere = server.send("GET", "/info/a/b", &[], b"").await;
    assert_eq!(
        (nowhere.status, nowhere.body.as_str()),
        (404, r#"{"detail":"Not Found"}"#)
    );
}

#[tokio::test]
async fn a_database_that_is_away_is_told_as_any_other_failure() {
    let mut server = Server::start_on(TestDatabase::create_apart().await, &[]).await;
    let token = token_header(&server);
    server.database.stop().await;
    let png = pictures::png(3, 3, 1);
    let words = "数据库暂不可用，请稍后重试";
    for (path, field, status, expected) in [
        (
            "/upload?username=a&password=b",
            "file",
            503,
            json!({ "detail": words }),
        ),
        (
            "/upload/image",
            "img",
            503,
            json!({ "err_code": 1, "message": words }),
        ),
        (
            "/api/v1/upimg",
            "file",
            200,
            json!({ "data": words, "status": 1 }),
        ),
        (
            "/api/images",
            "images",
            200,
            json!({ "data": null, "description": "", "message": words, "status": "500" }),
        ),
        (
            "/api/v1/upload",
            "file",
            200,
            json!({ "status": false, "success": false, "message": words, "data": {} }),
        ),
        (
            "/api/upload",
            "image",
            200,
            json!({ "code": 500, "message": words, "data": {} }),
        ),
        (
            "/api/1/upload",
            "source",
            400,
            json!({ "status_code": 400, "error": { "message": words, "code": 100 }, "status_txt": "Bad Request" }),
        ),
    ] {
        let headers = [token.as_str(), "Accept-Language: zh-CN"];
        let answer = server
            .post(path, &headers, &[Part::File(field, "a.png", &png)])
            .await;
        assert_eq!(
            (answer.status, answer.body),
            (status, expected.to_string()),
            "{path}"
        );
    }
}
