//! Find → judge → answer → count.

use domain::Visibility;
use jiff::SignedDuration;

use crate::server::{Picture, Server};

#[tokio::test]
async fn a_picture_is_shown_with_every_header_that_protects_and_describes_it() {
    let server = Server::start(&[]).await;
    let picture = server.publish(1, Visibility::Public, None).await;
    for url in picture.urls() {
        let answer = server.get(&url).await;
        assert_eq!((answer.status, &answer.body), (200, &picture.bytes), "{url}");
        for (name, value) in [
            ("content-type", "image/png"),
            ("content-length", picture.bytes.len().to_string().as_str()),
            ("accept-ranges", "bytes"),
            ("etag", picture.etag().as_str()),
            ("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT"),
            ("cache-control", "private, max-age=300, must-revalidate"),
            (
                "content-disposition",
                "inline; filename*=UTF-8''%E6%88%AA%E5%9B%BE.png",
            ),
            ("x-content-type-options", "nosniff"),
            (
                "content-security-policy",
                "default-src 'none'; sandbox; frame-ancestors 'none'",
            ),
            ("cross-origin-resource-policy", "cross-origin"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{url} {name}");
        }
        assert_eq!(answer.header("set-cookie"), None);
    }
}

#[tokio::test]
async fn streamed_and_accelerated_answers_are_the_same_but_for_who_sends_the_bytes() {
    let (plain, behind_nginx) = (
        Server::start(&[]).await,
        Server::start(&[("BERTH_DELIVERY", "accel")]).await,
    );
    let picture = plain.publish(2, Visibility::Public, None).await;
    behind_nginx.publish(2, Visibility::Public, None).await;
    let asks = |field: &str| format!("{field}: {}", picture.etag());
    let (if_range, if_none_match, if_match) = (asks("If-Range"), asks("If-None-Match"), asks("If-Match"));
    let own = [
        "x-request-id",
        "date",
        "x-accel-redirect",
        "content-length",
        "content-range",
        "content-type",
        "content-disposition",
    ];
    for (method, headers, by_nginx) in [
        ("GET", &[][..], true),
        ("HEAD", &[], true),
        ("GET", &["Range: bytes=0-9"], true),
        ("GET", &["Range: bytes=5-", if_range.as_str()], true),
        ("GET", &["Range: bytes=0-1,5-6"], false),
        ("GET", &["Range: bytes=99999999-"], false),
        ("GET", &[if_none_match.as_str()], false),
        (
            "GET",
            &["If-Modified-Since: Sat, 21 Nov 2026 00:00:00 GMT"],
            false,
        ),
        ("GET", &["If-Match: \"other\""], false),
        ("GET", &[if_match.as_str()], false),
        ("GET", &["Referer: https://evil.example/"], false),
    ] {
        let url = &picture.urls()[0];
        let (streamed, accelerated) = (
            plain.ask(method, url, headers).await,
            behind_nginx.ask(method, url, headers).await,
        );
        let redirect = accelerated.header("x-accel-redirect");
        assert_eq!(redirect.is_some(), by_nginx, "{method} {headers:?}");
        let common = |answer: &crate::server::Answer| -> Vec<(String, String)> {
            let mut all = answer.headers.clone();
            all.retain(|(name, _)| !own.contains(&name.as_str()));
            all.sort();
            all
        };
        assert_eq!(common(&streamed), common(&accelerated), "{method} {headers:?}");
        if by_nginx {
            assert_eq!(redirect, Some(format!("/_blobs/{}", picture.path).as_str()));
            assert_eq!(
                accelerated.header("content-type"),
                streamed.header("content-type")
            );
            assert!(accelerated.body.is_empty());
        } else {
            assert_eq!(
                (streamed.status, &streamed.body),
                (accelerated.status, &accelerated.body),
                "{method} {headers:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_expired_image_is_gone_at_the_second_on_every_url() {
    let server = Server::start(&[]).await;
    let picture = server
        .publish(3, Visibility::Public, Some(SignedDuration::from_secs(60)))
        .await;
    server.clock.advance(SignedDuration::from_secs(59));
    for url in picture.urls() {
        let answer = server.get(&url).await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (200, Some("private, max-age=1, must-revalidate")),
            "{url}"
        );
    }
    server.clock.advance(SignedDuration::from_secs(1));
    assert_gone(&server, &picture).await;
}

#[tokio::test]
async fn a_withdrawn_image_is_gone_on_every_url_while_the_shelf_is_warm() {
    let server = Server::start(&[]).await;
    let picture = server.publish(4, Visibility::Public, None).await;
    for url in picture.urls() {
        assert_eq!(server.get(&url).await.status, 200);
    }
    let uploads = server.database.catalog_as(catalog::ServiceRole::Upload);
    assert!(
        catalog::withdraw(&uploads, server.account, picture.id, None, server.clock.now())
            .await
            .unwrap()
    );
    // The word of it travels by NOTIFY; a second is what is promised, and some milliseconds are what it takes.
    for _ in 0..100 {
        if server.get(&picture.urls()[0]).await.status == 404 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_gone(&server, &picture).await;
}

#[tokio::test]
async fn a_private_image_answers_nobody() {
    let server = Server::start(&[]).await;
    let picture = server.publish(5, Visibility::Private, None).await;
    assert_gone(&server, &picture).await;
    let unlisted = server.publish(6, Visibility::Unlisted, None).await;
    assert_eq!(server.get(&unlisted.urls()[0]).await.status, 200);
}

async fn assert_gone(server: &Server, picture: &Picture) {
    for url in picture.urls() {
        let answer = server.ask("GET", &url, &["If-None-Match: *"]).await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (404, Some("no-store")),
            "{url}"
        );
        assert_eq!(answer.header("content-type"), Some("image/png"));
        assert!(answer.body.starts_with(b"\x89PNG") && answer.body != picture.bytes);
    }
}

#[tokio::test]
async fn what_names_nothing_is_a_picture_that_says_so() {
    let server = Server::start(&[]).await;
    let picture = server.publish(7, Visibility::Public, None).await;
    for url in [
        "/i/111111111111.png",
        "/i/",
        "/i/../../etc/passwd",
        "/i/%2e%2e%2f",
        "/?path=/../../etc/passwd",
        "/?path=",
        &format!("/i/{}.php", picture.id),
        &format!("/i/{}.png.php", picture.id),
        &format!("/i/{}.png/x", picture.id),
    ] {
        let answer = server.get(url).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, Some("image/png")),
            "{url}"
        );
    }
    assert_eq!(
        server
            .get(&format!("/i/{}.jpg", picture.id))
            .await
            .header("content-type"),
        Some("image/png")
    );
    assert_eq!(
        server.get("/nothing").await.header("content-type"),
        Some("application/problem+json; charset=utf-8")
    );
    let posted = server.ask("DELETE", &picture.urls()[0], &[]).await;
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET, HEAD")));
}

#[tokio::test]
async fn only_answered_views_are_counted_each_once() {
    let server = Server::start(&[]).await;
    let picture = server.publish(8, Visibility::Public, None).await;
    let url = &picture.urls()[0];
    for (method, headers, status) in [
        ("GET", &[][..], 200),
        ("GET", &["Referer: https://blog.example/"], 200),
        ("GET", &["If-None-Match: *"], 304),
        ("GET", &["Range: bytes=0-4"], 206),
        ("GET", &["Range: bytes=5-9"], 206),
        ("GET", &["Range: bytes=999999-"], 416),
        ("GET", &["If-Match: \"other\""], 412),
        ("HEAD", &[], 200),
        ("GET", &["Referer: https://evil.example/"], 403),
        (
            "GET",
            &["Referer: https://blog.example/", "Referer: https://blog.example/"],
            403,
        ),
    ] {
        assert_eq!(
            server.ask(method, url, headers).await.status,
            status,
            "{method} {headers:?}"
        );
    }
    assert_eq!(server.counted(&picture, 4).await, 4);
    let told = server.metrics.text();
    for line in [
        "berth_views_total{decision=\"allowed\",reason=\"listed\"} 1",
        "berth_views_total{decision=\"refused\",reason=\"not_listed\"} 1",
        "berth_views_total{decision=\"refused\",reason=\"several\"} 1",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
}

#[tokio::test]
async fn a_file_that_is_lost_is_a_404_and_is_told_to_the_operator() {
    let server = Server::start(&[]).await;
    let picture = server.publish(9, Visibility::Public, None).await;
    std::fs::remove_file(&picture.file).unwrap();
    assert_eq!(server.get(&picture.urls()[0]).await.status, 404);
    assert!(server.metrics.text().contains("berth_blobs_missing_total 1"));
}

#[tokio::test]
async fn a_picture_that_anyone_may_embed_is_public() {
    let server = Server::start(&[("BERTH_HOTLINK_ALLOW", "*")]).await;
    let picture = server.publish(10, Visibility::Public, None).await;
    let answer = server
        .ask("GET", &picture.urls()[0], &["Referer: https://anywhere.example/"])
        .await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("cache-control").unwrap().starts_with("public, "));
}

#[tokio::test]
async fn the_welcome_page_speaks_the_language_of_who_asks_and_runs_nothing() {
    let server = Server::start(&[]).await;
    for (language, word) in [("zh-CN", "图床已启动"), ("en", "berth is running")] {
        let answer = server
            .ask("GET", "/", &[&format!("Accept-Language: {language}")])
            .await;
        let text = String::from_utf8(answer.body.clone()).unwrap();
        assert!(
            answer.status == 200 && text.contains(word) && text.contains("https://img.example/api/v1/upimg")
        );
        assert!(
            answer
                .header("content-security-policy")
                .unwrap()
                .starts_with("default-src 'none'; style-src 'self'")
        );
        assert!(!text.contains("<script"));
    }
    assert_eq!(
        server.get("/welcome.css").await.header("content-type"),
        Some("text/css; charset=utf-8")
    );
}
