use domain::Scope;
use serde_json::{Value, json};
use test_kit::pictures;

use crate::server::{Answer, Part, Server};

async fn tokens(server: &Server) -> Vec<Value> {
    let list = server.get("/v1/tokens").await.json();
    list["tokens"].as_array().unwrap().clone()
}

async fn uploader_file(server: &Server, id: &Value, bearer: &str) -> Answer {
    let path = format!("/v1/tokens/{id}/sharex.sxcu");
    server.send("GET", &path, &[bearer], b"").await
}

async fn made_file(server: &Server, id: &Value, headers: &[&str]) -> Answer {
    let path = format!("/v1/tokens/{id}/sharex.sxcu");
    server.send("POST", &path, headers, b"").await
}

#[tokio::test]
async fn the_token_that_asks_for_itself_stands_in_the_file() {
    let server = Server::start(&[]).await;
    let id = tokens(&server).await[0]["id"].clone();
    let answer = uploader_file(&server, &id, &server.bearer()).await;
    assert_eq!(
        answer.header("content-disposition"),
        Some("attachment; filename=\"berth.sxcu\"")
    );
    let expected = json!({
        "Version": "15.0.0",
        "Name": "berth",
        "DestinationType": "ImageUploader",
        "RequestMethod": "POST",
        "RequestURL": "https://img.example/api/v1/upload",
        "Headers": { "Authorization": format!("Bearer {}", server.token.expose()) },
        "Body": "MultipartFormData",
        "FileFormName": "file",
        "URL": "{json:data.url}",
        "ThumbnailURL": "{json:data.links.thumbnail_url}",
        "DeletionURL": "{json:data.delete_url}",
        "ErrorMessage": "{json:message}",
    });
    assert_eq!(answer.json(), expected);
    assert_eq!(tokens(&server).await.len(), 1);
}

#[tokio::test]
async fn for_another_token_one_is_made_under_it_that_uploads_and_goes_with_it() {
    let server = Server::start(&[]).await;
    test_kit::token(&server.database, server.account, &[Scope::Upload, Scope::Read]).await;
    let other = tokens(&server).await[0]["id"].clone();
    let empty = uploader_file(&server, &other, &server.bearer()).await.json();
    assert_eq!(empty["Headers"]["Authorization"], "Bearer YOUR_TOKEN");
    assert_eq!(tokens(&server).await.len(), 2, "GET makes none");
    let once = [server.bearer(), "Idempotency-Key: one".to_owned()];
    let once: Vec<&str> = once.iter().map(String::as_str).collect();
    let file = made_file(&server, &other, &once).await.json();
    assert_eq!(made_file(&server, &other, &once).await.json(), file);
    assert_eq!(tokens(&server).await.len(), 3);
    let authorization = format!(
        "Authorization: {}",
        file["Headers"]["Authorization"].as_str().unwrap()
    );
    let upload = || async {
        let png = pictures::png(3, 3, 1);
        server
            .post(
                "/api/v1/upload",
                &[&authorization],
                &[Part::File("file", "a.png", &png)],
            )
            .await
            .json()
    };
    let answer = upload().await;
    assert!(
        answer["data"]["url"]
            .as_str()
            .unwrap()
            .starts_with("https://img.example/i/")
    );
    let path = format!("/v1/tokens/{other}");
    assert_eq!(
        server
            .send("DELETE", &path, &[&server.bearer()], b"")
            .await
            .status,
        204
    );
    assert_eq!(upload().await["status"], false);
}

#[tokio::test]
async fn a_token_that_may_not_upload_or_is_somebody_elses_gets_no_file() {
    let server = Server::start(&[]).await;
    test_kit::token(&server.database, server.account, &[Scope::Read]).await;
    let reading = tokens(&server).await[0]["id"].clone();
    assert_eq!(
        made_file(&server, &reading, &[&server.bearer()]).await.status,
        403
    );
    let bob = test_kit::account(&server.database, "bob").await;
    let bobs = test_kit::token(&server.database, bob, &[Scope::Upload, Scope::Manage]).await;
    let bobs = format!("Authorization: Bearer {}", bobs.expose());
    assert_eq!(uploader_file(&server, &reading, &bobs).await.status, 404);
    assert_eq!(made_file(&server, &reading, &[&bobs]).await.status, 404);
    assert_eq!(uploader_file(&server, &reading, "Accept: */*").await.status, 401);
}
