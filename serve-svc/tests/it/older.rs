//! The views of older hosts, and the privacy line that none of them crosses.

use catalog::ImagePatch;
use domain::{Expiry, FileName, Secret, ViewTokens, Viewable, Visibility};
use jiff::SignedDuration;

use crate::{
    policies::{change, within_a_second},
    server::{Answer, Picture, Server},
};

const MAPLE: &str = "/images/ann/photo/2026/11/%E6%88%AA%E5%9B%BE.png";

fn django(picture: &Picture) -> String {
    format!("/images/{}", picture.path.replace('/', ""))
}

fn md5(picture: &Picture) -> String {
    picture
        .path
        .replace('/', "")
        .split(['.', '-'])
        .next()
        .unwrap()
        .to_owned()
}

/// As upload-svc makes it for a picture that is public.
fn secure(picture: &Picture, expiry: Expiry) -> String {
    secure_of(picture, expiry, 0, Visibility::Public)
}

fn secure_of(picture: &Picture, expiry: Expiry, generation: i32, visibility: Visibility) -> String {
    let secret = Secret::new("0123456789abcdef0123456789abcdef".to_owned());
    let token = ViewTokens::new(&secret, None).make(Viewable {
        public_id: picture.id,
        expiry,
        generation,
        visibility,
    });
    format!("/secure_get/{}?token={token}", md5(picture))
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

#[tokio::test]
async fn every_older_path_shows_the_picture_with_its_true_type() {
    let server = Server::start(&[]).await;
    let picture = server.publish(1, Visibility::Public, None).await;
    let jpeg = django(&picture).replace(".png", ".jpg");
    for url in [
        django(&picture),
        MAPLE.to_owned(),
        MAPLE.replace("ann/photo", "ANN/thumb"),
        MAPLE.replace("photo", "show"),
        secure(&picture, Expiry::Never),
    ] {
        let answer = server.get(&url).await;
        assert_eq!((answer.status, &answer.body), (200, &picture.bytes), "{url}");
        assert_eq!(answer.header("content-type"), Some("image/png"));
        let refused = server.ask("GET", &url, &["Referer: https://evil.example/"]).await;
        assert_eq!(refused.status, 403, "{url}");
        assert_eq!(server.ask("POST", &url, &[]).await.status, 405, "{url}");
    }
    for url in [jpeg, MAPLE.replace("/11/", "/12/"), MAPLE.replace("ann", "bob")] {
        assert_eq!(server.get(&url).await.status, 404, "{url}");
    }
}

/// Which paths show which pictures. Nobody is asked who they are here: a credential changes nothing.
#[tokio::test]
async fn no_path_that_can_be_guessed_crosses_the_line_of_privacy() {
    let server = Server::start(&[]).await;
    let rename = |name: &str| ImagePatch {
        name: Some(FileName::clean(name, "image")),
        ..ImagePatch::default()
    };
    for (seed, visibility, shown) in [
        // By MD5 (twice), under a name of its owner's, under one that maple drew, with a token of a public picture's, of its own.
        (1, Visibility::Public, [200, 200, 200, 200, 200, 200]),
        (2, Visibility::Unlisted, [200, 200, 404, 200, 200, 200]),
        (3, Visibility::Private, [404, 404, 404, 404, 404, 200]),
    ] {
        let picture = server.publish(seed, visibility, None).await;
        let (own, drawn) = (format!("{seed}.png"), format!("179522612012312{seed}.png"));
        let urls = [
            django(&picture),
            format!("/?path=/{}", picture.path),
            MAPLE.replace("%E6%88%AA%E5%9B%BE.png", &own),
            MAPLE.replace("%E6%88%AA%E5%9B%BE.png", &drawn),
            secure(&picture, Expiry::Never),
            secure_of(&picture, Expiry::Never, 0, visibility),
        ];
        for (place, (url, status)) in urls.iter().zip(shown).enumerate() {
            change(&server, &picture, rename(if place == 3 { &drawn } else { &own })).await;
            let credentials = [
                "Accept: */*",
                "Authorization: Bearer brt_whoever",
                "Cookie: berth_session=whatever",
            ];
            for credential in credentials {
                let answer = server.ask("GET", url, &[credential]).await;
                assert_eq!(answer.status, status, "{visibility} {url} {credential}");
                if status == 200 && visibility != Visibility::Public {
                    let cached = answer.header("cache-control").unwrap();
                    assert!(
                        visibility == Visibility::Unlisted || cached.starts_with("private"),
                        "{cached}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_picture_that_becomes_private_is_shown_to_no_token_from_before() {
    let server = Server::start(&[]).await;
    let picture = server.publish(1, Visibility::Public, None).await;
    let before = secure(&picture, Expiry::Never);
    assert_eq!(server.get(&before).await.status, 200);
    let visibility = |visibility| ImagePatch {
        visibility: Some(visibility),
        ..ImagePatch::default()
    };
    change(&server, &picture, visibility(Visibility::Private)).await;
    let gone = within_a_second(&server, &before, "Accept: */*", 404).await;
    assert_eq!(text(&gone), "{\"detail\":\"图片不存在\"}");
    let since = secure_of(&picture, Expiry::Never, 0, Visibility::Private);
    let shown = server.get(&since).await;
    assert_eq!((shown.status, &shown.body), (200, &picture.bytes));
}

#[tokio::test]
async fn a_token_ends_when_the_links_of_its_picture_are_taken_back() {
    let server = Server::start(&[]).await;
    for (seed, visibility) in [(1, Visibility::Public), (2, Visibility::Private)] {
        let picture = server.publish(seed, visibility, None).await;
        let url = |generation| secure_of(&picture, Expiry::Never, generation, visibility);
        assert_eq!(
            (server.get(&url(0)).await.status, server.get(&url(1)).await.status),
            (200, 403)
        );
        server.revoke_links(picture.id).await;
        let gone = within_a_second(&server, &url(0), "Accept: */*", 403).await;
        assert_eq!(text(&gone), "{\"detail\":\"无效或过期的 token\"}");
        assert_eq!(server.get(&url(1)).await.status, 200);
    }
}

#[tokio::test]
async fn a_token_opens_its_own_picture_while_both_are_good() {
    let server = Server::start(&[]).await;
    let hour = SignedDuration::from_hours(1);
    let picture = server.publish(1, Visibility::Public, Some(hour)).await;
    let other = server.publish(2, Visibility::Public, None).await;
    let expiry = Expiry::At(server.clock.now() + hour);
    let good = secure(&picture, expiry);
    assert_eq!(server.get(&good).await.status, 200);
    let token = good.split_once("token=").unwrap().1;
    for (url, status, words) in [
        (
            format!("/secure_get/{}?token={token}", md5(&other)),
            403,
            "Token与图片不匹配",
        ),
        (
            format!("/secure_get/{}?token={token}0", md5(&picture)),
            403,
            "无效或过期的 token",
        ),
        (
            format!("/secure_get/{}", md5(&picture)),
            403,
            "无效或过期的 token",
        ),
    ] {
        let answer = server.get(&url).await;
        assert_eq!(
            (answer.status, text(&answer)),
            (status, format!("{{\"detail\":\"{words}\"}}")),
            "{url}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let forever = secure(&picture, Expiry::Never);
    server.clock.advance(SignedDuration::from_secs(3601));
    assert_eq!(
        text(&server.get(&good).await),
        "{\"detail\":\"无效或过期的 token\"}"
    );
    let gone = server.get(&forever).await;
    assert_eq!(
        (gone.status, text(&gone).as_str()),
        (404, "{\"detail\":\"图片不存在\"}")
    );
}

#[tokio::test]
async fn a_dialect_that_is_switched_off_has_no_paths() {
    let server = Server::start(&[("BERTH_DIALECTS", "lsky")]).await;
    let picture = server.publish(1, Visibility::Public, None).await;
    for url in [
        django(&picture),
        MAPLE.to_owned(),
        secure(&picture, Expiry::Never),
        // The welcome page, whatever the query says.
        format!("/?path=/{}", picture.path),
    ] {
        assert_ne!(server.get(&url).await.body, picture.bytes, "{url}");
    }
    assert_eq!(server.get(&format!("/i/{}.png", picture.id)).await.status, 200);
}
