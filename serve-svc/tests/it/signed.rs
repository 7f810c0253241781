//! Private images, and the signed links that open them.

use std::time::{Duration, Instant};

use domain::{PublicId, Secret, SignedLink, SignedLinks, Visibility};

use jiff::SignedDuration;

use crate::{policies::within_a_second, server::Server};

const BLOG: &str = "Referer: https://blog.example/post";
const EVIL: &str = "Referer: https://evil.example/";

/// The query of a signed link.
fn signed(server: &Server, id: PublicId, seconds: i64, width: Option<u32>) -> String {
    let links = SignedLinks::new(&Secret::new("0123456789abcdef0123456789abcdef".to_owned()), None);
    let expires = server.clock.now().as_second() + seconds;
    let link = SignedLink {
        public_id: id,
        generation: 0,
        expires,
        width,
    };
    format!("e={expires}&s={}", links.sign(link))
}

#[tokio::test]
async fn who_tries_to_open_a_private_image_is_told_to_its_owner_as_a_refusal() {
    let server = Server::start(&[]).await;
    let picture = server.publish(1, Visibility::Private, None).await;
    let [url, ..] = picture.urls();
    let bad = format!("{url}?e=99999999999&s={}", "0".repeat(32));
    for (url, referer) in [(&url, BLOG), (&url, EVIL), (&bad, EVIL)] {
        assert_eq!(server.ask("GET", url, &[referer]).await.status, 404);
    }
    let figures = server.metrics.text();
    for (reason, times) in [("private", 2), ("signature", 1)] {
        let line = format!("berth_views_total{{decision=\"missing\",reason=\"{reason}\"}} {times}\n");
        assert!(figures.contains(&line), "{line}");
    }
    let owner = server.database.connect().await;
    let sql = "SELECT coalesce(sum(refusals), 0)::bigint, coalesce(sum(views), 0)::bigint FROM image_site_day WHERE site LIKE $1";
    let told = async |site: &str| {
        let row = owner.query_one(sql, &[&site]).await.unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1))
    };
    let began = Instant::now();
    while told("%").await.0 < 3 {
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(
        (told("evil.example").await, told("blog.example").await),
        ((2, 0), (1, 0))
    );
}

#[tokio::test]
async fn a_private_image_is_opened_by_a_signed_link_and_by_nothing_else() {
    let server = Server::start(&[]).await;
    let (picture, other) = (
        server.publish(1, Visibility::Private, None).await,
        server.publish(2, Visibility::Private, None).await,
    );
    let [url, short, path] = picture.urls();
    let query = signed(&server, picture.id, 120, None);
    let small = signed(&server, picture.id, 120, Some(480));
    let shown = server.ask("GET", &format!("{url}?{query}"), &[EVIL]).await;
    assert_eq!(
        (shown.status, &shown.body),
        (200, &picture.bytes),
        "wherever it is opened"
    );
    assert_eq!(
        shown.header("cache-control"),
        Some("private, max-age=120, must-revalidate")
    );
    assert_eq!(shown.header("cross-origin-resource-policy"), Some("same-site"));
    let etag = shown.header("etag").unwrap().to_owned();
    let known = format!("If-None-Match: {etag}");
    for (method, url, headers, status) in [
        ("GET", format!("{short}?{query}"), vec![], 200),
        ("HEAD", format!("{url}?{query}"), vec![], 200),
        ("GET", format!("{url}?{query}"), vec![known.as_str()], 304),
        ("GET", format!("{url}?{query}"), vec!["Range: bytes=0-9"], 206),
        ("GET", format!("{url}?{query}&w=480"), vec![], 200),
        ("GET", format!("{url}?{small}&w=480"), vec![], 200),
        // All else is as if there were nothing.
        ("GET", url.clone(), vec![], 404),
        ("GET", url.clone(), vec![known.as_str()], 404),
        ("GET", short.clone(), vec!["Referer: https://img.example/"], 404),
        ("GET", path.clone(), vec![], 404),
        ("GET", format!("{path}&{query}"), vec![], 404),
        ("GET", format!("{url}?{small}"), vec![], 404),
        ("GET", format!("{url}?{small}&w=960"), vec![], 404),
        ("GET", format!("{url}?{small}&w=960&w=480"), vec![], 404),
        ("GET", format!("{url}?w=960&{small}&w=480"), vec![], 404),
        (
            "GET",
            format!("{url}?{}", query.replace("e=1", "e=2")),
            vec![],
            404,
        ),
        ("GET", format!("{url}?{}", &query[..query.len() - 1]), vec![], 404),
        (
            "GET",
            format!("{url}?{}", query.split('&').next_back().unwrap()),
            vec![],
            404,
        ),
        ("GET", format!("{}?{query}", other.urls()[0]), vec![], 404),
    ] {
        let answer = server.ask(method, &url, &headers).await;
        assert_eq!(answer.status, status, "{method} {url} {headers:?}");
        if status == 404 {
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_ne!(answer.header("etag"), Some(etag.as_str()));
        }
    }
    server.clock.advance(SignedDuration::from_secs(119));
    assert_eq!(server.get(&format!("{url}?{query}")).await.status, 200);
    server.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(
        server.get(&format!("{url}?{query}")).await.status,
        404,
        "at the very second"
    );
}

#[tokio::test]
async fn signed_links_can_be_taken_back_and_pass_every_hotlink_rule() {
    let server = Server::start(&[]).await;
    let (private, public) = (
        server.publish(1, Visibility::Private, None).await,
        server.publish(2, Visibility::Public, None).await,
    );
    let links = [&private, &public].map(|picture| {
        let [url, ..] = picture.urls();
        format!("{url}?{}", signed(&server, picture.id, 3_600, None))
    });
    for link in &links {
        within_a_second(&server, link, EVIL, 200).await;
    }
    for (picture, (link, status)) in [&private, &public].iter().zip(links.iter().zip([404, 403])) {
        server.revoke_links(picture.id).await;
        within_a_second(&server, link, EVIL, status).await;
    }
}
