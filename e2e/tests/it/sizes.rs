//! Smaller copies through nginx: made, sent by nginx, judged, and gone with their picture.

use std::time::Duration;

use test_kit::pictures;

use crate::{
    curl::curl,
    stack::{Stack, wait_for},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_thumbnail_is_made_shown_refused_and_gone_with_its_picture() {
    let mut stack = Stack::start(&[]).await;
    let file = stack.folder.path().join("pier.png");
    std::fs::write(&file, pictures::png(900, 600, 1)).unwrap();
    let image = stack.upload(&file, &[]);
    let (url, id) = (
        image["thumbnail_url"].as_str().unwrap().to_owned(),
        image["id"].as_str().unwrap().to_owned(),
    );
    let thumbnail = wait_for("the thumbnail", Duration::from_mins(1), || {
        let answer = curl(&["-H", "Referer: https://blog.example/", &url]);
        (answer.header("content-type") == Some("image/webp")).then_some(answer)
    });
    assert_eq!((thumbnail.status, &thumbnail.body[8..12]), (200, &b"WEBP"[..]));
    assert!(thumbnail.header("etag").is_some() && thumbnail.header("vary").is_none());
    assert_eq!(thumbnail.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(stack.describe(&id).json()["variants"][0]["width"], 300);
    let by_accept = curl(&["-H", "Accept: image/webp", &format!("{}/i/{id}?w=300", stack.url)]);
    assert_eq!(by_accept.header("vary"), Some("accept"));
    assert_eq!(by_accept.body, thumbnail.body);
    let part = curl(&["-H", "Range: bytes=8-11", &url]);
    assert_eq!((part.status, part.body.as_slice()), (206, &b"WEBP"[..]));
    assert_eq!(curl(&["-H", "Referer: https://evil.example/", &url]).status, 403);
    let withdrawn = curl(&[
        "-X",
        "DELETE",
        "-H",
        &format!("Authorization: Bearer {}", stack.token),
        &format!("{}/v1/images/{id}", stack.url),
    ]);
    assert_eq!(withdrawn.status, 204);
    wait_for("its end", Duration::from_secs(5), || {
        (curl(&[&url]).status == 404).then_some(())
    });
    stack.stop();
}
