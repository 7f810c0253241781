//! The whole of berth with its blobs in a bucket: nothing of them rests on its own disk, and every promise holds.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;
use test_kit::{Fault, ObjectServer, pictures};

use crate::{
    curl::{Answer, curl},
    stack::{Stack, wait_for},
};

const SOON: Duration = Duration::from_secs(20);

async fn start(server: &ObjectServer) -> Stack {
    let settings = server.settings();
    let mut extra: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    extra.extend([("BERTH_JANITOR_INTERVAL", "1s"), ("BERTH_SWEEP_GRACE", "0s")]);
    Stack::start(&extra).await
}

fn written(stack: &Stack, name: &str, bytes: &[u8]) -> PathBuf {
    let path = stack.folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn text<'a>(image: &'a Value, field: &str) -> &'a str {
    image[field].as_str().unwrap()
}

/// Files below a folder that are no proof.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let below = entries.flat_map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path)
        } else {
            vec![path]
        }
    });
    below
        .filter(|path| !path.to_string_lossy().contains("/.berth/"))
        .collect()
}

fn withdraw(stack: &Stack, image: &Value) {
    let bearer = format!("Authorization: Bearer {}", stack.token);
    let url = format!("{}/v1/images/{}", stack.url, text(image, "id"));
    let answer = curl(&["-X", "DELETE", "-H", &bearer, &url]);
    assert_eq!(answer.status, 204, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_in_a_bucket_is_uploaded_viewed_refused_withdrawn_and_swept() {
    let server = ObjectServer::start().await;
    let stack = start(&server).await;
    let bytes = pictures::png(700, 700, 1);
    assert!(
        bytes.len() > 1 << 20,
        "it goes up ahead of its row: {}",
        bytes.len()
    );
    let image = stack.upload(&written(&stack, "pier.png", &bytes), &["scrub=keep"]);
    let (url, md5) = (text(&image, "url"), text(&image, "md5"));
    let object = server.objects().join(format!("{}/{}.png", &md5[..2], &md5[2..]));
    assert!(std::fs::read(&object).unwrap() == bytes);

    let whole = curl(&[url]);
    assert_eq!((whole.status, whole.body == bytes), (200, true));
    let etag = whole.header("etag").unwrap();
    let part = curl(&[
        "-H",
        "Range: bytes=1000-1999",
        "-H",
        &format!("If-Range: {etag}"),
        url,
    ]);
    assert_eq!((part.status, part.body == bytes[1_000..2_000]), (206, true));
    let last = curl(&["-H", "Range: bytes=-7", url]);
    assert_eq!((last.status, last.body == bytes[bytes.len() - 7..]), (206, true));
    let unchanged = curl(&["-H", &format!("If-None-Match: {etag}"), url]);
    assert_eq!(unchanged.status, 304);
    let elsewhere = curl(&["-H", "Referer: https://thief.example/", url]);
    assert_eq!(elsewhere.status, 403);
    let smaller = wait_for("a smaller copy", SOON, || {
        let answer = curl(&[&format!("{url}?w=160")]);
        (answer.status == 200 && answer.body != bytes).then_some(answer)
    });
    assert!(smaller.header("content-type").unwrap().starts_with("image/"));
    assert!(!files_below(&server.objects().join("variants")).is_empty());

    withdraw(&stack, &image);
    assert_eq!(curl(&[url]).status, 404);
    assert_eq!(curl(&["-H", "Range: bytes=0-9", url]).status, 404);
    wait_for("the sweep", SOON, || {
        files_below(&server.objects()).is_empty().then_some(())
    });
    assert_eq!(server.parts(), 0);
    let on_disk = files_below(&stack.folder.path().join("blobs"));
    assert_eq!(on_disk, Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_from_many_clients_at_once_are_one_object() {
    let server = ObjectServer::start().await;
    let stack = start(&server).await;
    for (name, side) in [("small.png", 40), ("large.png", 700)] {
        let file = written(&stack, name, &pictures::png(side, side, 2));
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let post = || stack.post(&file, &["scrub=keep"]);
            let clients: Vec<_> = (0..16).map(|_| scope.spawn(post)).collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        let images: Vec<Value> = answers
            .iter()
            .map(|answer| {
                assert!(matches!(answer.status, 200 | 201), "{answer:?}");
                answer.json()["images"][0].clone()
            })
            .collect();
        assert!(images.iter().all(|image| image["url"] == images[0]["url"]));
        let md5 = text(&images[0], "md5");
        let objects = files_below(&server.objects().join(&md5[..2]));
        assert_eq!(objects.len(), 1, "{objects:?}");
        assert_eq!(curl(&[text(&images[0], "url")]).status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_away_nobody_waits_and_nothing_is_taken_for_gone() {
    let server = ObjectServer::start().await;
    let stack = start(&server).await;
    let upload = |name: &str, side, seed| {
        let file = written(&stack, name, &pictures::png(side, side, seed));
        stack.upload(&file, &["scrub=keep"])
    };
    let (small, large) = (upload("small.png", 40, 3), upload("large.png", 400, 4));
    let (small, large) = (text(&small, "url"), text(&large, "url"));
    for _ in 0..3 {
        assert_eq!(curl(&[small]).status, 200);
    }
    let etag = curl(&["-I", large]).header("etag").unwrap().to_owned();
    for fault in [Fault::Refuses, Fault::Silent] {
        server.line().has(fault);
        let began = Instant::now();
        let answer = curl(&[large]);
        assert_eq!(answer.status, 503, "{fault:?}: {answer:?}");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{fault:?}");
        assert_eq!(curl(&[small]).status, 200, "it is in memory");
        let unchanged = curl(&["-H", &format!("If-None-Match: {etag}"), large]);
        assert_eq!(unchanged.status, 304, "the row knows");
    }
    let file = written(&stack, "new.png", &pictures::png(40, 40, 5));
    server.line().has(Fault::Refuses);
    let refused = stack.post(&file, &[]);
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.text().contains("store_away"), "{refused:?}");
    server.line().has(Fault::None);
    assert_eq!(curl(&[large]).status, 200);
    assert_eq!(stack.post(&file, &[]).status, 201);
}
