//! tus: `/v1/uploads`, every status of it.

mod refusals;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::Scope;
use jiff::SignedDuration;
use serde_json::json;
use test_kit::pictures;
use tokio::io::AsyncWriteExt as _;

use crate::server::{Answer, Server, read_answer};

const TUS: &str = "Tus-Resumable: 1.0.0";
const PIECE: &str = "Content-Type: application/offset+octet-stream";

/// Sends a request of the protocol, with this server's token.
async fn tus(server: &Server, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
    let bearer = server.bearer();
    let mut all = vec![bearer.as_str(), TUS];
    all.extend_from_slice(headers);
    let answer = server.send(method, path, &all, body).await;
    assert_eq!(answer.header("tus-resumable"), Some("1.0.0"), "{answer:?}");
    answer
}

fn metadata(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{name} {}", STANDARD.encode(value)));
    format!("Upload-Metadata: {}", pairs.collect::<Vec<_>>().join(","))
}

/// Begins an upload and gives its URL.
async fn begin(server: &Server, length: usize, headers: &[&str]) -> String {
    let length = format!("Upload-Length: {length}");
    let mut all = vec![length.as_str()];
    all.extend_from_slice(headers);
    let answer = tus(server, "POST", "/v1/uploads", &all, b"").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.header("location").unwrap().to_owned()
}

async fn append(server: &Server, path: &str, offset: usize, more: &[&str], bytes: &[u8]) -> Answer {
    let offset = format!("Upload-Offset: {offset}");
    let mut all = vec![PIECE, offset.as_str()];
    all.extend_from_slice(more);
    tus(server, "PATCH", path, &all, bytes).await
}

async fn offset(server: &Server, path: &str) -> Option<String> {
    let answer = tus(server, "HEAD", path, &[], b"").await;
    answer.header("upload-offset").map(str::to_owned)
}

fn files(server: &Server) -> usize {
    std::fs::read_dir(server.blobs().join(".uploads"))
        .unwrap()
        .count()
}

#[tokio::test]
async fn pieces_become_an_image_like_any_other() {
    let server = Server::start(&[]).await;
    let png = pictures::png(300, 200, 1);
    let (first, last) = png.split_at(png.len() / 2);
    let said = metadata(&[
        ("filename", "截图.png"),
        ("filetype", "image/png"),
        ("description", "a pier"),
        ("visibility", "unlisted"),
        ("expires_in", "2h"),
    ]);
    let path = begin(&server, png.len(), &[&said]).await;
    let answer = append(&server, &path, 0, &[], first).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(answer.header("upload-offset").unwrap(), first.len().to_string());
    assert_eq!(
        answer.header("upload-expires"),
        Some("Sun, 22 Nov 2026 00:00:00 GMT")
    );
    let head = tus(&server, "HEAD", &path, &[], b"").await;
    assert_eq!(head.status, 200);
    assert_eq!(head.header("upload-offset").unwrap(), first.len().to_string());
    assert_eq!(head.header("upload-length").unwrap(), png.len().to_string());
    assert_eq!(head.header("cache-control"), Some("no-store"));
    assert_eq!(
        format!("Upload-Metadata: {}", head.header("upload-metadata").unwrap()),
        said
    );
    let described = server.get(&path).await.json();
    assert_eq!(
        (&described["offset"], &described["image"]),
        (&json!(first.len()), &json!(null))
    );
    let answer = append(&server, &path, first.len(), &[], last).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let image = &server.get(&path).await.json()["image"];
    assert_eq!(answer.header("upload-result").unwrap(), image["url"]);
    assert_eq!(
        answer.header("location").unwrap(),
        format!("/v1/images/{}", image["id"].as_str().unwrap())
    );
    assert_eq!(image["name"], "截图.png");
    assert_eq!(image["description"], "a pier");
    assert_eq!(image["visibility"], "unlisted");
    assert_eq!(image["expires_at"], "2026-11-21T02:00:00Z");
    let md5 = image["md5"].as_str().unwrap();
    let stored = std::fs::read(server.blobs().join(&md5[..2]).join(format!("{}.png", &md5[2..]))).unwrap();
    assert_eq!(stored, png);
    assert_eq!(offset(&server, &path).await.unwrap(), png.len().to_string());
    assert_eq!((files(&server), server.staged().len()), (0, 0));
    let more = append(&server, &path, png.len(), &[], b"").await;
    assert_eq!(
        (more.status, &more.json()["code"]),
        (403, &json!("upload_is_whole"))
    );
}

#[tokio::test]
async fn a_file_may_come_with_its_beginning_and_what_it_speaks_is_told() {
    let server = Server::start(&[("BERTH_MAX_VIDEO_BYTES", "100000000")]).await;
    let gif = pictures::gif(5, 5, 1);
    let length = format!("Upload-Length: {}", gif.len());
    let answer = tus(&server, "POST", "/v1/uploads", &[&length, PIECE], &gif).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("upload-offset").unwrap(), gif.len().to_string());
    assert_eq!(
        answer.header("upload-result").unwrap().rsplit('.').next(),
        Some("gif")
    );
    for path in ["/v1/uploads", "/v1/uploads/7h9KzQm2xRfW"] {
        let options = server
            .send("OPTIONS", path, &["Origin: https://blog.example"], b"")
            .await;
        assert_eq!(options.status, 204);
        assert_eq!(options.header("tus-resumable"), Some("1.0.0"));
        assert_eq!(options.header("tus-version"), Some("1.0.0"));
        assert_eq!(options.header("tus-max-size"), Some("100000000"));
        assert_eq!(options.header("tus-checksum-algorithm"), Some("sha1,md5,sha256"));
        let extensions = "creation,creation-with-upload,checksum,termination,expiration,concatenation";
        assert_eq!(options.header("tus-extension"), Some(extensions));
        let methods = options.header("access-control-allow-methods").unwrap();
        assert!(methods.contains("PATCH") && methods.contains("HEAD"));
        let headers = options.header("access-control-allow-headers").unwrap();
        for header in [
            "tus-resumable",
            "upload-length",
            "upload-offset",
            "upload-metadata",
            "upload-checksum",
        ] {
            assert!(headers.contains(header), "{header}");
        }
        let exposed = options.header("access-control-expose-headers").unwrap();
        for header in [
            "upload-offset",
            "location",
            "upload-result",
            "tus-version",
            "upload-expires",
        ] {
            assert!(exposed.contains(header), "{header}");
        }
    }
}

#[tokio::test]
async fn the_last_byte_counts_once_the_image_is_there() {
    let server = Server::start(&[]).await;
    let png = pictures::png(30, 20, 1);
    let path = begin(&server, png.len(), &[]).await;
    let owner = server.database.connect().await;
    owner
        .batch_execute("UPDATE account SET quota_files = 0")
        .await
        .unwrap();
    let full = append(&server, &path, 0, &[], &png).await;
    assert_eq!(
        (full.status, &full.json()["code"]),
        (507, &json!("quota_exceeded"))
    );
    let last = png.len() - 1;
    assert_eq!(offset(&server, &path).await.unwrap(), last.to_string());
    owner
        .batch_execute("UPDATE account SET quota_files = NULL")
        .await
        .unwrap();
    let answer = append(&server, &path, last, &[], &png[last..]).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let image = &server.get(&path).await.json()["image"];
    assert_eq!(image["size_bytes"], png.len());
}

#[tokio::test]
async fn a_client_that_is_cut_off_goes_on_where_its_bytes_ended_after_a_restart_too() {
    let server = Server::start(&[]).await;
    let png = pictures::png(900, 700, 1);
    let path = begin(&server, png.len(), &[]).await;
    let half = png.len() / 2;
    let mut cut = server.connect().await;
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: x\r\n{}\r\n{TUS}\r\n{PIECE}\r\nUpload-Offset: 0\r\nContent-Length: {}\r\n\r\n",
        server.bearer(),
        png.len()
    );
    cut.write_all(head.as_bytes()).await.unwrap();
    cut.write_all(&png[..half]).await.unwrap();
    // The connection hangs, as one does that broke somewhere on its way. Whoever asks takes over.
    let file = server
        .blobs()
        .join(".uploads")
        .join(path.rsplit('/').next().unwrap());
    while std::fs::metadata(&file).unwrap().len() < half as u64 {
        tokio::task::yield_now().await;
    }
    assert_eq!(offset(&server, &path).await.unwrap(), half.to_string());
    assert_eq!(read_answer(&mut cut).await.status, 423);
    let server = server.restart().await;
    assert_eq!(offset(&server, &path).await.unwrap(), half.to_string());
    let answer = append(&server, &path, half, &[], &png[half..]).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(server.get(&path).await.json()["image"]["size_bytes"], png.len());
}

#[tokio::test]
async fn who_is_held_in_another_process_is_left_alone_until_that_must_be_dead() {
    let server = Server::start(&[]).await;
    let png = pictures::png(30, 20, 1);
    let path = begin(&server, png.len(), &[]).await;
    let owner = server.database.connect().await;
    let held =
        "UPDATE upload SET holder = decode(repeat('00', 16), 'hex'), held_until = '2026-11-21T00:00:10Z'";
    owner.batch_execute(held).await.unwrap();
    let answer = append(&server, &path, 0, &[], &png).await;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (423, Some("10")),
        "{answer:?}"
    );
    server.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(append(&server, &path, 0, &[], &png).await.status, 204);
}

#[tokio::test]
async fn parts_are_joined_in_the_order_that_is_said() {
    let server = Server::start(&[]).await;
    let png = pictures::png(300, 200, 1);
    let third = png.len() / 3;
    let pieces = [&png[..third], &png[third..2 * third], &png[2 * third..]];
    let mut urls = Vec::new();
    for piece in pieces {
        let url = begin(&server, piece.len(), &["Upload-Concat: partial"]).await;
        urls.push(url);
    }
    let concat = format!("Upload-Concat: final;{}", urls.join(" "));
    let early = tus(&server, "POST", "/v1/uploads", &[&concat], b"").await;
    assert_eq!(
        (early.status, &early.json()["code"]),
        (409, &json!("parts_incomplete"))
    );
    for (url, piece) in urls.iter().zip(pieces) {
        assert_eq!(append(&server, url, 0, &[], piece).await.status, 204);
        assert_eq!(offset(&server, url).await.unwrap(), piece.len().to_string());
    }
    let said = metadata(&[("filename", "joined.png")]);
    let answer = tus(&server, "POST", "/v1/uploads", &[&concat, &said], b"").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(answer.header("upload-result").is_some());
    let path = answer.header("location").unwrap();
    let image = &server.get(path).await.json()["image"];
    assert_eq!(
        (&image["name"], &image["size_bytes"]),
        (&json!("joined.png"), &json!(png.len()))
    );
    let head = tus(&server, "HEAD", path, &[], b"").await;
    assert_eq!(
        format!("Upload-Concat: {}", head.header("upload-concat").unwrap()),
        concat
    );
    let more = append(&server, path, 0, &[], b"x").await;
    assert_eq!(
        (more.status, &more.json()["code"]),
        (403, &json!("upload_is_whole"))
    );
    server.clock.advance(SignedDuration::from_mins(10));
    assert_eq!(
        tus(&server, "HEAD", &urls[0], &[], b"").await.status,
        404,
        "parts go soon"
    );
}

#[tokio::test]
async fn an_upload_is_its_owners_and_can_be_dropped_and_expires() {
    let server = Server::start(&[]).await;
    let png = pictures::png(30, 20, 1);
    let other = test_kit::account(&server.database, "bob").await;
    let other = test_kit::token(&server.database, other, &[Scope::Upload, Scope::Read]).await;
    let other = format!("Authorization: Bearer {}", other.expose());
    let path = begin(&server, png.len(), &[]).await;
    for method in ["HEAD", "DELETE"] {
        assert_eq!(server.send(method, &path, &[&other, TUS], b"").await.status, 404);
    }
    assert_eq!(tus(&server, "DELETE", &path, &[], b"").await.status, 204);
    assert_eq!(tus(&server, "DELETE", &path, &[], b"").await.status, 404);
    assert_eq!(files(&server), 0);
    let path = begin(&server, png.len(), &[]).await;
    server.clock.advance(SignedDuration::from_hours(23));
    assert_eq!(
        append(&server, &path, 0, &[], &png[..9]).await.status,
        204,
        "which gives it another day"
    );
    server.clock.advance(SignedDuration::from_hours(23));
    assert_eq!(offset(&server, &path).await.as_deref(), Some("9"));
    server.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(tus(&server, "HEAD", &path, &[], b"").await.status, 404);
    assert_eq!(append(&server, &path, 9, &[], &png[9..]).await.status, 404);
}

#[tokio::test]
async fn a_quota_counts_what_is_under_way() {
    let server = Server::start(&[]).await;
    let owner = server.database.connect().await;
    owner
        .batch_execute("UPDATE account SET quota_bytes = 1000")
        .await
        .unwrap();
    begin(&server, 600, &[]).await;
    let second = tus(&server, "POST", "/v1/uploads", &["Upload-Length: 401"], b"").await;
    assert_eq!(
        (second.status, &second.json()["code"]),
        (507, &json!("quota_exceeded"))
    );
    begin(&server, 400, &[]).await;
}
