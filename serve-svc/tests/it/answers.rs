//! What stands in an answer, to the byte.

use domain::Visibility;

use crate::server::{Picture, Server};

/// More than one piece, and no whole number of them.
const LARGE_BYTES: usize = 300_001;

async fn small_and_large(server: &Server) -> [Picture; 2] {
    let noise = (0..LARGE_BYTES)
        .map(|n| u8::try_from(n * n % 251).unwrap())
        .collect();
    [
        server.publish(1, Visibility::Public, None).await,
        server.publish_bytes(2, noise, Visibility::Public, None).await,
    ]
}

#[tokio::test]
async fn every_range_is_cut_out_of_small_and_large_files_alike() {
    let server = Server::start(&[]).await;
    for picture in small_and_large(&server).await {
        let (size, url) = (picture.bytes.len(), &picture.urls()[0]);
        for (range, first, last) in [
            ("0-0", 0, 0),
            ("0-", 0, size - 1),
            ("100-199", 100, 199),
            ("-7", size - 7, size - 1),
            ("1-999999999", 1, size - 1),
        ] {
            let answer = server.ask("GET", url, &[&format!("Range: bytes={range}")]).await;
            assert_eq!(answer.status, 206, "{range} of {size}");
            assert!(answer.body == picture.bytes[first..=last], "{range} of {size}");
            let content_range = format!("bytes {first}-{last}/{size}");
            assert_eq!(answer.header("content-range"), Some(content_range.as_str()));
            let length = (last - first + 1).to_string();
            assert_eq!(answer.header("content-length"), Some(length.as_str()));
        }
        let past = server.ask("GET", url, &[&format!("Range: bytes={size}-")]).await;
        assert_eq!((past.status, past.body.len()), (416, 0));
        assert_eq!(
            past.header("content-range"),
            Some(format!("bytes */{size}").as_str())
        );
        let whole = server.ask("GET", url, &["Range: bytes=0-1,5-6"]).await;
        assert!(whole.status == 200 && whole.body == picture.bytes);
    }
}

#[tokio::test]
async fn a_head_is_answered_with_the_headers_of_the_get_and_no_body() {
    let server = Server::start(&[]).await;
    let [small, large] = small_and_large(&server).await;
    let own = ["date", "x-request-id"];
    for (url, headers) in [
        (small.urls()[0].as_str(), &[][..]),
        (&large.urls()[2], &[]),
        (&small.urls()[1], &["If-None-Match: *"]),
        (&small.urls()[0], &["Referer: https://evil.example/"]),
        ("/i/111111111111.png", &[]),
    ] {
        let mut answers = [
            server.ask("GET", url, headers).await,
            server.ask("HEAD", url, headers).await,
        ];
        for answer in &mut answers {
            answer.headers.retain(|(name, _)| !own.contains(&name.as_str()));
        }
        let [get, head] = answers;
        assert_eq!(
            (get.status, get.headers),
            (head.status, head.headers),
            "{url} {headers:?}"
        );
        assert!(head.body.is_empty(), "{url} {headers:?}");
    }
}

#[tokio::test]
async fn other_bytes_at_the_same_path_are_never_shown_as_the_old_ones() {
    let server = Server::start(&[]).await;
    let old = server.publish(3, Visibility::Public, None).await;
    let url = format!("/?path=/{}", old.path);
    // Asked for often enough to stay in memory.
    for _ in 0..3 {
        assert_eq!(server.get(&url).await.body, old.bytes);
    }
    // Withdrawn, swept and forgotten; then another file of the same MD5 arrives, and the path is free for it.
    let owner = server.database.connect().await;
    owner.execute("DELETE FROM image", &[]).await.unwrap();
    owner.execute("DELETE FROM blob", &[]).await.unwrap();
    let mut forged = old.bytes.clone();
    *forged.last_mut().unwrap() ^= 1;
    let other = server
        .publish_colliding(4, 3, forged.clone(), Visibility::Public, None)
        .await;
    assert_eq!(other.path, old.path);
    let answer = server.get(&other.urls()[0]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == forged, "the old bytes were shown");
}

#[tokio::test]
async fn a_url_that_is_nowhere_is_a_picture_for_who_looks_at_pictures() {
    let server = Server::start(&[]).await;
    let problem = "application/problem+json; charset=utf-8";
    for (method, url, headers, status, media_type) in [
        ("GET", "/images/old.jpg", &[][..], 404, "image/png"),
        ("HEAD", "/favicon.PNG", &[], 404, "image/png"),
        (
            "GET",
            "/old-link",
            &["Accept: image/avif,image/webp,*/*;q=0.8"],
            404,
            "image/png",
        ),
        (
            "GET",
            "/old-link",
            &["Accept: text/html,image/webp"],
            404,
            problem,
        ),
        ("GET", "/old.html", &[], 404, problem),
        ("POST", "/pictures/old.jpg", &[], 404, problem),
        ("POST", "/images/old.jpg", &[], 405, problem),
        ("POST", "/", &[], 405, problem),
    ] {
        let answer = server.ask(method, url, headers).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, Some(media_type)),
            "{method} {url}"
        );
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            (
                "content-security-policy",
                "default-src 'none'; sandbox; frame-ancestors 'none'",
            ),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{method} {url} {name}");
        }
    }
}
