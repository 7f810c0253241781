//! What is derived of a picture after its upload.

use std::time::{Duration, Instant};

use catalog::{ServiceRole, wish_for_variant};
use domain::{NamedWidths, VariantFormat};
use serde_json::Value;
use test_kit::pictures;

use crate::server::{Part, Server};

/// Waits for what a question comes to, for as long as a busy machine may take.
async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "{what} never came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn uploaded(server: &Server, name: &str, bytes: &[u8]) -> Value {
    let answer = server.upload(&[Part::File("file", name, bytes)]).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["images"][0].clone()
}

async fn number(server: &Server, sql: &str) -> i64 {
    server
        .database
        .connect()
        .await
        .query_one(sql, &[])
        .await
        .unwrap()
        .get(0)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn a_thumbnail_follows_the_reply() {
    let server = Server::start(&[]).await;
    server.derive();
    let image = uploaded(&server, "pier.png", &pictures::png(1200, 800, 1)).await;
    assert!(image["thumbhash"].is_null());
    let path = format!("/v1/images/{}", text(&image["id"]));
    let image = eventually("the thumbnail", async || {
        let image = server.get(&path).await.json();
        (image["variants"] != Value::Array(Vec::new())).then_some(image)
    })
    .await;
    let thumbnail = &image["variants"][0];
    assert_eq!(
        (&thumbnail["width"], &thumbnail["height"]),
        (&300.into(), &200.into())
    );
    assert_eq!(thumbnail["media_type"], "image/webp");
    assert_eq!(thumbnail["url"], image["thumbnail_url"]);
    assert!(text(&image["thumbhash"]).len() > 8);
    assert!(text(&image["dominant_color"]).starts_with('#'));
    let md5 = text(&image["md5"]);
    let file = server
        .blobs()
        .join(format!("variants/{}/{}-300.webp", &md5[..2], &md5[2..]));
    let bytes = std::fs::read(file).unwrap();
    assert_eq!(bytes.len() as u64, thumbnail["size_bytes"].as_u64().unwrap());
    assert_eq!(&bytes[8..12], b"WEBP");
    let list = server.get("/v1/images").await.json();
    assert_eq!(
        list["images"][0]["variants"], image["variants"],
        "lists say so, too"
    );
    eventually("an empty staging folder", async || {
        server.staged().is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_picture_that_is_small_already_has_a_look_and_no_variants() {
    let server = Server::start(&[]).await;
    server.derive();
    let image = uploaded(&server, "dot.gif", &pictures::gif(30, 20, 1)).await;
    let path = format!("/v1/images/{}", text(&image["id"]));
    let image = eventually("its look", async || {
        let image = server.get(&path).await.json();
        (!image["thumbhash"].is_null()).then_some(image)
    })
    .await;
    assert_eq!(image["variants"], Value::Array(Vec::new()));
    let given_up =
        "SELECT count(*) FROM variant WHERE none_because = 'original_is_narrower' AND due_at IS NULL";
    assert_eq!(number(&server, given_up).await, 1);
}

#[tokio::test]
async fn what_cannot_be_rendered_is_given_up_and_a_lost_file_is_waited_for() {
    let server = Server::start(&[]).await;
    let mut files = Vec::new();
    for seed in [1, 2] {
        let image = uploaded(&server, "a.png", &pictures::png(400, 300, seed)).await;
        let md5 = text(&image["md5"]).to_owned();
        files.push(server.blobs().join(format!("{}/{}.png", &md5[..2], &md5[2..])));
    }
    // A disk damages the one and loses the other.
    std::fs::write(&files[0], b"\xff\xd8\xff\xe0 no picture any more").unwrap();
    let kept = std::fs::read(&files[1]).unwrap();
    std::fs::remove_file(&files[1]).unwrap();
    server.derive();
    let broken = "SELECT count(*) FROM variant WHERE none_because = 'broken' AND due_at IS NULL";
    let put_off = "SELECT count(*) FROM variant WHERE due_at = '2026-11-21T01:00:00Z'";
    eventually("the end of both", async || {
        (number(&server, broken).await == 1 && number(&server, put_off).await == 1).then_some(())
    })
    .await;
    std::fs::write(&files[1], kept).unwrap();
    server.clock.advance(jiff::SignedDuration::from_hours(1));
    eventually("the thumbnail of what was found again", async || {
        (number(&server, "SELECT count(*) FROM variant WHERE sha256 IS NOT NULL").await == 1).then_some(())
    })
    .await;
}

/// Bytes of all files below a folder.
fn bytes_below(folder: &std::path::Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let bytes = |path: std::path::PathBuf| {
        if path.is_dir() {
            bytes_below(&path)
        } else {
            path.metadata().unwrap().len()
        }
    };
    entries.map(|entry| bytes(entry.unwrap().path())).sum()
}

/// One photograph in three of the corpus, since each is derived fourteen times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_for_every_width_and_format_makes_less_than_fifteen_percent_of_the_photographs() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/exif-samples");
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("skipped: there is no corpus beside this repository");
        return;
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let server = Server::start(&[]).await;
    let photographs = paths.iter().enumerate().filter(|(n, _)| n % 3 == 0);
    for (_, path) in photographs {
        let bytes = std::fs::read(path).unwrap();
        // Some of them are refused, as they should be.
        server.upload(&[Part::File("file", "photo", &bytes)]).await;
    }
    let serve = server.database.catalog_as(ServiceRole::Serve);
    let blobs: Vec<(i64, i32)> = server
        .database
        .connect()
        .await
        .query("SELECT id, greatest(width, height) FROM blob", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    assert!(blobs.len() > 20, "{}", blobs.len());
    for &(blob, longest) in &blobs {
        // As serve-svc wishes: past the longest side comes the original, or at most one that is as wide as it.
        let widest = NamedWidths::default()
            .at_least(longest.unsigned_abs())
            .unwrap_or(u32::MAX);
        for &width in NamedWidths::default()
            .all()
            .iter()
            .filter(|width| **width <= widest)
        {
            for format in VariantFormat::ALL {
                wish_for_variant(&serve, blob, width, format, server.clock.now())
                    .await
                    .unwrap();
            }
        }
    }
    let originals = bytes_below(&server.blobs());
    server.derive();
    eventually("the end of all of them", async || {
        let due = "SELECT count(*) FROM variant WHERE due_at IS NOT NULL";
        (number(&server, due).await == 0).then_some(())
    })
    .await;
    let variants = bytes_below(&server.blobs().join("variants"));
    let thumbnails =
        "SELECT count(*) FROM variant WHERE named_width = 300 AND format = 'webp' AND sha256 IS NOT NULL";
    let thumbnails = number(&server, thumbnails).await;
    println!(
        "{variants} bytes of {originals}, {thumbnails} thumbnails of {} pictures",
        blobs.len()
    );
    assert!(variants * 100 < originals * 15, "{variants} of {originals}");
    assert!(
        thumbnails > 15,
        "{thumbnails}: lists show thumbnails nevertheless"
    );
    let told = "SELECT coalesce(sum(size_bytes), 0)::bigint FROM variant WHERE sha256 IS NOT NULL";
    assert_eq!(
        number(&server, told).await.unsigned_abs(),
        variants,
        "nothing lies there that no row tells of"
    );
}
