//! Tokens that are bound to an album: what they reach, and what they don't. `access.rs` asks every operation that it refuses; here is what
//! goes beyond one thing in a path, and that what lies in the album is reached.

use catalog::Role;
use serde_json::{Value, json};
use test_kit::pictures;

use crate::{
    people::{code, sign_in, sign_up},
    server::{Answer, Part, Server},
};

/// An account with an image in `default` and one in `blog`, and a token of `blog` with every scope of a member.
struct Scene {
    server: Server,
    session: String,
    bound: String,
    album: i64,
    default: i64,
    inside: String,
    outside: String,
    outside_bytes: Vec<u8>,
}

impl Scene {
    async fn set() -> Self {
        let server = Server::start(&[("BERTH_DIALECTS", "image-proxy, maple, lsky, sharex")]).await;
        sign_up(&server, "bob", Role::Admin).await;
        let session = sign_in(&server, "bob").await;
        let albums = server.send("GET", "/v1/albums", &[&session], b"").await.json();
        let default = albums["albums"][0]["id"].as_i64().unwrap();
        let made = server
            .send_json("POST", "/v1/albums", &[&session], &json!({ "name": "blog" }))
            .await;
        let album = made.json()["id"].as_i64().unwrap();
        let wanted = json!({ "scopes": ["upload", "read", "manage", "admin"], "album": album });
        let token = server.send_json("POST", "/v1/tokens", &[&session], &wanted).await;
        let bound = format!(
            "Authorization: Bearer {}",
            token.json()["token"].as_str().unwrap()
        );
        let outside_bytes = pictures::png(5, 5, 1);
        let upload = async |shown: &str, bytes: &[u8]| {
            let parts = [Part::File("file", "a.png", bytes)];
            let answer = server.post("/v1/images", &[shown], &parts).await;
            answer.json()["images"][0]["id"].as_str().unwrap().to_owned()
        };
        let outside = upload(&session, &outside_bytes).await;
        let inside = upload(&bound, &pictures::png(5, 5, 2)).await;
        Self {
            server,
            session,
            bound,
            album,
            default,
            inside,
            outside,
            outside_bytes,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.server.send("GET", path, &[&self.bound], b"").await
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        if method == "DELETE" {
            return self.server.send(method, path, &[&self.bound], b"").await;
        }
        self.server.send_json(method, path, &[&self.bound], body).await
    }

    /// The image outside as its owner sees it, to be compared with itself.
    async fn outside_now(&self) -> Value {
        let path = format!("/v1/images/{}", self.outside);
        self.server.send("GET", &path, &[&self.session], b"").await.json()
    }
}

fn ids(list: &Answer) -> Vec<String> {
    assert_eq!(list.status, 200, "{list:?}");
    let images = list.json()["images"].as_array().unwrap().clone();
    images
        .iter()
        .map(|image| image["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn lists_and_look_ups_end_at_the_album() {
    let scene = Scene::set().await;
    assert_eq!(ids(&scene.get("/v1/images").await), [scene.inside.as_str()]);
    assert_eq!(
        ids(&scene.get(&format!("/v1/images?album={}", scene.album)).await),
        [scene.inside.as_str()]
    );
    for path in [
        format!("/v1/images?album={}", scene.default),
        "/v1/images?all=true".to_owned(),
    ] {
        let answer = scene.get(&path).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (403, "album_not_allowed"),
            "{path}"
        );
    }
    for (id, exists) in [(&scene.inside, true), (&scene.outside, false)] {
        let image = format!("/v1/images/{id}");
        let md5 = scene
            .server
            .send("GET", &image, &[&scene.session], b"")
            .await
            .json()["md5"]
            .clone();
        let answer = scene
            .get(&format!("/v1/images/exists?md5={}", md5.as_str().unwrap()))
            .await;
        assert_eq!(answer.json()["exists"], exists, "{answer:?}");
        for path in [
            image.clone(),
            format!("{image}/usage"),
            format!("/v1/policy/explain?url=/i/{id}.png"),
        ] {
            assert_eq!(
                scene.get(&path).await.status,
                if exists { 200 } else { 404 },
                "{path}"
            );
        }
    }
    let albums = scene.get("/v1/albums").await.json();
    assert_eq!(albums["albums"].as_array().unwrap().len(), 1, "{albums}");
    assert_eq!(albums["albums"][0]["id"], scene.album);
    assert_eq!(scene.get("/v1/session").await.json()["album"], scene.album);
}

#[tokio::test]
async fn what_lies_in_the_album_may_be_changed_and_nothing_goes_out_of_it_or_into_it() {
    let scene = Scene::set().await;
    let before = scene.outside_now().await;
    let inside = format!("/v1/images/{}", scene.inside);
    for (body, status) in [
        (json!({ "name": "b.png" }), 200),
        (json!({ "album": scene.album }), 200),
        (json!({ "album": scene.default }), 403),
    ] {
        let answer = scene.send("PATCH", &inside, &body).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }
    let both = json!([scene.inside, scene.outside]);
    for (action, status) in [
        (json!({ "action": "visibility", "visibility": "unlisted" }), 200),
        (json!({ "action": "expire", "expires_at": null }), 200),
        (json!({ "action": "move", "album": scene.album }), 200),
        (json!({ "action": "withdraw" }), 200),
        (json!({ "action": "restore" }), 200),
        (json!({ "action": "move", "album": scene.default }), 403),
        (json!({ "action": "withdraw", "all": true }), 403),
    ] {
        let mut body = action.clone();
        body["ids"] = both.clone();
        let answer = scene.send("POST", "/v1/images/bulk", &body).await;
        assert_eq!(answer.status, status, "{action}: {answer:?}");
        if status == 200 {
            let results = answer.json()["results"].clone();
            assert_eq!(results[0]["ok"], true, "{action}: {answer:?}");
            assert_eq!(results[1]["problem"]["code"], "not_found", "{action}: {answer:?}");
        } else {
            assert_eq!(code(&answer), "album_not_allowed");
        }
    }
    assert_eq!(scene.outside_now().await, before);
    // Of another account, with the scope `admin`: neither.
    let anns = scene
        .server
        .upload(&[Part::File("file", "a.png", &pictures::png(5, 5, 3))])
        .await;
    let anns = anns.json()["images"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(scene.get(&format!("/v1/images/{anns}")).await.status, 404);
    let withdrawn = scene.send("DELETE", &inside, &Value::Null).await;
    assert_eq!(withdrawn.status, 204, "{withdrawn:?}");
    let restore = format!("{inside}/restore");
    let restored = scene.server.send("POST", &restore, &[&scene.bound], b"").await;
    assert_eq!(restored.status, 200, "{restored:?}");
}

#[tokio::test]
async fn sending_the_bytes_of_an_image_outside_gives_its_link_and_no_way_to_end_it() {
    let scene = Scene::set().await;
    let parts = [Part::File("file", "a.png", &scene.outside_bytes[..])];
    let answer = scene.server.post("/v1/images", &[&scene.bound], &parts).await;
    let image = answer.json()["images"][0].clone();
    assert_eq!(
        (&image["id"], &image["status"]),
        (&json!(scene.outside), &json!("existing"))
    );
    assert!(image.get("delete_url").is_none(), "{image}");
    assert_eq!(
        scene.outside_now().await["album"],
        scene.default,
        "it stays where it is"
    );
}

#[tokio::test]
async fn the_older_hosts_paths_end_at_the_album_too() {
    let scene = Scene::set().await;
    let outside = format!("/api/v1/images/{}", scene.outside);
    let row = "SELECT id FROM image WHERE public_id = $1";
    let client = scene.server.database.connect().await;
    let number: i64 = client.query_one(row, &[&scene.outside]).await.unwrap().get(0);
    let before = scene.outside_now().await;
    let listed = scene.get("/api/v1/images").await;
    assert!(
        listed.body.contains(&scene.inside) && !listed.body.contains(&scene.outside),
        "{listed:?}"
    );
    let albums = scene.get("/api/v1/albums").await.json();
    assert_eq!(albums["data"]["total"], 1, "{albums}");
    let listed = scene.get("/api/images").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(
        scene.get("/api/albums").await.json()["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let default = scene.default;
    for (method, path, good) in [
        ("DELETE", outside.clone(), "\"status\":true"),
        (
            "GET",
            format!("/api/v1/images?album_id={default}"),
            "\"status\":true",
        ),
        (
            "GET",
            format!("/api/images?album={default}"),
            "\"status\":\"200\"",
        ),
        ("GET", format!("/api/images/{number}"), "\"status\":\"200\""),
        ("PUT", format!("/api/images/{number}"), "\"status\":\"200\""),
        ("DELETE", format!("/api/images/{number}"), "\"status\":\"200\""),
        ("GET", format!("/api/albums/{default}"), "\"status\":\"200\""),
        ("PUT", format!("/api/albums/{default}"), "\"status\":\"200\""),
        ("POST", "/api/albums".to_owned(), "\"status\":\"200\""),
        (
            "DELETE",
            format!("/api/albums/{}", scene.album),
            "\"status\":\"200\"",
        ),
        (
            "GET",
            format!("/info/{}", before["md5"].as_str().unwrap()),
            "access_count",
        ),
        ("GET", "/stats".to_owned(), "total_images"),
    ] {
        let answer = scene.send(method, &path, &json!({ "name": "mine.png" })).await;
        assert!(!answer.body.contains(good), "{method} {path}: {answer:?}");
    }
    assert_eq!(scene.outside_now().await, before);
}

#[tokio::test]
async fn uploads_in_pieces_of_another_credential_are_not_there_for_it() {
    let scene = Scene::set().await;
    let part = |shown: &str| {
        [
            shown.to_owned(),
            "Tus-Resumable: 1.0.0".to_owned(),
            "Upload-Concat: partial".to_owned(),
            "Upload-Length: 3".to_owned(),
        ]
    };
    let begin = async |shown: &str| {
        let headers = part(shown);
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let answer = scene.server.send("POST", "/v1/uploads", &headers, b"").await;
        answer
            .header("location")
            .unwrap_or_else(|| panic!("{answer:?}"))
            .to_owned()
    };
    let (others, own) = (begin(&scene.session).await, begin(&scene.bound).await);
    let tus = "Tus-Resumable: 1.0.0";
    let piece = [
        scene.bound.as_str(),
        tus,
        "Upload-Offset: 0",
        "Content-Type: application/offset+octet-stream",
    ];
    for (path, found) in [(&own, true), (&others, false)] {
        let status = |good: u16| if found { good } else { 404 };
        assert_eq!(scene.get(path).await.status, status(200), "{path}");
        let added = scene.server.send("PATCH", path, &piece, b"abc").await;
        assert_eq!(added.status, status(204), "{added:?}");
    }
    let concat = format!("Upload-Concat: final;{own} {others}");
    let joined = scene
        .server
        .send("POST", "/v1/uploads", &[&scene.bound, tus, &concat], b"")
        .await;
    assert_eq!(
        (joined.status, code(&joined).as_str()),
        (404, "upload_not_found"),
        "{joined:?}"
    );
    for (path, status) in [(&own, 204), (&others, 404)] {
        let ended = scene.server.send("DELETE", path, &[&scene.bound, tus], b"").await;
        assert_eq!(ended.status, status, "{ended:?}");
    }
}

#[tokio::test]
async fn an_answer_that_another_credential_got_is_not_given_to_it_again() {
    let scene = Scene::set().await;
    let body = json!({ "ids": [scene.outside], "action": "visibility", "visibility": "public" });
    let key = "Idempotency-Key: one";
    let first = scene
        .server
        .send_json("POST", "/v1/images/bulk", &[&scene.session, key], &body)
        .await;
    assert_eq!(first.json()["results"][0]["ok"], true, "{first:?}");
    let second = scene
        .server
        .send_json("POST", "/v1/images/bulk", &[&scene.bound, key], &body)
        .await;
    assert_eq!(second.json()["results"][0]["ok"], false, "{second:?}");
}

#[tokio::test]
async fn it_goes_with_its_album_and_does_not_outgrow_it() {
    let scene = Scene::set().await;
    let child = scene
        .send("POST", "/v1/tokens", &json!({ "scopes": ["read"] }))
        .await;
    assert_eq!(
        (child.status, &child.json()["album"]),
        (201, &json!(scene.album)),
        "{child:?}"
    );
    let child = format!(
        "Authorization: Bearer {}",
        child.json()["token"].as_str().unwrap()
    );
    let path = format!("/v1/albums/{}", scene.album);
    let refused = scene.send("DELETE", &path, &Value::Null).await;
    assert_eq!(
        (refused.status, code(&refused).as_str()),
        (403, "album_not_allowed")
    );
    let deleted = scene.server.send("DELETE", &path, &[&scene.session], b"").await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    for shown in [&scene.bound, &child] {
        let answer = scene.server.send("GET", "/v1/session", &[shown], b"").await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (401, "invalid_credential")
        );
    }
}
