use base64::prelude::{BASE64_STANDARD, Engine as _};
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

/// As `curl -d` and PHP send it: percent-encoded, or with the plus signs as they are.
const URLENCODED: &str = "Content-Type: application/x-www-form-urlencoded";

#[tokio::test]
async fn a_picture_may_come_as_text_in_a_field_or_in_a_urlencoded_body() {
    let server = Server::start(&[]).await;
    let key = server.token.expose();
    for (seed, prefix) in [(1, ""), (2, "data:image/png;base64,")] {
        let png = pictures::png(60, 40, seed);
        let text = format!("{prefix}{}", BASE64_STANDARD.encode(&png));
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(76)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let wrapped = lines.join("\r\n");
        let escaped: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let parts = |text| {
            [
                Part::Text("source", text),
                Part::Text("key", key),
                Part::Text("format", "txt"),
            ]
        };
        let file = [
            Part::File("source", "截图.txt", text.as_bytes()),
            Part::Text("key", key),
            Part::Text("format", "txt"),
        ];
        let mut urls = Vec::new();
        for answer in [
            server.post(PATH, &[], &parts(&text)).await,
            server.post(PATH, &[], &parts(&wrapped)).await,
            server.post(PATH, &[], &file).await,
            server
                .send(
                    "POST",
                    PATH,
                    &[URLENCODED],
                    format!("key={key}&format=txt&source={escaped}").as_bytes(),
                )
                .await,
            // The key stands behind the picture, and nothing of it is escaped.
            server
                .send(
                    "POST",
                    PATH,
                    &[URLENCODED],
                    format!("source={text}&key={key}&format=txt").as_bytes(),
                )
                .await,
            server
                .send(
                    "POST",
                    &format!("{PATH}?format=txt"),
                    &[URLENCODED, &format!("X-API-Key: {key}")],
                    format!("source={escaped}").as_bytes(),
                )
                .await,
        ] {
            assert_eq!(answer.status, 200, "{answer:?}");
            urls.push(answer.body);
        }
        urls.dedup();
        assert_eq!(urls.len(), 1, "the same bytes each time: {urls:?}");
        let image = described(&server, &urls[0]).await;
        assert_eq!(
            (&image["size_bytes"], &image["width"], &image["media_type"]),
            (&json!(png.len()), &json!(60), &json!("image/png"))
        );
    }
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn text_is_held_to_the_limits_of_what_it_stands_for() {
    let server = Server::start(&[
        ("BERTH_MAX_UPLOAD_BYTES", "1048576"),
        ("BERTH_ALLOWED_TYPES", "png"),
    ])
    .await;
    let key = server.token.expose();
    let png = |bytes: usize| {
        let mut png = pictures::png(3, 3, 1);
        png.resize(bytes, 0);
        BASE64_STANDARD.encode(png)
    };
    // Bytes behind a picture's end do no harm; they are its size here.
    let (just, beyond) = (png(1 << 20), png((1 << 20) + 1));
    let far_beyond = png(12 << 20);
    let message =
        |answer: &crate::server::Answer| answer.json()["error"]["message"].as_str().map(str::to_owned);
    let escape = |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    for (text, status, words) in [
        (just.as_str(), 200, None),
        (&beyond, 400, Some("The file is too large: 1.0MB at most")),
        (&far_beyond, 400, Some("The file is too large: 1.0MB at most")),
        ("R0lGODlhAQABAAAAACw=", 400, Some("The file is damaged")),
        (
            "no text at all!",
            400,
            Some("This type of file is not taken here"),
        ),
        (
            "QUJDQUJDQUJDQUJDQ",
            400,
            Some("This type of file is not taken here"),
        ),
        ("", 400, Some("The file is empty")),
    ] {
        let parts = [Part::Text("key", key), Part::Text("source", text)];
        let path = format!("{PATH}?key={key}");
        for answer in [
            server.post(&path, &[], &parts).await,
            server
                .send(
                    "POST",
                    &path,
                    &[URLENCODED],
                    format!("source={}", escape(text)).as_bytes(),
                )
                .await,
        ] {
            assert_eq!(answer.status, status, "{answer:?}");
            let said = (status == 400).then(|| message(&answer)).flatten();
            assert_eq!(said.is_some(), words.is_some());
            assert!(
                words.is_none_or(|words| said.unwrap().contains(words)),
                "{words:?}: {answer:?}"
            );
        }
    }
    let fields: Vec<String> = (0..70).map(|number| format!("f{number}=x&")).collect();
    let fields = fields.concat();
    for (body, words) in [
        (format!("{fields}source=QUJD"), "fields"),
        (format!("{}=x&source=QUJD", "n".repeat(300)), "longer than"),
        (format!("title={}&source=QUJD", "n".repeat(20_000)), "longer than"),
        ("title=x".to_owned(), "No file"),
    ] {
        let path = format!("{PATH}?key={key}");
        let answer = server.send("POST", &path, &[URLENCODED], body.as_bytes()).await;
        assert_eq!(answer.status, 400, "{words}: {answer:?}");
    }
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn no_other_dialect_takes_a_picture_as_text() {
    let server = Server::start(&[]).await;
    let text = BASE64_STANDARD.encode(pictures::png(3, 3, 1));
    let token = super::token_header(&server);
    let answer = server
        .post("/api/v1/upload", &[&token], &[Part::Text("file", &text)])
        .await;
    assert_eq!(answer.json()["message"], "不支持的文件类型");
    let body = format!("file={text}");
    let answer = server
        .send("POST", "/api/v1/upload", &[&token, URLENCODED], body.as_bytes())
        .await;
    assert_eq!(answer.json()["status"], false, "{answer:?}");
}
