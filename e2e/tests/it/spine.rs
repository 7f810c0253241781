//! The straight line through nginx: upload → allowed view → refused view → 304 → range → count → expiry → 404.

use std::{path::PathBuf, time::Duration};

use test_kit::pictures;

use crate::{
    curl::{Answer, curl},
    stack::{Stack, wait_for},
};

const POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

fn written(stack: &Stack, name: &str, bytes: &[u8]) -> PathBuf {
    let path = stack.folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn from(referer: &str, url: &str) -> Answer {
    curl(&["-H", &format!("Referer: {referer}"), url])
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_uploaded_viewed_refused_counted_and_expires() {
    let mut stack = Stack::start(&[("BERTH_JANITOR_INTERVAL", "1s"), ("BERTH_SWEEP_GRACE", "1s")]).await;
    let jpeg = pictures::jpeg(640, 480, 1);
    // It says something in a comment, which would be cut out.
    let options = ["expires_in=20s", "scrub=keep"];
    let image = stack.upload(&written(&stack, "pier.jpg", &jpeg), &options);
    let (url, id, md5) = (text(&image["url"]), text(&image["id"]), text(&image["md5"]));
    let path_url = format!("{}/?path=/{}/{}.jpg", stack.url, &md5[..2], &md5[2..]);

    views(&[&url, &path_url], &jpeg);
    let counted = 8;
    refusals(&stack, &url, &path_url);

    // Conditions: 304 by both validators.
    let view = curl(&["-I", &url]);
    let (etag, date) = (
        view.header("etag").unwrap().to_owned(),
        view.header("last-modified").unwrap().to_owned(),
    );
    assert!(view.status == 200 && !etag.starts_with("W/"), "{view:?}");
    for condition in [
        format!("If-None-Match: {etag}"),
        format!("If-Modified-Since: {date}"),
    ] {
        let answer = curl(&["-H", &condition, &url]);
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{condition}");
        assert_eq!(answer.header("etag"), Some(etag.as_str()));
    }
    let counted = counted + 2;

    ranges(&url, &jpeg, &etag);
    let counted = counted + 3;

    wait_for("the count", Duration::from_secs(5), || {
        (stack.describe(&id).json()["views"] == counted).then_some(())
    });

    // Expiry: 404 at the second, on every URL, through every cache of ours; then the bytes go.
    wait_for("the expiry", Duration::from_secs(25), || {
        (curl(&["-I", &url]).status == 404).then_some(())
    });
    for gone in [&url, &path_url] {
        let answer = curl(&["-H", &format!("If-None-Match: {etag}"), gone]);
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (404, Some("no-store"))
        );
    }
    assert_eq!(stack.describe(&id).status, 404);
    let file = stack
        .folder
        .path()
        .join("blobs")
        .join(&md5[..2])
        .join(format!("{}.jpg", &md5[2..]));
    wait_for("the sweep", Duration::from_secs(20), || {
        (!file.exists()).then_some(())
    });

    // Nobody's log holds a query or a token.
    for log in ["access.log", "serve-svc.log", "upload-svc.log"] {
        let log_text = wait_for(log, Duration::from_secs(5), || {
            Some(stack.log(log)).filter(|text| !text.is_empty())
        });
        assert!(
            !log_text.contains("path=") && !log_text.contains(&stack.token),
            "{log}"
        );
    }
    for (name, code) in stack.stop() {
        assert_eq!(code, Some(0), "{name} ends in order");
    }
}

/// Each URL shows the picture to allowed pages: four views each.
fn views(urls: &[&str], jpeg: &[u8]) {
    for url in urls {
        for referer in [
            "https://blog.example/post",
            "https://a.friends.example/",
            "http://localhost:4000/",
        ] {
            let view = from(referer, url);
            assert_eq!(view.status, 200, "{referer} {url}");
            assert!(view.body == jpeg, "{referer} {url}: other bytes");
            assert_eq!(view.header("content-type"), Some("image/jpeg"));
            assert_eq!(view.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(view.header("content-security-policy"), Some(POLICY));
            assert!(
                view.header("server").is_none_or(|server| server == "nginx"),
                "no version"
            );
            let cached = view.header("cache-control").unwrap();
            let max_age: u64 = cached
                .split("max-age=")
                .nth(1)
                .unwrap()
                .split(',')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            assert!(max_age <= 20, "no cache outlives the expiry: {cached}");
        }
        let view = curl(&[url]);
        assert_eq!(
            (view.status, view.body.as_slice()),
            (200, jpeg),
            "no referer is allowed by default"
        );
    }
}

/// Refusals and what is not there: pictures that say so, in no cache.
fn refusals(stack: &Stack, url: &str, path_url: &str) {
    for (answer, status) in [
        (from("https://evil.example/", url), 403),
        (from("https://blog.example.evil.net/", path_url), 403),
        (from("https://evil.example/?https://blog.example/", url), 403),
        (curl(&[&format!("{}/i/111111111111.jpg", stack.url)]), 404),
        (
            curl(&[&format!(
                "{}/?path=/00/000000000000000000000000000000.jpg",
                stack.url
            )]),
            404,
        ),
    ] {
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("content-type"), Some("image/png"));
        assert!(answer.body.starts_with(b"\x89PNG"));
        assert_eq!(answer.header("content-security-policy"), Some(POLICY));
    }
}

fn ranges(url: &str, jpeg: &[u8], etag: &str) {
    let size = jpeg.len();
    let tail = format!("bytes={}-", size - 5);
    for (range, from, to) in [
        ("bytes=0-9", 0, 10),
        (tail.as_str(), size - 5, size),
        ("bytes=-7", size - 7, size),
    ] {
        let answer = curl(&["-H", &format!("Range: {range}"), url]);
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (206, &jpeg[from..to]),
            "{range}"
        );
        assert_eq!(
            answer.header("content-range"),
            Some(format!("bytes {from}-{}/{size}", to - 1).as_str())
        );
        assert_eq!(answer.header("etag"), Some(etag));
    }
    let past = curl(&["-H", &format!("Range: bytes={size}-"), url]);
    assert_eq!(
        (past.status, past.header("content-range")),
        (416, Some(format!("bytes */{size}").as_str()))
    );
    for (validator, status) in [(etag, 206), ("\"other\"", 200)] {
        let answer = curl(&[
            "-H",
            "Range: bytes=0-0",
            "-H",
            &format!("If-Range: {validator}"),
            url,
        ]);
        assert_eq!(answer.status, status, "If-Range: {validator}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_withdrawn_is_gone_at_once_and_what_is_wrong_is_told_through_nginx() {
    let stack = Stack::start(&[("BERTH_MAX_UPLOAD_BYTES", "1000000")]).await;
    let png = pictures::png(64, 64, 2);
    let image = stack.upload(&written(&stack, "a.png", &png), &[]);
    let url = text(&image["url"]);
    for _ in 0..20 {
        assert_eq!(curl(&[&url]).status, 200, "every cache is warm");
    }
    let bearer = format!("Authorization: Bearer {}", stack.token);
    let gone = curl(&[
        "-X",
        "DELETE",
        "-H",
        &bearer,
        &format!("{}/v1/images/{}", stack.url, text(&image["id"])),
    ]);
    assert_eq!(gone.status, 204);
    assert_eq!(curl(&[&url]).status, 404, "at the very next request");

    // Refusals reach the client whole.
    let large = written(
        &stack,
        "large.png",
        &[png.as_slice(), &vec![0; 2_000_000]].concat(),
    );
    let answer = stack.post(&large, &[]);
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (413, Some("file_too_large"))
    );
    let nobody = curl(&[
        "-F",
        &format!("file=@{}", large.display()),
        &format!("{}/v1/images", stack.url),
    ]);
    assert_eq!(
        (nobody.status, nobody.json()["code"].as_str()),
        (401, Some("unauthenticated"))
    );
    let old = curl(&[
        "-H",
        "token: wrong",
        "-F",
        &format!("file=@{}", large.display()),
        &format!("{}/api/v1/upimg", stack.url),
    ]);
    assert_eq!(
        (old.status, old.text().as_str()),
        (200, r#"{"data":"您没有使用本服务的权限","status":1}"#)
    );
    let moved = curl(&["-H", "X-Request-Id: evil", &format!("{}/i/1.png", stack.url)]);
    assert!(
        moved.header("x-request-id").is_some_and(|id| id.len() == 32),
        "nginx names requests, not clients: {moved:?}"
    );

    // What Prometheus asks for.
    let (uploads, views) = (stack.metrics("upload-svc"), stack.metrics("serve-svc"));
    assert!(
        uploads.contains("berth_uploads_total{result=\"uploaded\"} 1"),
        "{uploads}"
    );
    assert!(views.contains("berth_views_total"), "{views}");
    assert!(stack.metrics("janitor").contains("berth_janitor"));
}

#[tokio::test(flavor = "multi_thread")]
async fn views_that_the_shelf_knows_go_on_while_the_database_is_away() {
    let mut stack = Stack::start(&[]).await;
    let png = pictures::png(64, 64, 3);
    let file = written(&stack, "a.png", &png);
    let url = text(&stack.upload(&file, &[])["url"]);
    assert_eq!(curl(&[&url]).status, 200);
    stack.stop_database().await;
    for _ in 0..5 {
        let view = curl(&[&url]);
        assert_eq!((view.status, &view.body), (200, &png));
    }
    let refused = stack.post(&written(&stack, "b.png", &pictures::png(64, 64, 4)), &[]);
    assert_eq!(
        (refused.status, refused.header("retry-after").is_some()),
        (503, true),
        "{refused:?}"
    );
    stack.start_database().await;
    let again = stack.post(&file, &[]);
    assert_eq!(again.status, 200, "whole again without a restart: {again:?}");
    let id = text(&again.json()["images"][0]["id"]);
    wait_for("the counts of the outage", Duration::from_secs(10), || {
        (stack.describe(&id).json()["views"] == 6).then_some(())
    });
}
