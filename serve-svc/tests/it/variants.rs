//! Smaller copies: which one is shown, what is shown until it is there, and that none outlives its image.

use std::{convert::Infallible, time::Duration};

use catalog::{Derived, NewVariant, ServiceRole, claim_due_variants, keep_variants, withdraw};
use domain::{Sha256, VariantFormat, VariantKey, Visibility};
use jiff::SignedDuration;
use sha2::Digest as _;
use test_kit::pictures;

use crate::server::{Answer, Picture, Server};

/// What upload-svc would have made of a picture: its bytes say what they are.
pub(crate) fn content(width: u32, format: VariantFormat) -> Vec<u8> {
    format!("{width} pixels wide as {format}").into_bytes()
}

/// Derives everything that is due, as upload-svc does, and says of how many blobs there was something.
pub(crate) async fn derive(server: &Server) -> usize {
    let uploads = server.database.catalog_as(ServiceRole::Upload);
    let mut blobs = 0;
    // None: a test stops listening in the middle, and its clock stands still.
    let lease = Duration::ZERO;
    while let Some(due) = claim_due_variants(&uploads, server.clock.now(), lease)
        .await
        .unwrap()
    {
        let mut derived = Derived::default();
        for &(width, format) in &due.wanted {
            let bytes = content(width, format);
            let path = server
                .blobs()
                .join(VariantKey::new(&due.key, width, format).as_str());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &bytes).unwrap();
            derived.made.push(NewVariant {
                named_width: width,
                format,
                dimensions: (width, width),
                size_bytes: bytes.len() as u64,
                sha256: Sha256(sha2::Sha256::digest(&bytes).into()),
            });
        }
        let placed = |_| async { Ok::<(), Infallible>(()) };
        assert!(
            keep_variants(&uploads, due.blob_id, derived, placed)
                .await
                .unwrap()
                .is_some()
        );
        blobs += 1;
    }
    blobs
}

/// Asks while somebody derives what is wished for.
pub(crate) async fn ask_and_derive(server: &Server, url: &str, headers: &[&str]) -> Answer {
    let deriving = async {
        loop {
            derive(server).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let asking = async {
        loop {
            let answer = server.ask("GET", url, headers).await;
            // A busy machine may need longer than a request waits.
            if answer.header("cache-control") != Some("private, no-cache") {
                return answer;
            }
        }
    };
    tokio::select! {
        answer = asking => answer,
        () = deriving => unreachable!(),
    }
}

pub(crate) async fn large(server: &Server, seed: u64) -> Picture {
    let bytes = pictures::png(1000, 800, seed);
    server.publish_bytes(seed, bytes, Visibility::Public, None).await
}

#[tokio::test]
async fn the_first_who_asks_waits_for_a_variant_and_everybody_gets_it() {
    let server = Server::start(&[]).await;
    let picture = large(&server, 1).await;
    let url = format!("/i/{}.png?w=400", picture.id);
    let wide = ask_and_derive(&server, &url, &[]).await;
    assert_eq!(
        (wide.status, wide.body.as_slice()),
        (200, content(480, VariantFormat::Webp).as_slice())
    );
    assert_eq!(wide.header("content-type"), Some("image/webp"));
    assert_eq!(
        wide.header("cache-control"),
        Some("private, max-age=300, must-revalidate")
    );
    assert_eq!(wide.header("vary"), None, "the URL says all");
    let saved = wide.header("content-disposition").unwrap();
    assert!(
        saved.ends_with(".png.webp"),
        "a saved file ends as its bytes are: {saved}"
    );
    let etag = wide.header("etag").unwrap().to_owned();
    assert_ne!(
        Some(etag.as_str()),
        server.get(&format!("/i/{}.png", picture.id)).await.header("etag")
    );
    let again = server
        .ask("GET", &url, &[&format!("If-None-Match: {etag}")])
        .await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let part = server.ask("GET", &url, &["Range: bytes=0-2"]).await;
    assert_eq!((part.status, part.body.as_slice()), (206, &b"480"[..]));
    assert_eq!(
        server.counted(&picture, 4).await,
        4,
        "a view of a variant is one of its image"
    );
}

#[tokio::test]
async fn sizes_that_nobody_named_make_no_variants() {
    let server = Server::start(&[]).await;
    let picture = large(&server, 1).await;
    derive(&server).await;
    for query in [
        "w=1921",
        "w=99999",
        "w=x",
        "w=-5",
        "w=",
        "w=1001",
        "height=1024",
        "f=webp",
        "v=300",
    ] {
        let answer = server.get(&format!("/i/{}.png?{query}", picture.id)).await;
        assert_eq!(
            (answer.status, answer.body.len()),
            (200, picture.bytes.len()),
            "{query}"
        );
    }
    for width in (1..=1000).step_by(2) {
        let url = format!("/i/{}.png?w={width}", picture.id);
        assert_eq!(ask_and_derive(&server, &url, &[]).await.status, 200);
    }
    let client = server.database.connect().await;
    let made: i64 = client
        .query_one("SELECT count(*) FROM variant", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(made, 5, "160, 300, 480, 640 and 810, and the original above");
    let folders = std::fs::read_dir(server.blobs().join("variants")).unwrap();
    let files: usize = folders
        .map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count())
        .sum();
    assert_eq!(files, 5, "500 widths were asked for");
}

#[tokio::test]
async fn what_is_not_there_in_time_is_the_next_larger_one_or_the_original_and_no_cache_keeps_it() {
    let server = Server::start(&[]).await;
    let picture = large(&server, 1).await;
    let url = format!("/i/{}.jpg?w=480", picture.id);
    let nobody_derives = server.get(&url).await;
    assert_eq!(
        (nobody_derives.status, nobody_derives.body.len()),
        (200, picture.bytes.len())
    );
    assert_eq!(nobody_derives.header("cache-control"), Some("private, no-cache"));
    // The larger one is there; of the one that is meant nobody has told since.
    let larger = format!("/i/{}.jpg?w=810", picture.id);
    assert_eq!(
        ask_and_derive(&server, &larger, &[]).await.body,
        content(810, VariantFormat::Jpeg)
    );
    let client = server.database.connect().await;
    let undone = "UPDATE variant SET due_at = 'infinity', width = NULL, height = NULL, size_bytes = NULL, sha256 = NULL WHERE named_width = 480";
    client.batch_execute(undone).await.unwrap();
    let meanwhile = server.get(&url).await;
    assert_eq!(meanwhile.body, content(810, VariantFormat::Jpeg));
    assert_eq!(meanwhile.header("cache-control"), Some("private, no-cache"));
    client
        .batch_execute("UPDATE variant SET due_at = '2026-11-21'")
        .await
        .unwrap();
    assert_eq!(
        ask_and_derive(&server, &url, &[]).await.body,
        content(480, VariantFormat::Jpeg)
    );
}

#[tokio::test]
async fn what_has_no_room_is_the_next_larger_one_that_is_there_or_the_original_for_good() {
    let server = Server::start(&[]).await;
    let picture = large(&server, 1).await;
    let url = |rest: &str| format!("/i/{}{rest}", picture.id);
    ask_and_derive(&server, &url(".png?w=810"), &[]).await;
    let client = server.database.connect().await;
    let no_room = "INSERT INTO variant (blob_id, named_width, format, none_because) SELECT id, $1, $2, 'no_room' FROM blob";
    for (width, format) in [(480, "webp"), (480, "jpeg")] {
        client.execute(no_room, &[&width, &format]).await.unwrap();
    }
    let answer = server.get(&url(".png?w=480")).await;
    assert_eq!(answer.body, content(810, VariantFormat::Webp));
    let kept = Some("private, max-age=300, must-revalidate");
    assert_eq!(answer.header("cache-control"), kept, "it is no stopgap");
    let original = server.get(&url(".jpg?w=480")).await;
    assert_eq!(
        (original.body.len(), original.header("cache-control")),
        (picture.bytes.len(), kept)
    );
    // One that is made afterwards may be nearer.
    ask_and_derive(&server, &url(".png?w=640"), &[]).await;
    assert_eq!(
        server.get(&url(".png?w=480")).await.body,
        content(640, VariantFormat::Webp)
    );
}

#[tokio::test]
async fn without_an_extension_the_best_that_accept_allows_is_shown_and_caches_are_told() {
    let server = Server::start(&[]).await;
    let picture = large(&server, 1).await;
    for (url, accept, media_type, varies) in [
        ("?w=300", "Accept: image/avif,image/webp,*/*", "image/webp", true),
        (
            "?w=300",
            "Accept: image/png,image/*;q=0.8,*/*;q=0.5",
            "image/jpeg",
            true,
        ),
        ("", "Accept: image/png,image/*;q=0.8,*/*;q=0.5", "image/png", true),
        (".png?f=auto&w=300", "Accept: image/webp", "image/webp", true),
        (".png?w=300", "Accept: image/jpeg", "image/webp", false),
        (".jpg?w=300", "Accept: image/webp", "image/jpeg", false),
    ] {
        let url = format!("/i/{}{url}", picture.id);
        let answer = ask_and_derive(&server, &url, &[accept]).await;
        assert_eq!(answer.header("content-type"), Some(media_type), "{url} {accept}");
        assert_eq!(
            answer.header("vary"),
            varies.then_some("accept"),
            "{url} {accept}"
        );
    }
}

#[tokio::test]
async fn a_variant_is_judged_as_its_image_is_and_gone_with_it() {
    let server = Server::start(&[("BERTH_DELIVERY", "accel")]).await;
    let lifetime = Some(SignedDuration::from_mins(1));
    let mut urls = Vec::new();
    for seed in [1, 2] {
        let life = lifetime.filter(|_| seed == 2);
        let picture = server
            .publish_bytes(seed, pictures::png(1000, 800, seed), Visibility::Public, life)
            .await;
        urls.push((format!("/i/{}.png?w=300", picture.id), picture));
    }
    for (url, picture) in &urls {
        let answer = ask_and_derive(&server, url, &[]).await;
        let stem = picture.path.trim_end_matches(".png");
        let accel = format!("/_blobs/variants/{stem}-300.webp");
        assert_eq!(
            (answer.status, answer.header("x-accel-redirect")),
            (200, Some(accel.as_str()))
        );
        let stolen = server.ask("GET", url, &["Referer: https://evil.example/"]).await;
        assert_eq!((stolen.status, stolen.header("x-accel-redirect")), (403, None));
    }
    let cached = ask_and_derive(&server, &urls[1].0, &[]).await;
    assert_eq!(
        cached.header("cache-control"),
        Some("private, max-age=60, must-revalidate")
    );
    let uploads = server.database.catalog_as(ServiceRole::Upload);
    let withdrawn = withdraw(&uploads, server.account, urls[0].1.id, None, server.clock.now());
    assert!(withdrawn.await.unwrap());
    let mut tries = 0;
    while server.get(&urls[0].0).await.status != 404 {
        tries += 1;
        assert!(tries < 200, "the shelf is told within a moment");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(server.get(&urls[1].0).await.status, 200);
    server.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(server.get(&urls[1].0).await.status, 404);
}

#[tokio::test]
async fn a_variant_whose_file_is_lost_is_replaced_by_the_original_and_derived_again() {
    let server = Server::start(&[]).await;
    let picture = large(&server, 1).await;
    let url = format!("/i/{}.png?w=300", picture.id);
    assert_eq!(
        ask_and_derive(&server, &url, &[]).await.body,
        content(300, VariantFormat::Webp)
    );
    let stem = picture.path.trim_end_matches(".png");
    std::fs::remove_file(server.blobs().join(format!("variants/{stem}-300.webp"))).unwrap();
    // Hot bytes may stay in memory for a while; another server has none.
    let other = server.ask("GET", &url, &[]).await;
    assert_eq!((other.status, other.body.len()), (200, picture.bytes.len()));
    assert_eq!(other.header("cache-control"), Some("private, no-cache"));
    assert_eq!(derive(&server).await, 1, "somebody was told");
    assert_eq!(server.get(&url).await.body, content(300, VariantFormat::Webp));
}
