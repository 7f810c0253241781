//! What is refused, and what is left of it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use sha2::Digest as _;
use test_kit::pictures;

use super::{PIECE, TUS, append, begin, files, metadata, tus};
use crate::server::Server;

#[tokio::test]
async fn every_refusal_of_a_beginning_has_its_status() {
    let server = Server::start(&[
        ("BERTH_MAX_UPLOAD_BYTES", "100000"),
        ("BERTH_MAX_VIDEO_BYTES", "200000"),
    ])
    .await;
    let bearer = server.bearer();
    for (headers, status, code) in [
        (vec![&*bearer, "Upload-Length: 5"], 412, "tus_version"),
        (
            vec![&bearer, "Tus-Resumable: 0.2.2", "Upload-Length: 5"],
            412,
            "tus_version",
        ),
        (vec![TUS, "Upload-Length: 5"], 401, "unauthenticated"),
        (vec![TUS, &bearer], 400, "invalid_field"),
        (vec![TUS, &bearer, "Upload-Length: -5"], 400, "invalid_field"),
        (vec![TUS, &bearer, "Upload-Length: 0"], 400, "empty_file"),
        (vec![TUS, &bearer, "Upload-Length: 200001"], 413, "file_too_large"),
        (
            vec![TUS, &bearer, "Upload-Length: 5", "Upload-Metadata: a ???"],
            400,
            "invalid_field",
        ),
        (
            vec![TUS, &bearer, "Upload-Length: 5", "Upload-Metadata: album OTk="],
            400,
            "invalid_field",
        ),
        (
            vec![
                TUS,
                &bearer,
                "Upload-Length: 5",
                "Upload-Metadata: expires_in c29vbg==",
            ],
            400,
            "invalid_field",
        ),
        (
            vec![TUS, &bearer, "Upload-Concat: nonsense"],
            400,
            "invalid_field",
        ),
        (
            vec![TUS, &bearer, "Upload-Concat: final;/v1/uploads/7h9KzQm2xRfW"],
            404,
            "upload_not_found",
        ),
    ] {
        let answer = server.send("POST", "/v1/uploads", &headers, b"").await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (status, &json!(code)),
            "{headers:?} {answer:?}"
        );
        assert_eq!(answer.header("tus-version").is_some(), status == 412);
    }
    assert_eq!(files(&server), 0);
}

#[tokio::test]
async fn every_refusal_of_a_piece_has_its_status_and_nothing_of_it_counts() {
    let server = Server::start(&[]).await;
    let (bearer, png) = (server.bearer(), pictures::png(30, 20, 1));
    let path = begin(&server, png.len(), &[]).await;
    let nowhere = "/v1/uploads/7h9KzQm2xRfW";
    let too_long = [png.as_slice(), b"x"].concat();
    for (path, headers, body, status, code) in [
        (&*path, vec!["Upload-Offset: 0"], &*png, 415, "not_a_piece"),
        (&path, vec![PIECE], &png, 400, "invalid_field"),
        (
            &path,
            vec![PIECE, "Upload-Offset: 3"],
            &png,
            409,
            "offset_mismatch",
        ),
        (
            &path,
            vec![PIECE, "Upload-Offset: 0", "Upload-Checksum: crc32 AAAA"],
            &png,
            400,
            "invalid_field",
        ),
        (
            &path,
            vec![PIECE, "Upload-Offset: 0", "Upload-Checksum: sha1 AAAA"],
            &png,
            460,
            "piece_checksum_mismatch",
        ),
        (
            &path,
            vec![PIECE, "Upload-Offset: 0"],
            &too_long,
            413,
            "piece_too_long",
        ),
        (
            nowhere,
            vec![PIECE, "Upload-Offset: 0"],
            &png,
            404,
            "upload_not_found",
        ),
        (
            "/v1/uploads/x",
            vec![PIECE, "Upload-Offset: 0"],
            &png,
            404,
            "upload_not_found",
        ),
    ] {
        let answer = tus(&server, "PATCH", path, &headers, body).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (status, &json!(code)),
            "{headers:?} {answer:?}"
        );
    }
    let without_version = server.send("HEAD", &path, &[&bearer], b"").await;
    assert_eq!(without_version.status, 412);
    let sha1 = format!(
        "Upload-Checksum: sha256 {}",
        STANDARD.encode(sha2::Sha256::digest(&png))
    );
    let answer = append(&server, &path, 0, &[&sha1], &png).await;
    assert_eq!(
        answer.status, 204,
        "nothing of what was refused has counted: {answer:?}"
    );
}

#[tokio::test]
async fn what_can_never_be_an_image_is_refused_by_its_first_bytes_and_dropped() {
    let server = Server::start(&[
        ("BERTH_MAX_UPLOAD_BYTES", "100000"),
        ("BERTH_MAX_VIDEO_BYTES", "200000"),
    ])
    .await;
    let png = [pictures::png(3, 3, 1), vec![0; 9_000]].concat();
    for (length, bytes, status, code) in [
        (50_000, vec![b'x'; 9_000], 415, "type_not_allowed"),
        (150_000, png, 413, "file_too_large"),
        (20, vec![b'x'; 20], 415, "type_not_allowed"),
    ] {
        let path = begin(&server, length, &[]).await;
        let answer = append(&server, &path, 0, &[], &bytes).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (status, &json!(code)),
            "{answer:?}"
        );
        assert_eq!(tus(&server, "HEAD", &path, &[], b"").await.status, 404);
    }
    assert_eq!((files(&server), server.staged().len()), (0, 0));
}

#[tokio::test]
async fn the_albums_policy_holds_for_what_comes_in_pieces() {
    let server = Server::start(&[]).await;
    let strict = json!({
        "name": "strict",
        "policy": { "expiry": { "default": "2d", "longest": "3d" }, "visibility": "unlisted" },
    });
    let album = crate::pictures::send(&server, "POST", "/v1/albums", &strict).await;
    let album = album.json()["id"].to_string();
    let png = pictures::png(20, 20, 1);
    let length = format!("Upload-Length: {}", png.len());
    for lifetime in ["4d", "0"] {
        let said = metadata(&[("album", &album), ("expires_in", lifetime)]);
        let refused = tus(&server, "POST", "/v1/uploads", &[&length, &said], b"").await;
        assert_eq!(
            (refused.status, &refused.json()["code"]),
            (400, &json!("invalid_field")),
            "{lifetime}"
        );
        assert_eq!(files(&server), 0);
    }
    let path = begin(
        &server,
        png.len(),
        &[&metadata(&[("album", &album), ("filename", "a.png")])],
    )
    .await;
    assert_eq!(append(&server, &path, 0, &[], &png).await.status, 204);
    let image = &server.get(&path).await.json()["image"];
    assert_eq!(
        (&image["visibility"], &image["expires_at"]),
        (&json!("unlisted"), &json!("2026-11-23T00:00:00Z"))
    );
    // Nobody said when it ends, so views may keep it alive.
    let owner = server.database.connect().await;
    let sql = "SELECT ends_by_policy FROM image";
    assert!(owner.query_one(sql, &[]).await.unwrap().get::<_, bool>(0));
}
