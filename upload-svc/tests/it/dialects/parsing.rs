//! What clients send in strange ways, on the dialects' paths.

use serde_json::json;
use test_kit::pictures;
use tokio::io::AsyncWriteExt as _;

use super::{described, token_header};
use crate::server::{Answer, BOUNDARY, Part, Server, form, read_answer};

const PATH: &str = "/api/v1/upload";

/// A form of one part whose head is exactly this, and then the fields.
fn raw_form(head: &str, file: &[u8], fields: &[(&str, &str)]) -> Vec<u8> {
    let mut body = format!("--{BOUNDARY}\r\n{head}\r\n\r\n").into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n");
    let rest: Vec<Part<'_>> = fields
        .iter()
        .map(|(name, value)| Part::Text(name, value))
        .collect();
    body.extend(form(&rest));
    body
}

async fn post(server: &Server, headers: &[&str], body: &[u8]) -> Answer {
    let content_type = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}");
    let mut all = vec![content_type.as_str()];
    all.extend_from_slice(headers);
    server.send("POST", PATH, &all, body).await
}

#[tokio::test]
async fn a_part_is_read_however_its_client_writes_its_head() {
    let server = Server::start(&[]).await;
    let token = token_header(&server);
    let png = pictures::png(3, 3, 1);
    for (place, (head, name)) in [
        ("Content-Disposition: form-data; name=\"file\"; filename=\"截图.png\"\r\nContent-Type: image/png", "截图.png"),
        ("Content-Disposition: form-data; name=\"file\"; filename=\"a%22b.png\"", "a\"b.png"),
        ("Content-Disposition: form-data; name=\"file\"; filename=\"C:\\a\\b.png\"\r\nContent-Type: application/octet-stream", "b.png"),
        ("Content-Disposition: form-data; name=\"file\"; filename=\"/home/a/c.png\"", "c.png"),
        ("Content-Disposition: form-data; name=\"file\"; filename=\"noextension\"", "noextension"),
        ("content-disposition: form-data; name=\"file[]\"; filename=\"d.png\"", "d.png"),
        ("Content-Disposition: form-data; name=\"whatever\"; filename=\"e.png\"", "e.png"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = pictures::png(4, 3, place as u64);
        let answer = post(&server, &[&token], &raw_form(head, &file, &[])).await;
        assert_eq!(answer.json()["data"]["origin_name"], name, "{head}: {answer:?}");
    }
    let empty = raw_form(
        "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"",
        b"",
        &[],
    );
    assert_eq!(
        post(&server, &[&token], &empty).await.json()["message"],
        "文件为空"
    );
    let broken = &raw_form("Content-Disposition: form-data; name=\"file\"", &png, &[])[..60];
    assert_eq!(post(&server, &[&token], broken).await.json()["status"], false);
}

/// Fifty files are a request's most; of more none is kept.
#[tokio::test]
async fn fifty_files_come_in_and_fifty_one_do_not() {
    let server = Server::start(&[]).await;
    let token = token_header(&server);
    let png = pictures::png(3, 3, 1);
    for (path, field, accept, kept, refused) in [
        ("/upload", "file", "Accept: application/json", 200, 413),
        ("/api/v1/upload", "file", "Accept: */*", 200, 200),
        ("/upload?key=", "list", "Accept: */*", 200, 200),
    ] {
        let path = if path.ends_with('=') {
            format!("{path}{}", server.token.expose())
        } else {
            path.to_owned()
        };
        for (count, status) in [(50, kept), (51, refused)] {
            let parts: Vec<Part<'_>> = (0..count).map(|_| Part::File(field, "a.png", &png)).collect();
            let answer = server.post(&path, &[&token, accept], &parts).await;
            assert_eq!(answer.status, status, "{path} {count}: {answer:?}");
            // In words: a digest may have a 50 in it, too.
            let told = ["50 个文件", "50 files"]
                .iter()
                .any(|words| answer.body.contains(words));
            assert_eq!(told, count == 51, "{path} {count}: {answer:?}");
        }
    }
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn a_credential_is_found_wherever_it_stands() {
    let server = Server::start(&[]).await;
    let token = server.token.expose();
    let png = pictures::png(3, 3, 1);
    let head = "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"";
    let content_type = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}");
    for (path, header, fields) in [
        (PATH.to_owned(), format!("Authorization: Bearer {token}"), None),
        (PATH.to_owned(), format!("Authorization: {token}"), None),
        (PATH.to_owned(), format!("token: {token}"), None),
        (PATH.to_owned(), format!("Api-Key: {token}"), None),
        (PATH.to_owned(), format!("X-API-Key: {token}"), None),
        (format!("{PATH}?key={token}"), "Accept: */*".to_owned(), None),
        (format!("{PATH}?api_key={token}"), "Accept: */*".to_owned(), None),
        (format!("{PATH}?secret={token}"), "Accept: */*".to_owned(), None),
        (PATH.to_owned(), "Accept: */*".to_owned(), Some("token")),
        (PATH.to_owned(), "Accept: */*".to_owned(), Some("key")),
    ] {
        let fields: Vec<(&str, &str)> = fields.map(|name| (name, token)).into_iter().collect();
        let body = raw_form(head, &png, &fields);
        let answer = server.send("POST", &path, &[&content_type, &header], &body).await;
        assert_eq!(answer.status, 200, "{path} {header} {fields:?}");
        assert_eq!(answer.json()["status"], true);
    }
}

#[tokio::test]
async fn a_stranger_is_read_no_further_than_one_picture() {
    let server = Server::start(&[("BERTH_MAX_UPLOAD_BYTES", "1048576")]).await;
    let png = pictures::png(3, 3, 1);
    let many: Vec<Part<'_>> = (0..45).map(|_| Part::File("file", "a.png", &png)).collect();
    let mut large = form(&many);
    large.truncate(large.len() - BOUNDARY.len() - 6);
    let filler = vec![b'x'; 12 << 20];
    large.extend(form(&[
        Part::File("file", "b.png", &filler),
        Part::Text("token", server.token.expose()),
    ]));
    let answer = post(&server, &[], &large).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn a_body_may_wait_for_100_continue_and_come_in_chunks() {
    let server = Server::start(&[]).await;
    let png = pictures::png(3, 3, 1);
    let body = form(&[Part::File("file", "a.png", &png)]);
    let mut stream = server.connect().await;
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: img.example\r\nConnection: close\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n{}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n",
        token_header(&server)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut expected = [0; 25];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut expected)
        .await
        .unwrap();
    assert_eq!(&expected, b"HTTP/1.1 100 Continue\r\n\r\n");
    for piece in body.chunks(17) {
        stream
            .write_all(format!("{:x}\r\n", piece.len()).as_bytes())
            .await
            .unwrap();
        stream.write_all(piece).await.unwrap();
        stream.write_all(b"\r\n").await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let answer = read_answer(&mut stream).await;
    let url = answer.json()["url"].as_str().unwrap().to_owned();
    assert_eq!(described(&server, &url).await["size_bytes"], json!(png.len()));
}

#[tokio::test]
async fn a_preflight_needs_no_credential_on_any_upload_path() {
    let server = Server::start(&[]).await;
    for path in [
        "/upload",
        "/upload/image",
        "/api/v1/upload",
        "/api/v2/upload",
        "/api/1/upload",
        "/delete",
        "/heartbeat",
    ] {
        let headers = [
            "Origin: https://editor.example",
            "Access-Control-Request-Method: POST",
        ];
        let answer = server.send("OPTIONS", path, &headers, b"").await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
}
