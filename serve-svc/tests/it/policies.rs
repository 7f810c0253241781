//! Policies of the site, of albums and of images; visibility.

use std::time::{Duration, Instant};

use catalog::{AlbumPatch, ImagePatch, ServiceRole};
use domain::Visibility;
use serde_json::{Value, json};

use crate::server::{Answer, Picture, Server};

const BLOG: &str = "Referer: https://blog.example/post";
const EVIL: &str = "Referer: https://evil.example/";
const OTHER: &str = "Referer: https://other.example/";

async fn set_site(server: &Server, policy: Value) {
    let uploads = server.database.catalog_as(ServiceRole::Upload);
    let now = server.clock.now();
    catalog::set_site_policy(&uploads, &policy, &|_| true, server.account, None, now)
        .await
        .unwrap();
}

async fn set_album(server: &Server, policy: Option<Value>) {
    let uploads = server.database.catalog_as(ServiceRole::Upload);
    let albums = catalog::list_albums(&uploads, server.account, None, None, 10)
        .await
        .unwrap();
    let patch = AlbumPatch {
        policy: Some(policy),
        ..AlbumPatch::default()
    };
    catalog::patch_album(
        &uploads,
        server.account,
        albums[0].id,
        &patch,
        &|_| true,
        server.clock.now(),
    )
    .await
    .unwrap();
}

pub(crate) async fn change(server: &Server, picture: &Picture, patch: ImagePatch) {
    let uploads = server.database.catalog_as(ServiceRole::Upload);
    let now = server.clock.now();
    catalog::patch_image(&uploads, server.account, picture.id, &patch, &|_| true, None, now)
        .await
        .unwrap();
}

async fn set_image(server: &Server, picture: &Picture, policy: Option<Value>) {
    let patch = ImagePatch {
        policy: Some(policy),
        ..ImagePatch::default()
    };
    change(server, picture, patch).await;
}

/// Asks until the answer is the one that is meant; a second is all that a change may take.
pub(crate) async fn within_a_second(server: &Server, url: &str, referer: &str, status: u16) -> Answer {
    let began = Instant::now();
    loop {
        let answer = server.ask("GET", url, &[referer]).await;
        if answer.status == status || began.elapsed() > Duration::from_secs(1) {
            assert_eq!(answer.status, status, "{url} {referer}");
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_nearest_policy_wins_and_a_change_is_there_within_a_second() {
    let server = Server::start(&[]).await;
    let (picture, beside) = (
        server.publish(1, Visibility::Public, None).await,
        server.publish(2, Visibility::Public, None).await,
    );
    let [url, _, path] = picture.urls();
    let [other_url, ..] = beside.urls();
    for url in [&url, &path, &other_url] {
        within_a_second(&server, url, BLOG, 200).await;
        within_a_second(&server, url, OTHER, 403).await;
    }
    set_site(&server, json!({ "hotlink": { "allow": ["other.example"] } })).await;
    for url in [&url, &path, &other_url] {
        within_a_second(&server, url, OTHER, 200).await;
        within_a_second(&server, url, BLOG, 403).await;
    }
    set_album(
        &server,
        Some(json!({ "hotlink": { "allow": ["*"], "deny": ["evil.example"] } })),
    )
    .await;
    for url in [&url, &path, &other_url] {
        within_a_second(&server, url, BLOG, 200).await;
        within_a_second(&server, url, EVIL, 403).await;
    }
    set_image(&server, &picture, Some(json!({ "hotlink": { "deny": [] } }))).await;
    within_a_second(&server, &url, EVIL, 200).await;
    within_a_second(&server, &other_url, EVIL, 403).await;
    set_image(&server, &picture, None).await;
    set_album(&server, None).await;
    set_site(&server, json!({})).await;
    for url in [&url, &path, &other_url] {
        within_a_second(&server, url, OTHER, 403).await;
        within_a_second(&server, url, BLOG, 200).await;
    }
}

#[tokio::test]
async fn where_nobody_is_judged_policies_rest_and_what_is_private_stays_private() {
    let server = Server::start(&[("BERTH_HOTLINK_RULES", "off")]).await;
    let (picture, private) = (
        server.publish(1, Visibility::Public, None).await,
        server.publish(2, Visibility::Private, None).await,
    );
    set_image(
        &server,
        &picture,
        Some(json!({ "hotlink": { "deny": ["*"], "empty_referer": "deny" } })),
    )
    .await;
    for url in picture.urls() {
        for referer in [EVIL, BLOG, "Referer: nonsense"] {
            let answer = server.ask("GET", &url, &[referer]).await;
            assert_eq!(answer.status, 200, "{url} {referer}");
            assert!(answer.header("cache-control").unwrap().starts_with("public, "));
        }
    }
    for url in private.urls() {
        assert_eq!(server.ask("GET", &url, &[EVIL]).await.status, 404, "{url}");
    }
}

#[tokio::test]
async fn only_what_everyone_may_embed_is_public_to_caches() {
    let server = Server::start(&[]).await;
    let picture = server.publish(1, Visibility::Public, None).await;
    let [url, ..] = picture.urls();
    let private = "private, max-age=300, must-revalidate";
    let public = "public, max-age=300, s-maxage=0, must-revalidate";
    for (policy, cached) in [
        (json!({ "allow": ["*"] }), public),
        (json!({ "allow": ["*"], "deny": ["evil.example"] }), private),
        (json!({ "allow": ["*"], "hidden_embeds": "deny" }), private),
        (json!({ "allow": ["*"] }), public),
        (json!({ "allow": ["blog.example"], "dry_run": true }), private),
    ] {
        set_image(&server, &picture, Some(json!({ "hotlink": policy }))).await;
        let began = Instant::now();
        while server.ask("GET", &url, &[BLOG]).await.header("cache-control") != Some(cached) {
            assert!(began.elapsed() < Duration::from_secs(1), "{policy}");
        }
    }
}

#[tokio::test]
async fn a_refusal_answers_as_the_policy_says_and_stays_in_no_cache() {
    let server = Server::start(&[]).await;
    let picture = server.publish(1, Visibility::Public, None).await;
    let [url, ..] = picture.urls();
    for (refusal, status, location, size) in [
        (json!("bare"), 403, None, Some("0")),
        (
            json!({ "redirect": "https://blog.example/盗链" }),
            302,
            Some("https://blog.example/%E7%9B%97%E9%93%BE"),
            Some("0"),
        ),
    ] {
        set_image(
            &server,
            &picture,
            Some(json!({ "hotlink": { "refusal": refusal } })),
        )
        .await;
        let began = Instant::now();
        let answer = loop {
            let answer = server.ask("GET", &url, &[EVIL]).await;
            if (answer.status, answer.header("content-length")) == (status, size) {
                break answer;
            }
            assert!(began.elapsed() < Duration::from_secs(1), "{answer:?}");
        };
        assert_eq!(answer.header("location"), location);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.body.is_empty());
    }
    set_image(&server, &picture, Some(json!({ "hotlink": { "dry_run": true } }))).await;
    let shown = within_a_second(&server, &url, EVIL, 200).await;
    assert_eq!(shown.body, picture.bytes);
    let figures = server.metrics.text();
    assert!(
        figures.contains(r#"berth_views_total{decision="would_refuse",reason="not_listed"} 1"#),
        "{figures}"
    );
}

#[tokio::test]
async fn embeds_that_hide_their_page_are_refused_where_the_owner_says_so() {
    let server = Server::start(&[]).await;
    let picture = server.publish(1, Visibility::Public, None).await;
    let [url, ..] = picture.urls();
    let hidden = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: image"];
    assert_eq!(server.ask("GET", &url, &hidden).await.status, 200);
    set_site(&server, json!({ "hotlink": { "hidden_embeds": "deny" } })).await;
    let began = Instant::now();
    while server.ask("GET", &url, &hidden).await.status != 403 {
        assert!(began.elapsed() < Duration::from_secs(1));
    }
    for (headers, status) in [
        (&["Sec-Fetch-Site: same-origin", "Sec-Fetch-Dest: image"][..], 200),
        (
            &["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"],
            403,
        ),
        (&["Sec-Fetch-Site: none", "Sec-Fetch-Dest: document"], 200),
        (&["Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: document"], 200),
        (
            &["Origin: https://blog.example", "Sec-Fetch-Site: cross-site"],
            200,
        ),
        (
            &["Origin: https://blog.example", "Origin: https://blog.example"],
            403,
        ),
        (
            &[BLOG, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: image"],
            200,
        ),
        (&[EVIL, "Sec-Fetch-Site: same-origin"], 403),
        (&[], 200),
    ] {
        assert_eq!(
            server.ask("GET", &url, headers).await.status,
            status,
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_shows_the_image_on_our_own_pages_alone() {
    let server = Server::start(&[]).await;
    let picture = server.publish(1, Visibility::Public, None).await;
    let [url, ..] = picture.urls();
    set_image(&server, &picture, Some(json!({ "hotlink": { "allow": 7 } }))).await;
    within_a_second(&server, &url, BLOG, 403).await;
    assert_eq!(server.ask("GET", &url, &[]).await.status, 403);
    assert_eq!(
        server
            .ask("GET", &url, &["Referer: https://img.example/"])
            .await
            .status,
        200
    );
    set_image(&server, &picture, Some(json!({ "note": "of an older release" }))).await;
    within_a_second(&server, &url, BLOG, 200).await;
}

#[tokio::test]
async fn an_unlisted_image_answers_by_every_link_and_a_private_one_by_none() {
    let server = Server::start(&[]).await;
    let picture = server.publish(1, Visibility::Unlisted, None).await;
    let [url, short, path] = picture.urls();
    for url in [&url, &short, &path] {
        assert_eq!(server.get(url).await.status, 200, "{url}");
    }
    let visibility = |visibility| ImagePatch {
        visibility: Some(visibility),
        ..ImagePatch::default()
    };
    change(&server, &picture, visibility(Visibility::Private)).await;
    for url in [&url, &short, &path] {
        within_a_second(&server, url, BLOG, 404).await;
    }
    change(&server, &picture, visibility(Visibility::Unlisted)).await;
    within_a_second(&server, &path, BLOG, 200).await;
}
