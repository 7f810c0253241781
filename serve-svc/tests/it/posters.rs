//! What is shown where a picture of a video, or of a photograph that nobody here decodes, is asked for.

use std::{convert::Infallible, time::Duration};

use catalog::{Derived, ServiceRole, claim_due_variants, keep_variants};
use domain::{VariantFormat, Visibility};

use crate::{
    server::Server,
    variants::{ask_and_derive, content, derive},
};

const MP4: &[u8] = b"\0\0\0\x18ftypmp42 and so on, for a while";

/// Says of everything that is due that there is no picture in it.
async fn find_no_picture(server: &Server) {
    let uploads = server.database.catalog_as(ServiceRole::Upload);
    let lease = Duration::from_mins(1);
    while let Some(due) = claim_due_variants(&uploads, server.clock.now(), lease)
        .await
        .unwrap()
    {
        let none = |&(width, format): &(u32, VariantFormat)| (width, format, "no_picture");
        let derived = Derived {
            none: due.wanted.iter().map(none).collect(),
            ..Derived::default()
        };
        let placed = |_| async { Ok::<(), Infallible>(()) };
        keep_variants(&uploads, due.blob_id, derived, placed)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_video_is_shown_by_the_picture_in_it_and_by_a_drawn_one_where_there_is_none() {
    let server = Server::start(&[]).await;
    let mut videos = Vec::new();
    for seed in [1, 2] {
        let bytes = [MP4, &[u8::try_from(seed).unwrap()]].concat();
        videos.push(server.publish_bytes(seed, bytes, Visibility::Public, None).await);
        // Its thumbnail is wished for as it is published.
        if seed == 1 {
            assert_eq!(derive(&server).await, 1);
        } else {
            find_no_picture(&server).await;
        }
    }
    let poster = server.get(&format!("/i/{}.mp4?w=300", videos[0].id)).await;
    assert_eq!(poster.body, content(300, VariantFormat::Webp));
    assert_eq!(poster.header("content-type"), Some("image/webp"));
    let drawn = server.get(&format!("/i/{}.mp4?w=300", videos[1].id)).await;
    assert_eq!(
        (drawn.status, drawn.header("content-type")),
        (200, Some("image/png"))
    );
    assert!(drawn.body.starts_with(b"\x89PNG"));
    assert_eq!(
        drawn.header("cache-control"),
        Some("private, max-age=300, must-revalidate"),
        "there will be no other"
    );
    let stolen = "Referer: https://evil.example/";
    for video in &videos {
        let url = format!("/i/{}.mp4?w=300", video.id);
        assert_eq!(server.ask("GET", &url, &[stolen]).await.status, 403);
        let itself = server.get(&format!("/i/{}.mp4", video.id)).await;
        assert_eq!((&itself.body, itself.header("vary")), (&video.bytes, None));
    }
    assert_eq!(
        server.counted(&videos[1], 1).await,
        1,
        "a drawn poster is no view"
    );
}

#[tokio::test]
async fn who_asks_for_a_poster_never_gets_the_video_whatever_is_lost_or_late() {
    let server = Server::start(&[]).await;
    let video = server
        .publish_bytes(1, MP4.to_vec(), Visibility::Public, None)
        .await;
    let url = format!("/i/{}.mp4?w=300", video.id);
    let nobody_derives = server.get(&url).await;
    assert_eq!(nobody_derives.header("content-type"), Some("image/png"));
    assert_eq!(nobody_derives.header("cache-control"), Some("private, no-cache"));
    assert_eq!(
        ask_and_derive(&server, &url, &[]).await.body,
        content(300, VariantFormat::Webp)
    );
    let wide = format!("/i/{}.mp4?w=5000", video.id);
    assert_eq!(
        ask_and_derive(&server, &wide, &[]).await.body,
        content(1920, VariantFormat::Webp),
        "the widest there is"
    );
    let stem = video.path.trim_end_matches(".mp4");
    std::fs::remove_file(server.blobs().join(format!("variants/{stem}-300.webp"))).unwrap();
    let lost = server.get(&url).await;
    assert_eq!(
        (lost.status, lost.header("content-type")),
        (200, Some("image/png"))
    );
    assert_eq!(lost.header("cache-control"), Some("private, no-cache"));
    assert_eq!(derive(&server).await, 1, "somebody was told");
    assert_eq!(server.get(&url).await.body, content(300, VariantFormat::Webp));
}

#[tokio::test]
async fn a_small_heic_is_a_drawn_picture_for_browsers_that_show_none_and_itself_for_the_others() {
    let server = Server::start(&[]).await;
    let bytes = b"\0\0\0\x18ftypheic and so on".to_vec();
    let photo = server
        .publish_bytes(1, bytes.clone(), Visibility::Public, None)
        .await;
    let small = format!("/i/{}.webp?w=300", photo.id);
    for (url, accept, media_type) in [
        (&small, "Accept: image/avif,image/webp,*/*", "image/png"),
        (&small, "Accept: image/webp,image/heic;q=0.9,*/*", "image/heic"),
        (
            &format!("/i/{}.heic", photo.id),
            "Accept: image/avif,image/webp,*/*",
            "image/heic",
        ),
    ] {
        let answer = server.ask("GET", url, &[accept]).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(media_type)),
            "{url} {accept}"
        );
        let varies = (*url == small).then_some("accept");
        assert_eq!(answer.header("vary"), varies, "{url} {accept}");
        assert_eq!(answer.body == bytes, media_type == "image/heic", "{url} {accept}");
    }
}

#[tokio::test]
async fn a_small_tiff_is_a_variant_for_browsers_and_drawn_until_it_is_there() {
    let server = Server::start(&[]).await;
    let bytes = [b"II*\0".as_slice(), &[7; 100]].concat();
    let scan = server
        .publish_bytes(1, bytes.clone(), Visibility::Public, None)
        .await;
    let url = format!("/i/{}.tiff?w=480", scan.id);
    let browser = ["Accept: image/avif,image/webp,*/*"];
    let nobody_derives = server.ask("GET", &url, &browser).await;
    assert_eq!(nobody_derives.header("content-type"), Some("image/png"));
    assert_eq!(nobody_derives.header("cache-control"), Some("private, no-cache"));
    let variant = ask_and_derive(&server, &url, &browser).await;
    assert_eq!(variant.header("content-type"), Some("image/webp"));
    assert_eq!(variant.header("vary"), Some("accept"));
    let safari = server
        .ask("GET", &url, &["Accept: image/webp,image/tiff,*/*"])
        .await;
    assert_eq!((&safari.body, safari.header("vary")), (&bytes, Some("accept")));
}
