//! `POST /api/v1/upimg`, to the letter of its contract.

use domain::Scope;
use test_kit::pictures;

use crate::server::{Part, Server};

const PATH: &str = "/api/v1/upimg";

#[tokio::test]
async fn an_upload_answers_path_and_url_in_the_old_envelope() {
    let server = Server::start(&[]).await;
    let token = format!("token: {}", server.token.expose());
    let png = pictures::png(30, 20, 1);
    for _ in 0..2 {
        let answer = server
            .post(PATH, &[&token], &[Part::File("file", "a.png", &png)])
            .await;
        let image = server.upload(&[Part::File("file", "a.png", &png)]).await.json();
        let md5 = image["images"][0]["md5"].as_str().unwrap();
        let path = format!("/{}/{}.png", &md5[..2], &md5[2..]);
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.body,
            format!(r#"{{"data":{{"path":"{path}","url":"https://img.example/?path={path}"}},"status":0}}"#)
        );
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
}

#[tokio::test]
async fn each_failure_is_200_with_its_message() {
    let server = Server::start(&[("BERTH_MAX_UPLOAD_BYTES", "1048576")]).await;
    let good = format!("token: {}", server.token.expose());
    let wrong = format!("token: {}", domain::Token::from_random([9; 32]).expose());
    let read_only = test_kit::token(&server.database, server.account, &[Scope::Read]).await;
    let read_only = format!("token: {}", read_only.expose());
    let png = pictures::png(3, 3, 2);
    let mut large = pictures::png(3, 3, 2);
    large.resize(2 << 20, 0);
    let file = |name: &'static str, bytes| vec![Part::File("file", name, bytes)];
    for (header, parts, message) in [
        ("Accept: */*", file("a.png", &png), "您没有使用本服务的权限"),
        (&wrong, file("a.png", &png), "您没有使用本服务的权限"),
        (&read_only, file("a.png", &png), "您没有使用本服务的权限"),
        (&good, file("noextension", &png), "error name"),
        (&good, file("a.png", b"no picture"), "error type"),
        (&good, vec![Part::Text("a", "b")], "error args"),
        (&good, file("a.png", &large), "文件太大，最大允许 1.0MB"),
    ] {
        let answer = server.post(PATH, &[header], &parts).await;
        assert_eq!(answer.status, 200, "{message}");
        assert_eq!(answer.body, format!(r#"{{"data":"{message}","status":1}}"#));
    }
    assert!(server.staged().is_empty());
}
