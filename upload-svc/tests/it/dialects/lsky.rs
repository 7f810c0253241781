use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use test_kit::pictures;

use super::{NAME, assert_first_url, assert_plain, described, id_of, post_png, token_header};
use crate::{
    people::{PASSWORD, sign_up},
    server::{Part, Server},
};

const PATH: &str = "/api/v1/upload";

#[tokio::test]
async fn an_upload_answers_every_field_in_its_order() {
    let server = Server::start(&[]).await;
    let png = pictures::png(30, 20, 1);
    for _ in 0..2 {
        let answer = post_png(&server, PATH, "file", &png).await;
        assert_eq!(answer.status, 200);
        assert_plain(&answer);
        let reply = answer.json();
        let url = reply["url"].as_str().unwrap();
        let image = described(&server, url).await;
        let (id, delete_url) = (id_of(url), image["delete_url"].as_str().unwrap());
        assert_first_url(&answer, url);
        let markdown = r"截图 \[1\] &lt;b&gt;.png";
        let hundredths = (png.len() * 100 + 512) / 1024;
        let data = json!({
            "url": url,
            "path": format!("/i/{id}.png"),
            "key": id,
            "name": format!("{id}.png"),
            "pathname": format!("i/{id}.png"),
            "origin_name": NAME,
            "size": f64::from(u32::try_from(hundredths).unwrap()) / 100.0,
            "mimetype": "image/png",
            "extension": "png",
            "width": 30,
            "height": 20,
            "md5": image["md5"],
            "sha1": hex::encode(Sha1::digest(&png)),
            "links": {
                "url": url,
                "html": format!("<img src=\"{url}\" alt=\"截图 [1] &lt;b&gt;.png\" title=\"截图 [1] &lt;b&gt;.png\" />"),
                "bbcode": format!("[img]{url}[/img]"),
                "markdown": format!("![{markdown}]({url})"),
                "markdown_with_link": format!("[![{markdown}]({url})]({url})"),
                "thumbnail_url": reply["data"]["links"]["thumbnail_url"],
            },
            "expires_at": image["expires_at"],
            "delete_url": delete_url,
        });
        let expected =
            json!({ "status": true, "success": true, "message": "上传成功", "url": url, "data": data });
        assert_eq!(answer.body, expected.to_string());
        let thumbnail = reply["data"]["links"]["thumbnail_url"].as_str().unwrap();
        assert!(thumbnail.starts_with(url.trim_end_matches(".png")), "{thumbnail}");
    }
}

#[tokio::test]
async fn the_url_alone_is_answered_to_who_asks_for_text() {
    let server = Server::start(&[]).await;
    let png = pictures::png(3, 3, 1);
    let token = token_header(&server);
    let asked = server
        .post(
            &format!("{PATH}?format=txt"),
            &[&token],
            &[Part::File("file", "a.png", &png)],
        )
        .await;
    let said = server
        .post(
            PATH,
            &[&token],
            &[Part::File("file", "a.png", &png), Part::Text("format", "txt")],
        )
        .await;
    assert_eq!(asked.body, said.body);
    assert!(asked.body.starts_with("https://img.example/i/"));
    assert_eq!(asked.header("content-type"), Some("text/plain; charset=utf-8"));
}

#[tokio::test]
async fn failures_are_200_with_status_false_but_for_a_missing_credential() {
    let server = Server::start(&[]).await;
    let token = token_header(&server);
    let png = pictures::png(3, 3, 2);
    for (header, file, status, message) in [
        ("Accept: */*", &png[..], 401, "Unauthenticated."),
        ("token: nonsense", &png, 401, "Unauthenticated."),
        (&token, b"no picture", 200, "不支持的文件类型"),
        (&token, b"", 200, "文件为空"),
    ] {
        let answer = server
            .post(PATH, &[header], &[Part::File("file", "a.png", file)])
            .await;
        let expected = json!({ "status": false, "success": false, "message": message, "data": {} });
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (status, &*expected.to_string())
        );
        assert_plain(&answer);
    }
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn an_upload_of_v0_answers_its_three_fields() {
    let server = Server::start(&[]).await;
    let answer = post_png(&server, "/api/upload", "image", &pictures::png(3, 3, 1)).await;
    let url = answer.json()["data"]["url"].as_str().unwrap().to_owned();
    let expected = json!({ "code": 200, "message": "success", "data": { "name": NAME, "url": url } });
    assert_eq!(answer.body, expected.to_string());
}

#[tokio::test]
async fn a_token_is_had_for_a_password_and_goes_when_it_says_so() {
    let server = Server::start(&[]).await;
    sign_up(&server, "bob", catalog::Role::Member).await;
    let wrong = json!({ "email": "bob", "password": "not the password" });
    let answer = server.send_json("POST", "/api/v1/tokens", &[], &wrong).await;
    let expected = json!({ "status": false, "success": false, "message": "用户名或密码错误", "data": {} });
    assert_eq!(answer.body, expected.to_string());

    for name in ["email", "username"] {
        let login = json!({ name: "bob", "password": PASSWORD });
        let answer = server
            .send_json("POST", "/api/v1/tokens", &[], &login)
            .await
            .json();
        assert_eq!(answer["status"], true);
        let token = answer["data"]["token"].as_str().unwrap();
        let bearer = format!("Authorization: Bearer {token}");
        let profile = server.send("GET", "/api/v1/profile", &[&bearer], b"").await;
        assert_eq!(profile.status, 200, "{profile:?}");
        let dropped = server.send("DELETE", "/api/v1/tokens", &[&bearer], b"").await;
        assert_eq!(dropped.json()["status"], true);
        let profile = server.send("GET", "/api/v1/profile", &[&bearer], b"").await;
        assert_eq!(profile.status, 401);
    }
}

#[tokio::test]
async fn the_side_calls_answer_what_plugins_read() {
    let server = Server::start(&[]).await;
    for (seed, name) in [(1, "red.png"), (2, "blue.png"), (3, "reddish.png")] {
        let png = pictures::png(9, 5, seed);
        server.upload(&[Part::File("file", name, &png)]).await;
    }
    let profile = server.get("/api/v1/profile").await.json();
    let data = &profile["data"];
    let keys: Vec<&String> = data.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "name",
            "email",
            "url",
            "capacity",
            "used_capacity",
            "image_num",
            "album_num"
        ]
    );
    assert_eq!((&data["name"], &data["email"]), (&json!("ann"), &json!("")));
    assert_eq!((&data["image_num"], &data["album_num"]), (&json!(3), &json!(1)));
    assert!(data["capacity"].is_number() && data["used_capacity"].is_number());

    let strategies = server.get("/api/v1/strategies").await.json();
    assert_eq!(
        strategies["data"],
        json!({ "strategies": [{ "id": 1, "name": "local" }] })
    );

    let names = |list: &Value| -> Vec<String> {
        let data = list["data"]["data"].as_array().unwrap();
        data.iter()
            .map(|image| image["origin_name"].as_str().unwrap().to_owned())
            .collect()
    };
    let list = server
        .get("/api/v1/images?page=1&order=earliest&keyword=RED")
        .await
        .json();
    assert_eq!(names(&list), ["red.png", "reddish.png"]);
    let paginator: Vec<&String> = list["data"].as_object().unwrap().keys().collect();
    assert_eq!(
        paginator,
        ["current_page", "last_page", "per_page", "total", "data"]
    );
    assert_eq!(
        (&list["data"]["last_page"], &list["data"]["total"]),
        (&json!(1), &json!(2))
    );
    let beyond = server.get("/api/v1/images?page=2").await.json();
    assert_eq!((names(&beyond).len(), &beyond["data"]["total"]), (0, &json!(3)));

    let albums = server.get("/api/v1/albums").await.json();
    assert_eq!(albums["data"]["data"][0]["name"], "default");

    let key = list["data"]["data"][0]["key"].as_str().unwrap();
    let path = format!("/api/v1/images/{key}");
    let gone = server
        .send("DELETE", &path, &[&server.bearer()], b"")
        .await
        .json();
    assert_eq!(
        (&gone["status"], &gone["message"]),
        (&json!(true), &json!("删除成功"))
    );
    let again = server
        .send("DELETE", &path, &[&server.bearer()], b"")
        .await
        .json();
    assert_eq!(
        (&again["status"], &again["message"]),
        (&json!(false), &json!("图片不存在"))
    );
}

#[tokio::test]
async fn a_member_sees_only_their_own() {
    let server = Server::start(&[]).await;
    let answer = post_png(&server, PATH, "file", &pictures::png(3, 3, 1))
        .await
        .json();
    let key = answer["data"]["key"].as_str().unwrap();
    let bob = test_kit::account(&server.database, "bob").await;
    let scopes = [domain::Scope::Upload, domain::Scope::Read, domain::Scope::Manage];
    let token = test_kit::token(&server.database, bob, &scopes).await;
    let bob = format!("Authorization: {}", token.expose());
    let list = server.send("GET", "/api/v1/images", &[&bob], b"").await.json();
    assert_eq!(list["data"]["total"], 0);
    let gone = server
        .send("DELETE", &format!("/api/v1/images/{key}"), &[&bob], b"")
        .await;
    assert_eq!(gone.json()["message"], "图片不存在");
}
