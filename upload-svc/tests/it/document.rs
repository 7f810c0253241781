//! `/openapi.json` itself.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{contract::CONTRACT, server::Server};

#[tokio::test]
async fn the_document_is_served_in_the_language_of_who_asks_and_not_twice() {
    let server = Server::start(&[]).await;
    let english = server.send("GET", "/openapi.json", &[], b"").await;
    assert_eq!(english.status, 200, "{english:?}");
    assert_eq!(english.header("content-type"), Some("application/json"));
    assert_eq!(english.header("access-control-allow-origin"), Some("*"));
    assert_eq!(english.header("vary"), Some("accept-language"));
    assert_eq!(english.json(), CONTRACT.document);
    assert_eq!(english.json()["servers"][0]["url"], "https://img.example");

    let headers = ["Accept-Language: zh-CN,zh;q=0.9"];
    let chinese = server.send("GET", "/openapi.json", &headers, b"").await;
    assert_eq!(chinese.header("content-language"), Some("zh-CN"));
    let summary = &chinese.json()["paths"]["/v1/images"]["post"]["summary"];
    assert_eq!(summary, "上传 1 到 50 个文件");

    let tag = english.header("etag").unwrap();
    let again = server
        .send("GET", "/openapi.json", &[&format!("If-None-Match: {tag}")], b"")
        .await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let other = [headers[0], &format!("If-None-Match: {tag}")];
    assert_eq!(server.send("GET", "/openapi.json", &other, b"").await.status, 200);
}

/// What stands in the page's only element of this name.
fn inside<'a>(page: &'a str, element: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
    let (inside, rest) = rest.split_once(&format!("</{element}>")).unwrap();
    assert!(!rest.contains(&format!("<{element}")), "there is one {element}");
    inside
}

#[tokio::test]
async fn the_pages_are_whole_in_themselves_and_may_run_nothing_but_their_own_script() {
    let server = Server::start(&[]).await;
    for (path, headers, words) in [
        ("/docs", &[][..], "The API of this berth"),
        ("/redoc", &[], "The API of this berth"),
        ("/docs", &["Accept-Language: zh-CN"], "本站 API"),
        (
            "/docs?lang=en",
            &["Accept-Language: zh-CN"],
            "The API of this berth",
        ),
        ("/docs?lang=zh", &[], "本站 API"),
    ] {
        let page = server.send("GET", path, headers, b"").await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(page.body.contains(words), "{path} {headers:?}");
        assert!(
            page.body.contains("https://img.example/v1/images"),
            "its own address"
        );
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        for element in ["style", "script"] {
            let digest = Sha256::digest(inside(&page.body, element));
            let source = format!("{element}-src 'sha256-{}'", STANDARD.encode(digest));
            assert!(policy.contains(&source), "{source}: {policy}");
        }
        assert!(
            !page.body.contains(" style=") && !page.body.contains(" onclick="),
            "the policy forbids them"
        );
    }
}

/// Every example of a body that the document shows.
fn examples(document: &Value) -> Vec<(String, &Value, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let content = &operation["requestBody"]["content"]["application/json"];
            if !content.is_null() {
                found.push((
                    format!("{method} {path}"),
                    &content["schema"],
                    &content["example"],
                ));
            }
        }
    }
    for (name, response) in document["components"]["responses"].as_object().unwrap() {
        let content = &response["content"]["application/problem+json"];
        for example in content["examples"].as_object().unwrap().values() {
            found.push((name.clone(), &content["schema"], &example["value"]));
        }
    }
    found
}

#[test]
fn every_example_is_as_its_schema_says() {
    let document = &CONTRACT.document;
    let examples = examples(document);
    assert!(examples.len() > 20, "{}", examples.len());
    for (name, schema, example) in examples {
        assert!(!example.is_null(), "{name} shows no example");
        let key = format!("the example of {name}");
        CONTRACT.validate(&key, schema, example, crate::contract::Members::Named, "");
    }
}
