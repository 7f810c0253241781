//! The older hosts' contracts, each held field by field, in order where order is part of it.

mod chevereto;
mod django;
mod form;
mod image_proxy;
mod image_proxy_db;
mod lsky;
mod maple;
mod parsing;
mod picgo_server;
mod refusals;
mod sharex;
mod smms;
mod switches;
mod upimg;

use serde_json::Value;

use crate::server::{Answer, Part, Server};

/// A file that is a picture, named as a person names one.
const NAME: &str = "截图 [1] <b>.png";

/// The image's path and the secret of its delete link, as they stand in a reply.
fn id_of(url: &str) -> &str {
    let path = url.strip_prefix("https://img.example/i/").unwrap();
    path.split('.').next().unwrap()
}

/// The native API's view of the image that a reply is about.
async fn described(server: &Server, url: &str) -> Value {
    server.get(&format!("/v1/images/{}", id_of(url))).await.json()
}

fn token_header(server: &Server) -> String {
    format!("token: {}", server.token.expose())
}

/// Every answer of a dialect is readable by any site and is UTF-8 that nobody has escaped.
fn assert_plain(answer: &Answer) {
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("*"),
        "{answer:?}"
    );
    assert!(!answer.body.contains("\\u"), "{answer:?}");
    assert!(
        answer
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json")),
        "{answer:?}"
    );
}

/// The first URL of a reply is the image's own.
fn assert_first_url(answer: &Answer, url: &str) {
    let start = answer.body.find("https://").unwrap();
    assert!(answer.body[start..].starts_with(url), "{}", answer.body);
}

async fn post_png(server: &Server, path: &str, field: &str, png: &[u8]) -> Answer {
    let token = token_header(server);
    server
        .post(path, &[&token], &[Part::File(field, NAME, png)])
        .await
}
