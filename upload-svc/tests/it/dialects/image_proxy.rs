use catalog::Role;
use serde_json::{Value, json};
use test_kit::pictures;

use super::{assert_first_url, assert_plain};
use crate::{
    people::{PASSWORD, sign_in, sign_up},
    server::{Answer, Part, Server},
};

fn query(name: &str) -> String {
    format!("username={name}&password={}", PASSWORD.replace(' ', "+"))
}

async fn upload(server: &Server, name: &str, png: &[u8]) -> Answer {
    let path = format!("/upload?{}", query(name));
    server
        .post(&path, &[], &[Part::File("file", "红 red.png", png)])
        .await
}

async fn get(server: &Server, path: &str, name: &str) -> Answer {
    server
        .send("GET", &format!("{path}?{}", query(name)), &[], b"")
        .await
}

async fn server_with(names: &[&str]) -> Server {
    let server = Server::start(&[]).await;
    for name in names {
        let role = if *name == "root" {
            Role::Admin
        } else {
            Role::Member
        };
        sign_up(&server, name, role).await;
    }
    server
}

#[tokio::test]
async fn an_upload_answers_every_field_in_its_order_and_counts_what_is_sent_again() {
    let server = server_with(&["bob"]).await;
    let png = pictures::png(100, 80, 1);
    for (count, status) in [(0, "uploaded"), (1, "existing"), (2, "existing")] {
        let answer = upload(&server, "bob", &png).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_plain(&answer);
        let reply = answer.json();
        let (url, md5) = (reply["url"].as_str().unwrap(), reply["md5"].as_str().unwrap());
        assert!(
            url.starts_with(&format!("https://img.example/secure_get/{md5}?token=")),
            "{url}"
        );
        assert_first_url(&answer, url);
        let expire_at = server.clock.now().as_second() + 30 * 86_400;
        let expected = json!({
            "url": url,
            "expire_at": expire_at,
            "name": "红 red.png",
            "width": 100,
            "height": 80,
            "access_count": count,
            "status": status,
            "md5": md5,
            "file_size": png.len(),
            "created_at": server.clock.now().as_second(),
        });
        assert_eq!(answer.body, expected.to_string());

        let info = get(&server, &format!("/info/{md5}"), "bob").await;
        let expected = json!({
            "url": url,
            "expire_at": expire_at,
            "name": "红 red.png",
            "width": 100,
            "height": 80,
            "access_count": count,
            "file_size": png.len(),
            "status": "existing",
            "md5": md5,
            "created_at": server.clock.now().as_second(),
        });
        assert_eq!(info.body, expected.to_string(), "asking counts nothing");
    }
}

#[tokio::test]
async fn who_asks_wrongly_is_told_as_fastapi_does() {
    let server = server_with(&["bob"]).await;
    let png = pictures::png(3, 3, 1);
    let missing = |name: &str| json!({ "type": "missing", "loc": ["query", name], "msg": "Field required", "input": null });
    for (query, status, detail) in [
        (
            "username=bob&password=wrong",
            403,
            json!("权限不足，请联系管理员"),
        ),
        (
            "username=nobody&password=wrong",
            403,
            json!("权限不足，请联系管理员"),
        ),
        ("username=bob", 422, json!([missing("password")])),
        ("password=x", 422, json!([missing("username")])),
    ] {
        let answer = server
            .post(
                &format!("/upload?{query}"),
                &[],
                &[Part::File("file", "a.png", &png)],
            )
            .await;
        assert_eq!(
            (answer.status, answer.json()),
            (status, json!({ "detail": detail })),
            "{query}"
        );
    }
    let stats = server.send("GET", "/stats", &[], b"").await;
    assert_eq!(
        (stats.status, stats.json()["detail"].as_array().unwrap().len()),
        (422, 2)
    );
    let answer = server.send("POST", "/stats", &[], b"").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (405, r#"{"detail":"Method Not Allowed"}"#)
    );
}

#[tokio::test]
async fn a_refused_file_is_400_with_its_reasons() {
    let server = Server::start(&[("BERTH_MAX_UPLOAD_BYTES", "10485760")]).await;
    sign_up(&server, "bob", Role::Member).await;
    let mut large = pictures::png(3, 3, 2);
    large.resize((10 << 20) + 1, 0);
    for (file, reason) in [
        (&large[..], "文件大小超限，最大允许 10.0MB"),
        (
            b"no picture",
            "不支持的文件类型，支持: image/jpeg, image/png, image/gif, image/webp",
        ),
        (b"", "文件为空"),
    ] {
        let answer = upload(&server, "bob", file).await;
        let expected = json!({ "detail": format!("文件验证失败: {reason}") });
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (400, &*expected.to_string())
        );
    }
}

#[tokio::test]
async fn info_tells_each_what_they_may_see() {
    let server = server_with(&["bob", "eve", "root"]).await;
    let nobody = server.send("GET", "/info/nonsense", &[], b"").await;
    assert_eq!(nobody.status, 422);
    for (seed, visibility, shown) in [
        (1, "public", [200, 200, 200]),
        (2, "unlisted", [200, 404, 404]),
        (3, "private", [200, 404, 404]),
    ] {
        let png = pictures::png(3, 3, seed);
        let reply = upload(&server, "bob", &png).await.json();
        let bob = sign_in(&server, "bob").await;
        let change = json!({ "visibility": visibility });
        let id = reply["url"].as_str().unwrap().split("token=").nth(1).unwrap()[..12].to_owned();
        let changed = server
            .send_json("PATCH", &format!("/v1/images/{id}"), &[&bob], &change)
            .await;
        assert_eq!(changed.status, 200, "{changed:?}");
        let path = format!("/info/{}", reply["md5"].as_str().unwrap());
        let anonymous = server.send("GET", &path, &[], b"").await;
        assert_eq!(anonymous.status, 422, "{visibility}");
        for (name, status) in ["bob", "eve", "root"].into_iter().zip(shown) {
            let answer = get(&server, &path, name).await;
            assert_eq!(answer.status, status, "{visibility} to {name}: {answer:?}");
            if status == 404 {
                assert_eq!(answer.body, r#"{"detail":"图片不存在"}"#);
            } else {
                // A token for a private image is its owner's to have.
                let opens_private = answer.json()["url"].as_str().unwrap().contains(".0p.");
                assert_eq!(opens_private, visibility == "private", "{answer:?}");
            }
        }
        // Once it is their own, too, they are told of theirs.
        let own = upload(&server, "eve", &png).await.json();
        let info = get(&server, &path, "eve").await.json();
        assert_eq!(info["url"], own["url"], "{visibility}");
        assert_ne!(own["url"], reply["url"]);
    }
}

#[tokio::test]
async fn stats_tell_a_member_about_their_own_alone() {
    let server = server_with(&["bob", "eve", "root"]).await;
    let png = pictures::png(3, 3, 1);
    upload(&server, "bob", &png).await;
    for (name, images, latest) in [
        (
            "bob",
            1,
            json!({ "original_name": "红 red.png", "created_at": server.clock.now().as_second() }),
        ),
        ("eve", 0, Value::Null),
        (
            "root",
            1,
            json!({ "original_name": "红 red.png", "created_at": server.clock.now().as_second() }),
        ),
    ] {
        let stats = get(&server, "/stats", name).await.json();
        let keys: Vec<&String> = stats.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "total_images",
                "total_access",
                "total_size_bytes",
                "latest_image",
                "db_file_size"
            ]
        );
        assert_eq!(
            (&stats["total_images"], &stats["latest_image"]),
            (&json!(images), &latest),
            "{name}"
        );
        assert_eq!(stats["total_size_bytes"], json!(images * png.len()));
        assert!(stats["db_file_size"].as_u64().unwrap() > 0);
    }
}

#[tokio::test]
async fn health_is_open() {
    let server = Server::start(&[]).await;
    let health = server.send("GET", "/health", &[], b"").await;
    let reply = health.json();
    let keys: Vec<&String> = reply.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["status", "timestamp", "version"]);
    assert_eq!(
        (&reply["status"], &reply["timestamp"]),
        (&json!("healthy"), &json!(server.clock.now().as_second()))
    );
}

/// What the original's own tester uploads: 44 bytes, a header whose checksum lacks a byte, no pixels, and an end.
const TESTER: &[u8; 44] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\0\0\0\0IEND\xae\x42\x60\x82";
/// The same with a checksum of four bytes, which is wrong.
const WRONG_SUM: &[u8; 45] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\0\0\0\0\0\0\0\0IEND\xae\x42\x60\x82";

#[tokio::test]
async fn a_header_alone_will_do_where_the_operator_says_so() {
    for (dialects, status) in [("", 400), ("image-proxy", 200)] {
        for scrub in ["keep", "location", "all"] {
            let server =
                Server::start(&[("BERTH_HEADER_VALIDATION", dialects), ("BERTH_SCRUB", scrub)]).await;
            sign_up(&server, "bob", Role::Member).await;
            for file in [&TESTER[..], WRONG_SUM] {
                let answer = upload(&server, "bob", file).await;
                assert_eq!(answer.status, status, "{dialects:?} {scrub}: {answer:?}");
                if status == 200 {
                    let reply = answer.json();
                    assert_eq!((&reply["width"], &reply["height"]), (&json!(1), &json!(1)));
                    let md5 = reply["md5"].as_str().unwrap();
                    let info = get(&server, &format!("/info/{md5}"), "bob").await;
                    assert_eq!(info.json()["status"], "existing");
                } else {
                    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
                    assert!(detail.starts_with("文件验证失败: "), "{detail}");
                }
            }
            // No other dialect looks less closely for that.
            let answer = super::post_png(&server, "/api/v1/upload", "file", TESTER).await;
            assert_eq!(answer.json()["status"], false, "{answer:?}");
        }
    }
}
