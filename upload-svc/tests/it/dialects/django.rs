use serde_json::json;
use test_kit::pictures;

use super::{assert_plain, token_header};
use crate::{
    people::{PASSWORD, sign_up},
    server::{Part, Server},
};

const PATHS: [&str; 2] = ["/upload/image", "/blog/upload/image"];

#[tokio::test]
async fn an_upload_and_a_duplicate_answer_the_same_url() {
    let server = Server::start(&[]).await;
    let png = pictures::png(30, 20, 1);
    let token = token_header(&server);
    let image = server.upload(&[Part::File("file", "a.png", &png)]).await.json();
    let md5 = image["images"][0]["md5"].as_str().unwrap().to_owned();
    for path in PATHS {
        let answer = server
            .post(path, &[&token], &[Part::File("img", "a.png", &png)])
            .await;
        assert_eq!(answer.status, 200);
        assert_plain(&answer);
        assert_eq!(
            answer.body,
            format!(r#"{{"url":"https://img.example/images/{md5}.png"}}"#)
        );
    }
}

#[tokio::test]
async fn an_operator_and_a_password_in_the_form_are_as_good_as_a_token() {
    let server = Server::start(&[("BERTH_SIGN_IN_PER_ACCOUNT", "2")]).await;
    sign_up(&server, "bob", catalog::Role::Member).await;
    let png = pictures::png(3, 3, 1);
    let with = |password: &'static str| {
        vec![
            Part::File("img", "a.png", &png),
            Part::Text("operator", "bob"),
            Part::Text("password", password),
        ]
    };
    // More often than a password may be tried: one that was right a moment ago is not tried again.
    for _ in 0..5 {
        assert_eq!(server.post(PATHS[0], &[], &with(PASSWORD)).await.status, 200);
    }
    let wrong = server.post(PATHS[0], &[], &with("not the password")).await;
    assert_eq!(
        (wrong.status, wrong.json()["message"].as_str()),
        (403, Some("无权限"))
    );
}

#[tokio::test]
async fn each_failure_has_its_status_and_message() {
    let server = Server::start(&[]).await;
    let token = token_header(&server);
    let (png, gif) = (pictures::png(3, 3, 2), pictures::gif(3, 3, 1));
    let mut large = png.clone();
    large.resize(10 << 20, 0);
    let file = |bytes| vec![Part::File("img", "a.png", bytes)];
    for (header, parts, status, message) in [
        ("Accept: */*", file(&png[..]), 403, "无权限"),
        (&token, vec![Part::Text("a", "b")], 400, "need file."),
        (&token, file(&large), 403, "文件太大"),
        (&token, file(&gif), 403, "文件类型错误"),
        (&token, file(b"no picture"), 403, "文件类型错误"),
    ] {
        let answer = server.post(PATHS[0], &[header], &parts).await;
        let expected = json!({ "err_code": 1, "message": message });
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (status, &*expected.to_string())
        );
    }
    let get = server.send("GET", PATHS[0], &[&token], b"").await;
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
}
