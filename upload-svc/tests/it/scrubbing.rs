//! What is stored of files that tell on people, by every way in.

use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use test_kit::{
    pictures,
    telltales::{self, Telltale},
};

use crate::{
    media::{corpus, holds, stored, upload},
    pictures::assert_problem,
    server::{Part, Server},
};

#[tokio::test]
async fn no_byte_that_is_stored_tells_where_and_by_whom_it_was_taken() {
    let Some(corpus) = corpus() else { return };
    let server = Server::start(&[]).await;
    for name in [
        "jpg_exif_gps.jpg",
        "png_exif_gps.png",
        "webp_exif_gps.webp",
        "avif_exif_gps.avif",
        "mp4_gps.mp4",
    ] {
        let bytes = std::fs::read(corpus.join("generated").join(name)).unwrap();
        assert!(
            holds(&bytes, "SENTINEL_PII"),
            "{name}: there is something to find"
        );
        let image = upload(&server, name, &bytes, &[]).await;
        let stored = stored(&server, &image);
        for word in ["SENTINEL_PII", "GPSLatitude", "12.3456", "65.4321"] {
            assert!(!holds(&stored, word), "{name}: {word}");
        }
        assert!(image["width"].as_u64().is_some(), "{image}");
    }
}

/// Of every format and by every way in: what is stored tells nothing, and its owner finds it by the bytes that were sent.
#[tokio::test]
async fn of_every_format_nothing_is_stored_that_tells_on_people_and_what_was_sent_is_known() {
    let server = Server::start(&[]).await;
    let plain = Server::start(&[("BERTH_SCRUB", "keep")]).await;
    for Telltale { name, bytes } in telltales::all() {
        let sent = upload(&plain, name, &bytes, &[]).await;
        assert_eq!(
            stored(&plain, &sent),
            bytes,
            "{name}: kept as it is where that is asked"
        );
        for way in ["sent", "sent in pieces", "replaced"] {
            let id = match way {
                "sent" => upload(&server, name, &bytes, &[]).await["id"].clone(),
                "replaced" => replaced(&server, name, &bytes).await,
                _ => resumed(&server, &bytes).await,
            };
            let path = format!("/v1/images/{}", id.as_str().unwrap());
            let image = server.get(&path).await.json();
            let found = telltales::found_in(&stored(&server, &image));
            assert_eq!(found, Vec::<&str>::new(), "{name} {way}");
            for query in ["md5", "sha256"] {
                let known = format!("/v1/images/exists?{query}={}", sent[query].as_str().unwrap());
                let answer = server.get(&known).await;
                assert!(
                    answer.body.contains(id.as_str().unwrap()),
                    "{name} {way} by {query}: {answer:?}"
                );
            }
            let gone = server.send("DELETE", &path, &[&server.bearer()], b"").await;
            assert_eq!(gone.status, 204, "{name} {way}: {gone:?}");
        }
    }
    assert!(server.staged().is_empty());
}

/// Another picture whose bytes these take the place of.
async fn replaced(server: &Server, name: &str, bytes: &[u8]) -> Value {
    let seed = name.bytes().map(u64::from).sum();
    let image = upload(server, "other.png", &pictures::png(9, 9, seed), &[]).await;
    let path = format!("/v1/images/{}/content", image["id"].as_str().unwrap());
    let answer = server.send("PUT", &path, &[&server.bearer()], bytes).await;
    assert_eq!(answer.status, 200, "{name}: {answer:?}");
    image["id"].clone()
}

/// The same in pieces, as tus has it; all its metadata is to go.
async fn resumed(server: &Server, bytes: &[u8]) -> Value {
    let length = format!("Upload-Length: {}", bytes.len());
    let headers = [
        &server.bearer(),
        "Tus-Resumable: 1.0.0",
        "Content-Type: application/offset+octet-stream",
        &length,
        // `all`
        "Upload-Metadata: scrub YWxs",
    ];
    let answer = server.send("POST", "/v1/uploads", &headers, bytes).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let place = answer.header("location").unwrap();
    let path = &place[place.find("/v1/").unwrap()..];
    server.get(path).await.json()["image"]["id"].clone()
}

#[tokio::test]
async fn what_can_not_be_taken_out_is_refused_in_words_and_kept_where_that_is_asked() {
    let server = Server::start(&[]).await;
    let film = telltales::all()
        .into_iter()
        .find(|file| file.name == "phone.mp4")
        .unwrap();
    let fragments = [film.bytes, b"\0\0\0\x08moof".to_vec()].concat();
    let refused = server.upload(&[Part::File("file", "a.mp4", &fragments)]).await;
    assert_problem(&refused, 422, "not_decodable");
    assert!(refused.body.contains("scrub=keep"), "{refused:?}");
    assert!(server.staged().is_empty());
    upload(&server, "a.mp4", &fragments, &[("scrub", "keep")]).await;
}

#[tokio::test]
async fn the_digests_that_lsky_shows_are_those_of_what_is_shown() {
    let server = Server::start(&[]).await;
    let Telltale { name, bytes } = telltales::all().remove(0);
    let part = Part::File("file", name, &bytes);
    let answer = server.post("/api/v1/upload", &[&server.bearer()], &[part]).await;
    let data = answer.json()["data"].clone();
    let stored = stored(
        &server,
        &json!({ "md5": data["md5"], "url": data["links"]["url"] }),
    );
    assert_ne!(stored, bytes);
    assert_eq!(data["sha1"], json!(hex::encode(Sha1::digest(&stored))), "{data}");
}
