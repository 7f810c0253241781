//! `/d/{delete token}`.

use domain::Scope;
use serde_json::Value;

use crate::{
    pictures::assert_counts_are_true,
    server::{Part, Server},
};

async fn uploaded(server: &Server, seed: u64, headers: &[&str]) -> Value {
    let png = test_kit::pictures::png(20, 20, seed);
    let answer = server
        .post("/v1/images", headers, &[Part::File("file", "截图 <1>.png", &png)])
        .await;
    answer.json()["images"][0].clone()
}

/// The path of an image's delete link.
fn path(image: &Value) -> String {
    let url = image["delete_url"].as_str().unwrap();
    url.strip_prefix("https://img.example").unwrap().to_owned()
}

#[tokio::test]
async fn a_delete_link_asks_first_and_then_withdraws_without_an_account() {
    let server = Server::start(&[]).await;
    let image = uploaded(&server, 1, &[&server.bearer()]).await;
    let (path, id) = (path(&image), image["id"].as_str().unwrap());
    for (language, words) in [("zh-CN", "删除这张图片？"), ("en", "Delete this picture?")] {
        let page = server
            .send("GET", &path, &[&format!("Accept-Language: {language}")], b"")
            .await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains(words), "{}", page.body);
        assert!(page.body.contains("截图 &lt;1&gt;.png") && page.body.contains(&format!("/i/{id}.png")));
        assert!(!page.body.contains("<script"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
    assert_eq!(
        server.get(&format!("/v1/images/{id}")).await.status,
        200,
        "asking deletes nothing"
    );
    let told = server
        .send("POST", &path, &["Accept: application/json"], b"")
        .await;
    assert_eq!((told.status, &told.json()["withdrawn"]), (200, &true.into()));
    assert_eq!(server.get(&format!("/v1/images/{id}")).await.status, 404);
    for method in ["GET", "POST"] {
        let again = server.send(method, &path, &["Accept-Language: zh"], b"").await;
        assert_eq!(again.status, 404);
        assert!(again.body.contains("已失效"), "{}", again.body);
    }
    assert_counts_are_true(&server).await;
}

#[tokio::test]
async fn a_wrong_token_withdraws_nothing_and_tells_nothing() {
    let server = Server::start(&[]).await;
    let (a, b) = (
        uploaded(&server, 1, &[&server.bearer()]).await,
        uploaded(&server, 2, &[&server.bearer()]).await,
    );
    let (good, id) = (path(&a), b["id"].as_str().unwrap());
    let signature = &good["/d/".len() + 12..];
    for bad in [
        format!("/d/{id}{signature}"),
        format!("/d/{id}{}", "0".repeat(40)),
        good[..good.len() - 1].to_owned(),
        format!("{good}0"),
        "/d/x".to_owned(),
        format!("/d/{}", "%E5%9B%BE".repeat(10)),
    ] {
        for method in ["GET", "POST"] {
            let answer = server
                .send(method, &bad, &["Accept: application/json"], b"")
                .await;
            assert_eq!(
                (answer.status, answer.json()["code"].as_str()),
                (404, Some("not_found")),
                "{bad}"
            );
        }
    }
    assert_eq!(server.get(&format!("/v1/images/{id}")).await.status, 200);
}

#[tokio::test]
async fn only_who_uploaded_it_or_may_manage_it_is_told_the_delete_link() {
    let server = Server::start(&[]).await;
    let bearer = async |scopes: &[Scope]| {
        let token = test_kit::token(&server.database, server.account, scopes).await;
        format!("Authorization: Bearer {}", token.expose())
    };
    let (uploads, reads) = (bearer(&[Scope::Upload]).await, bearer(&[Scope::Read]).await);
    let image = uploaded(&server, 1, &[&uploads]).await;
    assert!(image["delete_url"].is_string());
    let again = uploaded(&server, 1, &[&uploads]).await;
    assert_eq!(
        (again["status"].as_str(), again.get("delete_url")),
        (Some("existing"), None)
    );
    let describe = format!("/v1/images/{}", image["id"].as_str().unwrap());
    let seen = server.send("GET", &describe, &[&reads], b"").await;
    assert_eq!(seen.json().get("delete_url"), None);
    assert_eq!(
        server.get(&describe).await.json()["delete_url"],
        image["delete_url"]
    );
}
