use serde_json::json;
use test_kit::pictures;

use super::{NAME, assert_first_url, assert_plain, described};
use crate::server::{Part, Server};

fn path(server: &Server) -> String {
    format!("/upload?key={}", server.token.expose())
}

#[tokio::test]
async fn files_of_any_field_are_answered_in_order() {
    let server = Server::start(&[]).await;
    let (a, b) = (pictures::png(30, 20, 1), pictures::png(3, 2, 2));
    let parts = [Part::File("list", NAME, &a), Part::File("list", "b.png", &b)];
    let answer = server.post(&path(&server), &[], &parts).await;
    assert_eq!(answer.status, 200);
    assert_plain(&answer);
    let reply = answer.json();
    let mut urls = Vec::new();
    let mut full = Vec::new();
    for (place, name) in [NAME, "b.png"].into_iter().enumerate() {
        let url = reply["result"][place].as_str().unwrap().to_owned();
        let image = described(&server, &url).await;
        let hash = image["delete_url"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned();
        full.push(json!({ "imgUrl": url, "fileName": name, "type": "berth", "hash": hash }));
        urls.push(url);
    }
    assert_first_url(&answer, &urls[0]);
    let expected = json!({ "success": true, "message": "ok", "result": urls, "fullResult": full });
    assert_eq!(answer.body, expected.to_string());
}

#[tokio::test]
async fn a_hash_deletes_its_image_and_no_other() {
    let server = Server::start(&[]).await;
    let png = pictures::png(3, 3, 1);
    let reply = server
        .post(&path(&server), &[], &[Part::File("file", "a.png", &png)])
        .await
        .json();
    let url = reply["result"][0].as_str().unwrap();
    let wrong = json!({ "list": [{ "hash": "nonsense" }] });
    let answer = server.send_json("POST", "/delete", &[], &wrong).await.json();
    assert_eq!(answer["success"], false);
    assert_eq!(described(&server, url).await["status"], "existing");
    let right = json!({ "list": reply["fullResult"] });
    let answer = server.send_json("POST", "/delete", &[], &right).await;
    assert_eq!(answer.body, r#"{"success":true}"#);
    assert_eq!(described(&server, url).await["code"], "not_found");
}

#[tokio::test]
async fn the_heart_beats_for_everybody() {
    let server = Server::start(&[]).await;
    let answer = server.send("POST", "/heartbeat", &[], b"").await;
    assert_eq!(answer.body, r#"{"success":true,"result":"alive"}"#);
}

#[tokio::test]
async fn a_bad_key_is_401_and_every_other_failure_200() {
    let server = Server::start(&[]).await;
    let png = pictures::png(3, 3, 1);
    for key in ["", "nonsense"] {
        let answer = server
            .post(
                &format!("/upload?key={key}"),
                &[],
                &[Part::File("file", "a.png", &png)],
            )
            .await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.body, r#"{"success":false,"message":"Unauthorized"}"#);
    }
    let refused = server
        .post(&path(&server), &[], &[Part::File("file", "a.png", b"no picture")])
        .await;
    // SECURITY: a server opens no client's paths, nor URLs for it.
    let list = json!({ "list": ["/etc/passwd", "http://127.0.0.1/"] });
    let listed = server.send_json("POST", &path(&server), &[], &list).await;
    for answer in [refused, listed] {
        let reply = answer.json();
        let keys: Vec<&String> = reply.as_object().unwrap().keys().collect();
        assert_eq!(answer.status, 200);
        assert_eq!(keys, ["success", "message", "msg", "result"]);
        assert_eq!((&reply["success"], &reply["result"]), (&json!(false), &json!([])));
    }
}
