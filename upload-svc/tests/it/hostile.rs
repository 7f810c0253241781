//! Broken, oversized and malicious uploads: a clear answer, and nothing left behind.

use std::{path::Path, time::Duration};

use test_kit::{TestDatabase, pictures};
use tokio::io::AsyncWriteExt as _;

use crate::server::{BOUNDARY, Part, Server, form, read_answer};

#[tokio::test]
async fn each_bad_upload_has_its_own_refusal_and_leaves_nothing() {
    let server = Server::start(&[("BERTH_ALLOWED_TYPES", "png,jpg")]).await;
    let gif = pictures::gif(3, 3, 1);
    let giant = png_header(20_000, 10);
    for (name, bytes, status, code) in [
        (
            "text",
            b"hello, this is no picture".as_slice(),
            415,
            "type_not_allowed",
        ),
        (
            "svg",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            415,
            "type_not_allowed",
        ),
        (
            "elf",
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
            415,
            "type_not_allowed",
        ),
        ("gif, not allowed here", &gif, 415, "type_not_allowed"),
        ("empty", b"", 400, "empty_file"),
        (
            "the beginning of a jpeg",
            b"\xff\xd8\xff\xe0",
            422,
            "unreadable_file",
        ),
        ("a bomb of dimensions", &giant, 422, "too_many_pixels"),
    ] {
        let answer = server.upload(&[Part::File("file", "a.png", bytes)]).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert_eq!(answer.json()["code"], code, "{name}");
        assert!(answer.json()["images"][0]["problem"].is_object(), "{name}");
    }
    assert!(server.staged().is_empty());
}

/// A PNG that says so many pixels and holds none.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = pictures::png(1, 1, 1);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    bytes
}

#[tokio::test]
async fn a_broken_form_is_400() {
    let server = Server::start(&[]).await;
    let good = form(&[Part::File("file", "a.png", &pictures::png(3, 3, 1))]);
    let truncated = &good[..good.len() - 20];
    let long_boundary = format!("Content-Type: multipart/form-data; boundary={}", "b".repeat(71));
    let right = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}");
    for (name, content_type, body, code) in [
        (
            "no content type",
            "Accept: */*",
            good.as_slice(),
            "malformed_multipart",
        ),
        (
            "json",
            "Content-Type: application/json",
            b"{}",
            "malformed_multipart",
        ),
        (
            "no boundary",
            "Content-Type: multipart/form-data",
            &good,
            "malformed_multipart",
        ),
        (
            "a boundary that is too long",
            &long_boundary,
            &good,
            "malformed_multipart",
        ),
        ("cut off", &right, truncated, "malformed_multipart"),
        ("no form at all", &right, b"hello", "malformed_multipart"),
        ("no file", &right, &form(&[Part::Text("a", "b")]), "no_file"),
    ] {
        let answer = server
            .send("POST", "/v1/images", &[&server.bearer(), content_type], body)
            .await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (400, Some(code)),
            "{name}: {answer:?}"
        );
    }
    let bad_option = server
        .upload(&[
            Part::File("file", "a.png", &pictures::png(3, 3, 1)),
            Part::Text("expires_in", "soon"),
        ])
        .await;
    assert_eq!(
        (bad_option.status, bad_option.json()["field"].as_str()),
        (400, Some("expires_in"))
    );
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_while_it_streams() {
    let server = Server::start(&[("BERTH_MAX_UPLOAD_BYTES", "100000")]).await;
    let mut stream = server.connect().await;
    let head = format!(
        "POST /v1/images HTTP/1.1\r\nHost: x\r\n{}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\nTransfer-Encoding: chunked\r\n\r\n",
        server.bearer()
    );
    let part =
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n");
    stream
        .write_all(format!("{head}{:x}\r\n{part}\r\n", part.len()).as_bytes())
        .await
        .unwrap();
    // Chunks without an end: only an answer in mid-stream ends this.
    let mut chunk = pictures::png(100, 100, 1);
    chunk.resize(64 << 10, 0);
    let chunk = [
        format!("{:x}\r\n", chunk.len()).into_bytes(),
        chunk,
        b"\r\n".to_vec(),
    ]
    .concat();
    let (mut reader, mut writer) = stream.into_split();
    let sending = tokio::spawn(async move { while writer.write_all(&chunk).await.is_ok() {} });
    let mut answer = vec![0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut reader, &mut answer)
        .await
        .unwrap();
    sending.abort();
    assert_eq!(answer, b"HTTP/1.1 413");
    wait_until_staging_is_empty(&server).await;
}

#[tokio::test]
async fn a_large_file_among_others_is_refused_alone() {
    let server = Server::start(&[("BERTH_MAX_UPLOAD_BYTES", "100000")]).await;
    let (small, mut large) = (pictures::png(4, 4, 1), pictures::png(4, 4, 2));
    large.resize(200_000, 0);
    let parts = [
        Part::File("file", "large.png", &large),
        Part::File("file", "small.png", &small),
    ];
    let answer = server.upload(&parts).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.json()["images"][0]["problem"]["code"], "file_too_large");
    assert_eq!(answer.json()["images"][1]["status"], "uploaded");
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn a_request_that_is_announced_as_too_large_is_refused_before_its_body() {
    let server = Server::start(&[("BERTH_MAX_REQUEST_BYTES", "1000000")]).await;
    let mut stream = server.connect().await;
    let head = format!(
        "POST /v1/images HTTP/1.1\r\nHost: x\r\n{}\r\nExpect: 100-continue\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000001\r\n\r\n",
        server.bearer()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (413, Some("request_too_large"))
    );
}

#[tokio::test]
async fn the_fifty_first_file_is_refused_and_nothing_is_kept() {
    let server = Server::start(&[]).await;
    let pictures: Vec<Vec<u8>> = (0..51).map(|seed| pictures::png(2, 2, seed)).collect();
    let parts: Vec<Part<'_>> = pictures
        .iter()
        .map(|bytes| Part::File("file", "a.png", bytes))
        .collect();
    let answer = server.upload(&parts).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (413, Some("too_many_files"))
    );
    let fifty = server.upload(&parts[..50]).await;
    assert_eq!(fifty.status, 201);
    assert_eq!(fifty.json()["images"].as_array().unwrap().len(), 50);
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn a_part_header_without_an_end_is_cut_off() {
    let server = Server::start(&[]).await;
    let mut stream = server.connect().await;
    let head = format!(
        "POST /v1/images HTTP/1.1\r\nHost: x\r\n{}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: 600000000\r\n\r\n--{BOUNDARY}\r\nX-Endless: ",
        server.bearer()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let sending = tokio::spawn(async move {
        let (mut sent, piece) = (0_u64, vec![b'a'; 64 << 10]);
        while sent < 600_000_000 && writer.write_all(&piece).await.is_ok() {
            sent += 64 << 10;
        }
    });
    let mut answer = vec![0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut reader, &mut answer)
        .await
        .unwrap();
    assert_eq!(answer, b"HTTP/1.1 400");
    sending.abort();
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing() {
    let server = Server::start(&[]).await;
    let mut stream = server.connect().await;
    let head = format!(
        "POST /v1/images HTTP/1.1\r\nHost: x\r\n{}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: 100000\r\n\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n",
        server.bearer()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&pictures::png(40, 40, 1)).await.unwrap();
    for _ in 0..200 {
        if !server.staged().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(server.staged().len(), 1, "the upload is under way");
    drop(stream);
    wait_until_staging_is_empty(&server).await;
}

async fn wait_until_staging_is_empty(server: &Server) {
    for _ in 0..500 {
        if server.staged().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("left behind: {:?}", server.staged());
}

#[tokio::test]
async fn a_database_that_is_away_is_503_with_a_time_to_come_back() {
    let mut database = TestDatabase::create_apart().await;
    database.stop().await;
    database.start().await;
    let mut server = Server::start_on(database, &[]).await;
    let png = pictures::png(3, 3, 1);
    assert_eq!(
        server.upload(&[Part::File("file", "a.png", &png)]).await.status,
        201
    );
    server.database.stop().await;
    let answer = server.upload(&[Part::File("file", "a.png", &png)]).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (503, Some("database_away")),
        "{answer:?}"
    );
    assert!(answer.header("retry-after").is_some());
    assert!(server.staged().is_empty());
    server.database.start().await;
    assert_eq!(
        server.upload(&[Part::File("file", "a.png", &png)]).await.status,
        200,
        "whole again without a restart"
    );
}

#[tokio::test]
async fn files_that_share_an_md5_are_kept_apart() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/md5-collisions/made");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("no corpus beside this checkout: not checked with real collisions");
        return;
    };
    let server = Server::start(&[]).await;
    // What makes the pairs collide stands in their metadata.
    let keep = Part::Text("scrub", "keep");
    let mut pairs = 0;
    for entry in entries {
        let a = entry.unwrap().path();
        let name = a.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.contains("_A.") {
            continue;
        }
        let (a, b) = (
            std::fs::read(&a).unwrap(),
            std::fs::read(folder.join(name.replace("_A.", "_B."))).unwrap(),
        );
        let (first, second) = (
            server.upload(&[Part::File("file", &name, &a), keep]).await,
            server.upload(&[Part::File("file", &name, &b), keep]).await,
        );
        assert_eq!(
            (first.status, second.status),
            (201, 201),
            "{name}: {first:?} {second:?}"
        );
        let (first, second) = (&first.json()["images"][0], &second.json()["images"][0]);
        assert_eq!(first["md5"], second["md5"], "{name}");
        assert_ne!(first["sha256"], second["sha256"], "{name}");
        let md5 = first["md5"].as_str().unwrap();
        let in_folder = std::fs::read_dir(server.blobs().join(&md5[..2])).unwrap();
        let kept: Vec<Vec<u8>> = in_folder
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .collect();
        assert!(
            kept.contains(&a) && kept.contains(&b),
            "{name}: both are on the disk"
        );
        pairs += 1;
    }
    assert!(pairs >= 5);
}
