use serde_json::json;
use test_kit::pictures;

use super::{described, token_header};
use crate::server::{Part, Server};

#[tokio::test]
async fn a_browser_is_sent_on_and_a_program_gets_json() {
    let server = Server::start(&[]).await;
    let token = token_header(&server);
    let (a, b) = (pictures::png(3, 3, 1), pictures::png(4, 3, 2));
    let parts = || [Part::File("file", "a.png", &a), Part::File("file", "b.png", &b)];
    let browser = server
        .post(
            "/upload",
            &[&token, "Accept: text/html,application/xhtml+xml,*/*;q=0.8"],
            &parts(),
        )
        .await;
    assert_eq!(
        (browser.status, browser.header("location")),
        (302, Some("/?upload_success=true"))
    );
    let program = server
        .post("/upload", &[&token, "Accept: application/json"], &parts())
        .await;
    let reply = program.json();
    assert_eq!(
        (program.status, &reply["success"], &reply["refused"]),
        (200, &json!(true), &json!([]))
    );
    for (place, name) in ["a.png", "b.png"].into_iter().enumerate() {
        let file = &reply["files"][place];
        assert_eq!(file["name"], name);
        assert_eq!(
            described(&server, file["url"].as_str().unwrap()).await["name"],
            name
        );
    }
}

#[tokio::test]
async fn what_is_refused_is_named_and_the_good_ones_are_kept() {
    let server = Server::start(&[]).await;
    let token = token_header(&server);
    let good = pictures::png(3, 3, 1);
    let parts = [
        Part::File("file", "bad.png", b"no picture"),
        Part::File("file", "good.png", &good),
    ];
    let reply = server
        .post("/upload", &[&token, "Accept: application/json"], &parts)
        .await;
    let json = reply.json();
    assert_eq!((reply.status, &json["success"]), (200, &json!(false)));
    assert_eq!(json["files"][0]["name"], "good.png");
    assert_eq!(
        (&json["refused"][0]["name"], &json["refused"][0]["code"]),
        (&json!("bad.png"), &json!("type_not_allowed"))
    );
}

#[tokio::test]
async fn more_than_fifty_files_are_refused_while_the_body_streams() {
    let server = Server::start(&[]).await;
    let token = token_header(&server);
    let png = pictures::png(3, 3, 1);
    let parts: Vec<Part<'_>> = (0..51).map(|_| Part::File("file", "a.png", &png)).collect();
    let answer = server.post("/upload", &[&token], &parts).await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (413, &json!("too_many_files"))
    );
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn strangers_upload_only_where_an_account_takes_it() {
    let png = pictures::png(3, 3, 1);
    let closed = Server::start(&[]).await;
    let answer = closed
        .post(
            "/upload",
            &["Accept: application/json"],
            &[Part::File("file", "a.png", &png)],
        )
        .await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (401, &json!("unauthenticated"))
    );

    let open = Server::start(&[("BERTH_ANONYMOUS_ACCOUNT", "ann")]).await;
    let answer = open
        .post(
            "/upload",
            &["Accept: application/json"],
            &[Part::File("file", "a.png", &png)],
        )
        .await;
    let url = answer.json()["files"][0]["url"].as_str().unwrap().to_owned();
    assert_eq!(described(&open, &url).await["name"], "a.png");
    let lsky = open
        .post("/api/v1/upload", &[], &[Part::File("file", "a.png", &png)])
        .await;
    assert_eq!(lsky.status, 401, "no other dialect takes a stranger's");
}
