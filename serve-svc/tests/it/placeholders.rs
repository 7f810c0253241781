//! The pictures that stand in for one that is not shown: drawn ones, or the operator's own.

use domain::Visibility;
use test_kit::pictures;

use crate::server::Server;

const STRANGER: &str = "Referer: https://evil.example/";

#[tokio::test]
async fn an_operators_own_pictures_take_the_place_of_the_drawn_ones() {
    let folder = tempfile::tempdir().unwrap();
    let (refused, missing) = (folder.path().join("no.bin"), folder.path().join("gone.bin"));
    let (gif, png) = (pictures::gif(30, 20, 1), pictures::png(30, 20, 2));
    std::fs::write(&refused, &gif).unwrap();
    std::fs::write(&missing, &png).unwrap();
    let server = Server::start(&[
        ("BERTH_PLACEHOLDER_REFUSED", refused.to_str().unwrap()),
        ("BERTH_PLACEHOLDER_MISSING", missing.to_str().unwrap()),
    ])
    .await;
    let picture = server.publish(1, Visibility::Public, None).await;
    let url = format!("/i/{}.png", picture.id);
    for (url, headers, status, media_type, body) in [
        (url.as_str(), &[STRANGER][..], 403, "image/gif", &gif),
        (&format!("{url}?w=300"), &[STRANGER], 403, "image/gif", &gif),
        ("/i/7h9KzQm2xRfW.png", &[], 404, "image/png", &png),
        ("/i/no-name-at-all.jpg", &[], 404, "image/png", &png),
        ("/nowhere/at/all.webp", &[], 404, "image/png", &png),
    ] {
        let answer = server.ask("GET", url, headers).await;
        assert_eq!((answer.status, &answer.body), (status, body), "{url} {headers:?}");
        assert_eq!(answer.header("content-type"), Some(media_type), "{url}");
        assert_eq!(
            answer.header("content-length"),
            Some(&*body.len().to_string()),
            "{url}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{url}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{url}");
        let head = server.ask("HEAD", url, headers).await;
        assert_eq!((head.status, head.body.len()), (status, 0), "{url}");
        assert_eq!(
            head.header("content-length"),
            answer.header("content-length"),
            "{url}"
        );
    }
    // They were read at the start: what becomes of the files is no matter.
    drop(folder);
    assert_eq!(server.get("/i/7h9KzQm2xRfW.png").await.body, png);
}
