use serde_json::json;
use test_kit::pictures;

use super::{NAME, assert_first_url, assert_plain, described, id_of};
use crate::server::{Part, Server};

const PATH: &str = "/api/v2/upload";

#[tokio::test]
async fn an_upload_answers_every_field_in_its_order() {
    let server = Server::start(&[]).await;
    let png = pictures::png(30, 20, 1);
    // SM.MS's clients send the token bare.
    let token = format!("Authorization: {}", server.token.expose());
    let answer = server
        .post(PATH, &[&token], &[Part::File("smfile", NAME, &png)])
        .await;
    assert_eq!(answer.status, 200);
    assert_plain(&answer);
    let reply = answer.json();
    let url = reply["data"]["url"].as_str().unwrap();
    let image = described(&server, url).await;
    let (id, delete_url) = (id_of(url), image["delete_url"].as_str().unwrap());
    assert_first_url(&answer, url);
    let request_id = reply["RequestId"].as_str().unwrap();
    let groups: Vec<usize> = request_id.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12]);
    let expected = json!({
        "success": true,
        "code": "success",
        "message": "success",
        "data": {
            "file_id": 0,
            "width": 30,
            "height": 20,
            "filename": NAME,
            "storename": format!("{id}.png"),
            "size": png.len(),
            "path": format!("/i/{id}.png"),
            "hash": delete_url.rsplit('/').next().unwrap(),
            "url": url,
            "delete": delete_url,
            "page": url,
        },
        "RequestId": request_id,
    });
    assert_eq!(answer.body, expected.to_string());
}

#[tokio::test]
async fn failures_are_200_with_sm_ms_own_codes() {
    let server = Server::start(&[("BERTH_MAX_UPLOAD_BYTES", "1048576")]).await;
    let token = format!("Authorization: {}", server.token.expose());
    let png = pictures::png(3, 3, 2);
    let mut large = png.clone();
    large.resize(2 << 20, 0);
    for (header, file, code) in [
        ("Accept: */*", Some(&png[..]), "unauthorized"),
        ("Authorization: nonsense", Some(&png), "unauthorized"),
        (&token, Some(b"no picture"), "invalid_source"),
        (&token, Some(&large), "file_too_large"),
        (&token, None, "invalid_source"),
    ] {
        let part = file.map_or(Part::Text("a", "b"), |file| Part::File("smfile", "a.png", file));
        let answer = server.post(PATH, &[header], &[part]).await;
        let reply = answer.json();
        let keys: Vec<&String> = reply.as_object().unwrap().keys().collect();
        assert_eq!(answer.status, 200, "{code}");
        assert_eq!(keys, ["success", "code", "message", "RequestId"]);
        assert_eq!((&reply["success"], &reply["code"]), (&json!(false), &json!(code)));
        assert!(!reply["message"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_token_that_may_only_upload_is_told_no_secret_of_what_was_there() {
    let server = Server::start(&[]).await;
    let png = pictures::png(3, 3, 3);
    server.upload(&[Part::File("file", "a.png", &png)]).await;
    let upload_only = test_kit::token(&server.database, server.account, &[domain::Scope::Upload]).await;
    let token = format!("Authorization: {}", upload_only.expose());
    let answer = server
        .post(PATH, &[&token], &[Part::File("smfile", "a.png", &png)])
        .await
        .json();
    assert_eq!(
        (&answer["data"]["hash"], &answer["data"]["delete"]),
        (&json!(""), &json!(""))
    );
}
