use serde_json::json;
use test_kit::pictures;

use super::{assert_first_url, assert_plain, described, id_of};
use crate::server::{Part, Server};

const PATH: &str = "/api/1/upload";

#[tokio::test]
async fn an_upload_answers_every_field_in_its_order() {
    let server = Server::start(&[]).await;
    let png = pictures::png(30, 20, 1);
    // The key stands behind the file.
    let parts = [
        Part::File("source", "屏幕.截图.png", &png),
        Part::Text("key", server.token.expose()),
    ];
    let answer = server.post(PATH, &[], &parts).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_plain(&answer);
    let reply = answer.json();
    let url = reply["image"]["url"].as_str().unwrap();
    let image = described(&server, url).await;
    let id = id_of(url);
    assert_first_url(&answer, url);
    let expected = json!({
        "status_code": 200,
        "success": { "message": "file uploaded", "code": 200 },
        "image": {
            "url": url,
            "name": "屏幕.截图",
            "extension": "png",
            "size": png.len(),
            "width": 30,
            "height": 20,
            "date": "2026-11-21 00:00:00",
            "mime": "image/png",
            "filename": format!("{id}.png"),
            "md5": image["md5"],
            "id_encoded": id,
            "size_formatted": reply["image"]["size_formatted"],
            "original_filename": "屏幕.截图.png",
            "url_viewer": url,
            "display_url": url,
            "thumb": { "filename": format!("{id}.png"), "mime": "image/png", "extension": "png", "url": reply["image"]["thumb"]["url"] },
            "delete_url": image["delete_url"],
        },
        "status_txt": "OK",
    });
    assert_eq!(answer.body, expected.to_string());
}

#[tokio::test]
async fn text_and_a_redirect_are_answered_to_who_asks_for_them() {
    let server = Server::start(&[]).await;
    let png = pictures::png(3, 3, 1);
    let key = Part::Text("key", server.token.expose());
    let file = Part::File("source", "a.png", &png);
    let text = server
        .post(PATH, &[], &[file, key, Part::Text("format", "txt")])
        .await;
    assert!(text.body.starts_with("https://img.example/i/"), "{text:?}");
    let path = format!("{PATH}?key={}&format=redirect", server.token.expose());
    let redirect = server
        .post(&path, &[], &[Part::File("source", "a.png", &png)])
        .await;
    assert_eq!(
        (redirect.status, redirect.header("location")),
        (302, Some(text.body.as_str()))
    );
}

#[tokio::test]
async fn every_failure_is_400_with_its_reason() {
    let server = Server::start(&[]).await;
    let png = pictures::png(3, 3, 1);
    for (key, file, message) in [
        (
            "",
            &png[..],
            "A token is needed: send it as Authorization: Bearer TOKEN",
        ),
        (
            "nonsense",
            &png,
            "The token is not valid (unknown, expired or revoked)",
        ),
        (
            server.token.expose(),
            b"no picture",
            "This type of file is not taken here",
        ),
    ] {
        let parts = [Part::File("source", "a.png", file), Part::Text("key", key)];
        let answer = server.post(PATH, &[], &parts).await;
        let expected = json!({
            "status_code": 400,
            "error": { "message": message, "code": 100 },
            "status_txt": "Bad Request",
        });
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (400, &*expected.to_string())
        );
        assert_plain(&answer);
    }
    assert!(server.staged().is_empty());
}
