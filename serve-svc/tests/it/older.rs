//! The views of older hosts, and the privacy line that none of them crosses.

use domain::{Expiry, Secret, ViewTokens, Visibility};
use jiff::SignedDuration;

use crate::server::{Answer, Picture, Server};

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

/// As upload-svc makes it.
fn secure(picture: &Picture, expiry: Expiry) -> String {
    let secret = Secret::new("0123456789abcdef0123456789abcdef".to_owned());
    let token = ViewTokens::new(&secret, None).make(picture.id, expiry);
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

#[tokio::test]
async fn a_private_picture_answers_on_no_path_that_can_be_guessed() {
    let server = Server::start(&[]).await;
    let private = server.publish(1, Visibility::Private, None).await;
    for url in [
        django(&private),
        format!("/?path=/{}", private.path),
        MAPLE.to_owned(),
    ] {
        assert_eq!(server.get(&url).await.status, 404, "{url}");
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
