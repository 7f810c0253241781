use catalog::Role;
use serde_json::{Value, json};
use test_kit::pictures;

use super::assert_plain;
use crate::{
    people::{PASSWORD, sign_up},
    server::{Answer, Part, Server},
};

struct Maple {
    server: Server,
    key: String,
    id: Value,
}

impl Maple {
    async fn start() -> Self {
        let server = Server::start(&[]).await;
        sign_up(&server, "bob", Role::Member).await;
        let login = json!({ "username": "bob", "password": PASSWORD });
        let answer = server.send_json("POST", "/api/login", &[], &login).await;
        let reply = answer.json();
        let keys: Vec<&String> = reply["data"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "key", "username"]);
        assert!(
            answer.header("set-cookie").unwrap().contains("Max-Age=259200"),
            "{answer:?}"
        );
        let key = format!("Api-Key: {}", reply["data"]["key"].as_str().unwrap());
        Self {
            server,
            key,
            id: reply["data"]["id"].clone(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.server.send("GET", path, &[&self.key], b"").await
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.server.send_json(method, path, &[&self.key], body).await
    }

    async fn upload(&self, parts: &[Part<'_>]) -> Answer {
        self.server.post("/api/images", &[&self.key], parts).await
    }
}

fn assert_unhappy(answer: &Answer, status: &str, message: &str) {
    let expected = json!({ "data": null, "description": "", "message": message, "status": status });
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, &*expected.to_string())
    );
    assert_plain(answer);
}

#[tokio::test]
async fn signing_in_and_out_answers_in_the_envelope() {
    let maple = Maple::start().await;
    let wrong = json!({ "username": "bob", "password": "not the password" });
    assert_unhappy(
        &maple.send("POST", "/api/login", &wrong).await,
        "401",
        "用户名或密码错误",
    );
    let nobody = maple.server.send("GET", "/api/albums", &[], b"").await;
    assert_eq!(nobody.status, 403);
    let out = maple.get("/api/logout").await;
    let expected = json!({ "data": null, "description": "注销成功", "message": "normal", "status": "200" });
    assert_eq!(out.body, expected.to_string());
    assert_eq!(
        maple.get("/api/albums").await.status,
        403,
        "the session is closed"
    );
}

#[tokio::test]
async fn the_cookie_of_a_program_is_as_good_as_its_key() {
    let server = Server::start(&[]).await;
    sign_up(&server, "bob", Role::Member).await;
    let form = format!("username=bob&password={}", PASSWORD.replace(' ', "+"));
    let urlencoded = "Content-Type: application/x-www-form-urlencoded";
    let answer = server
        .send("POST", "/api/login", &[urlencoded], form.as_bytes())
        .await;
    let cookie = answer
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let cookie = format!("Cookie: {cookie}");
    let made = server
        .send("POST", "/api/albums", &[urlencoded, &cookie], b"name=a")
        .await;
    assert_eq!(made.json()["status"], "200", "{made:?}");
    // SECURITY: a page of another site has the cookie, too.
    for foreign in ["Origin: https://evil.example", "Sec-Fetch-Site: cross-site"] {
        let refused = server
            .send("POST", "/api/albums", &[urlencoded, &cookie, foreign], b"name=b")
            .await;
        assert_eq!(refused.status, 403, "{foreign}");
    }
}

#[tokio::test]
async fn albums_are_made_listed_changed_and_deleted() {
    let maple = Maple::start().await;
    assert_unhappy(
        &maple.send("POST", "/api/albums", &json!({})).await,
        "401",
        "相册名称不能为空",
    );
    let made = maple
        .send(
            "POST",
            "/api/albums",
            &json!({ "name": "旅行", "description": "d" }),
        )
        .await;
    let album = made.json()["data"].clone();
    let expected = json!({
        "data": {
            "created_at": "Sat, 21 Nov 2026 00:00:00 GMT",
            "description": "d",
            "id": album["id"],
            "name": "旅行",
            "updated_at": "Sat, 21 Nov 2026 00:00:00 GMT",
            "user_id": maple.id,
        },
        "description": "",
        "message": "normal",
        "status": "200",
    });
    assert_eq!(made.body, expected.to_string());
    let list = maple.get("/api/albums?descent=id&number=500").await.json();
    let names: Vec<&Value> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|album| &album["name"])
        .collect();
    assert_eq!(names, ["旅行", "default"]);
    let keys: Vec<&String> = list.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["data", "description", "message", "pageinfo", "status"]);
    assert_eq!(
        list["pageinfo"].to_string(),
        r#"{"has_next":false,"has_prev":false,"items":true,"iter_pages":[1],"page":1,"pages":1}"#
    );
    let found = maple.get("/api/albums?name=%E6%97%85").await.json();
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    let path = format!("/api/albums/{}", album["id"]);
    let changed = maple.send("PUT", &path, &json!({ "name": "家" })).await.json();
    assert_eq!(
        (&changed["data"]["name"], &changed["data"]["description"]),
        (&json!("家"), &json!("d"))
    );
    let gone = maple.send("DELETE", &path, &json!({})).await.json();
    assert_eq!(gone["data"]["name"], "家", "the object is echoed");
    assert_unhappy(&maple.get(&path).await, "404", "相册不存在");
}

#[tokio::test]
async fn images_are_stored_and_those_that_were_there_are_named() {
    let maple = Maple::start().await;
    let (red, blue) = (pictures::png(3, 3, 1), pictures::png(3, 3, 2));
    let answer = maple.upload(&[Part::File("images", "red.png", &red)]).await;
    let image = answer.json()["data"][0].clone();
    let name = image["name"].as_str().unwrap();
    let expected = json!({
        "data": [{
            "album": "default",
            "album_id": image["album_id"],
            "created_at": "Sat, 21 Nov 2026 00:00:00 GMT",
            "description": "",
            "id": image["id"],
            "name": name,
            "path": "images/bob/photo/2026/11",
            "updated_at": "Sat, 21 Nov 2026 00:00:00 GMT",
            "url": format!("images/bob/photo/2026/11/{name}"),
            "user_id": maple.id,
        }],
        "description": "",
        "message": "normal",
        "status": "200",
    });
    assert_eq!(answer.body, expected.to_string());
    let parts = [
        Part::File("images", "red.png", &red),
        Part::File("images", "blue.png", &blue),
    ];
    let again = maple.upload(&parts).await.json();
    assert_eq!(
        (&again["status"], &again["message"]),
        (&json!("501"), &json!("文件已存在"))
    );
    assert_eq!(again["data"]["fail"], json!(["red.png"]));
    assert_eq!(again["data"]["success"].as_array().unwrap().len(), 1);

    let path = format!("/api/images/{}", image["id"]);
    let changed = maple
        .send("PUT", &path, &json!({ "name": "new.png", "description": "新" }))
        .await
        .json();
    assert_eq!(
        (&changed["data"]["url"], &changed["data"]["description"]),
        (&json!("images/bob/photo/2026/11/new.png"), &json!("新"))
    );
    let list = maple.get("/api/images?page=2&number=1").await.json();
    assert_eq!(list["pageinfo"]["has_prev"], true);
    assert_eq!(
        maple.send("DELETE", &path, &json!({})).await.json()["data"]["name"],
        "new.png"
    );
    assert_unhappy(&maple.get(&path).await, "404", "图片不存在");
}

#[tokio::test]
async fn one_bad_extension_and_nothing_of_the_request_is_stored() {
    let maple = Maple::start().await;
    let red = pictures::png(3, 3, 1);
    for (name, bytes) in [
        ("a.gif", &red[..]),
        ("noextension", &red),
        ("liar.png", b"no picture"),
    ] {
        let parts = [
            Part::File("images", "red.png", &red),
            Part::File("images", name, bytes),
        ];
        assert_unhappy(
            &maple.upload(&parts).await,
            "401",
            &format!("{name} 不允许的扩展"),
        );
    }
    let list = maple.get("/api/images").await.json();
    assert_eq!(list["data"], json!([]));
    assert!(maple.server.staged().is_empty());
}

#[tokio::test]
async fn an_album_of_somebody_else_is_no_album() {
    let maple = Maple::start().await;
    let foreign = maple.server.get("/v1/albums").await.json()["albums"][0]["id"].to_string();
    let red = pictures::png(3, 3, 1);
    let parts = [
        Part::File("images", "red.png", &red),
        Part::Text("album", &foreign),
    ];
    let image = maple.upload(&parts).await.json()["data"][0].clone();
    assert_eq!(image["album"], "default");
    assert_ne!(image["album_id"].to_string(), foreign);
    assert_unhappy(
        &maple.get(&format!("/api/albums/{foreign}")).await,
        "404",
        "相册不存在",
    );
}
