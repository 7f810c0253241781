//! What is in the files: dates, kinds, metadata that is taken out, batches that are taken whole.

use std::path::{Path, PathBuf};

use catalog::Role;
use serde_json::{Value, json};
use test_kit::pictures;

use crate::{
    people::{sign_in, sign_up},
    pictures::{assert_counts_are_true, assert_problem, names},
    server::{Part, Server},
};

/// A JPEG that says who made its camera, tells on somebody, and knows when it was taken, where.
fn photograph(seed: u64, taken: &str, zone: Option<&str>) -> Vec<u8> {
    let text = |text: &str| format!("{text}\0").into_bytes();
    let (taken, zone) = (text(taken), zone.map(text));
    let mut exposure = vec![(0x9003, 2, taken.as_slice()), (0xa431, 2, b"SECRET serial\0")];
    exposure.extend(zone.as_ref().map(|zone| (0x9011, 2, zone.as_slice())));
    let main = [
        (0x010e, 2, b"SECRET words\0".as_slice()),
        (0x010f, 2, b"ACME camera\0"),
    ];
    pictures::jpeg_with_exif(seed, &pictures::exif(&main, &exposure))
}

pub(crate) async fn upload(server: &Server, name: &str, bytes: &[u8], options: &[(&str, &str)]) -> Value {
    let mut parts = vec![Part::File("file", name, bytes)];
    parts.extend(options.iter().map(|(name, value)| Part::Text(name, value)));
    let answer = server.upload(&parts).await;
    assert!(answer.status < 300, "{answer:?}");
    answer.json()["images"][0].clone()
}

pub(crate) fn stored(server: &Server, image: &Value) -> Vec<u8> {
    let md5 = image["md5"].as_str().unwrap();
    let extension = Path::new(image["url"].as_str().unwrap()).extension().unwrap();
    let file = Path::new(&md5[2..]).with_extension(extension);
    std::fs::read(server.blobs().join(&md5[..2]).join(file)).unwrap()
}

pub(crate) fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

async fn list(server: &Server, query: &str) -> Value {
    let answer = server.get(&format!("/v1/images?{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

pub(crate) fn corpus() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if !root.is_dir() {
        eprintln!("skipped: there is no corpus beside this repository");
        return None;
    }
    Some(root)
}

#[tokio::test]
async fn images_are_filed_by_the_day_on_the_wall_where_they_were_taken() {
    let server = Server::start(&[]).await;
    let dated = photograph(1, "2025:01:02 01:30:00", Some("+08:00"));
    let image = upload(&server, "shanghai.jpg", &dated, &[]).await;
    assert_eq!(
        [&image["taken_at"], &image["taken_zone"], &image["taken_source"]],
        [
            &json!("2025-01-02T01:30:00+08:00"),
            &json!("+08:00"),
            &json!("exif_original")
        ]
    );
    let zoneless = upload(
        &server,
        "somewhere.jpg",
        &photograph(2, "2025:01:02 23:30:00", None),
        &[],
    )
    .await;
    assert_eq!(
        [&zoneless["taken_at"], &zoneless["taken_zone"]],
        [&json!("2025-01-02T23:30:00Z"), &Value::Null]
    );
    for (seed, nonsense) in [
        (3, "0000:00:00 00:00:00"),
        (4, "2099:01:01 00:00:00"),
        (5, "1904:01:01 00:00:00"),
    ] {
        let image = upload(
            &server,
            &format!("{seed}.jpg"),
            &photograph(seed, nonsense, None),
            &[],
        )
        .await;
        assert_eq!(image["taken_at"], Value::Null, "{nonsense}");
    }
    for (query, expected) in [
        (
            "taken_from=2025-01-02&taken_to=2025-01-02&sort=oldest",
            vec!["shanghai.jpg", "somewhere.jpg"],
        ),
        // In UTC it was still the first.
        ("taken_to=2025-01-01", vec![]),
        ("taken_from=2025-01-03", vec![]),
        ("taken_to=2025-01-01T18:00:00Z", vec!["shanghai.jpg"]),
        ("no_date=true&sort=oldest", vec!["3.jpg", "4.jpg", "5.jpg"]),
        ("no_date=true&kind=video", vec![]),
        ("sort=taken&limit=2", vec!["somewhere.jpg", "shanghai.jpg"]),
    ] {
        assert_eq!(names(&list(&server, query).await), expected, "{query}");
    }
}

#[tokio::test]
async fn a_scrubbed_file_is_known_by_what_was_sent_and_by_what_is_stored() {
    let server = Server::start(&[]).await;
    let sent = photograph(1, "2025:01:02 01:30:00", None);
    // A server that leaves files as they are tells what their digests are.
    let plain = Server::start(&[("BERTH_SCRUB", "keep")]).await;
    let plain = upload(&plain, "a.jpg", &sent, &[]).await;
    let known = (plain["md5"].as_str().unwrap(), plain["sha256"].as_str().unwrap());
    let image = upload(
        &server,
        "a.jpg",
        &sent,
        &[("checksum", &format!("md5={}", known.0))],
    )
    .await;
    let bytes = stored(&server, &image);
    assert!(holds(&sent, "SECRET") && !holds(&bytes, "SECRET"));
    assert!(holds(&bytes, "ACME camera"), "what tells on nobody stays");
    assert_ne!(image["md5"], json!(known.0));
    for query in [
        format!("md5={}", known.0),
        format!("sha256={}", known.1),
        format!("md5={}", image["md5"].as_str().unwrap()),
    ] {
        let answer = server.get(&format!("/v1/images/exists?{query}")).await;
        assert!(
            answer.body.contains(image["id"].as_str().unwrap()),
            "{query}: {answer:?}"
        );
    }
    let again = upload(&server, "b.jpg", &sent, &[]).await;
    assert_eq!(
        (&again["status"], &again["id"]),
        (&json!("existing"), &image["id"])
    );
    assert!(server.staged().is_empty());
    let wrong = server
        .upload(&[
            Part::File("file", "a.jpg", &sent),
            Part::Text("checksum", &format!("md5={}", image["md5"].as_str().unwrap())),
        ])
        .await;
    assert_problem(&wrong, 422, "checksum_mismatch");
    assert_counts_are_true(&server).await;
}

#[tokio::test]
async fn what_goes_is_said_by_the_upload_else_the_account_else_the_settings() {
    let server = Server::start(&[("BERTH_SCRUB", "all")]).await;
    let kept = |seed| photograph(seed, "2025:01:02 01:30:00", None);
    let by_settings = stored(&server, &upload(&server, "a.jpg", &kept(1), &[]).await);
    assert!(!holds(&by_settings, "SECRET") && !holds(&by_settings, "ACME"));
    let client = server.database.connect().await;
    client
        .execute("UPDATE account SET scrub = 'keep'", &[])
        .await
        .unwrap();
    let by_account = stored(&server, &upload(&server, "b.jpg", &kept(2), &[]).await);
    assert_eq!(by_account, kept(2));
    let by_upload = stored(
        &server,
        &upload(&server, "c.jpg", &kept(3), &[("scrub", "location")]).await,
    );
    assert!(!holds(&by_upload, "SECRET") && holds(&by_upload, "ACME"));
}

#[tokio::test]
async fn a_picture_that_ends_early_is_refused_in_words_and_taken_by_its_header_where_that_is_asked() {
    let png = pictures::png(40, 40, 1);
    let cut = &png[..png.len() / 2];
    let jpeg = pictures::jpeg(80, 80, 1);
    let cut_jpeg = &jpeg[..jpeg.len() - 20];
    let server = Server::start(&[]).await;
    for (name, bytes) in [("a.png", cut), ("a.jpg", cut_jpeg)] {
        let answer = server.upload(&[Part::File("file", name, bytes)]).await;
        assert_problem(&answer, 422, "not_decodable");
        assert!(
            answer.json()["detail"]
                .as_str()
                .is_some_and(|detail| detail.len() > 10),
            "{answer:?}"
        );
    }
    assert!(server.staged().is_empty());
    let lenient = Server::start(&[("BERTH_VALIDATION", "header")]).await;
    let answer = lenient.upload(&[Part::File("file", "a.jpg", cut_jpeg)]).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[tokio::test]
async fn a_batch_that_is_all_or_nothing_is_nothing_when_one_file_is_bad() {
    let server = Server::start(&[]).await;
    let (good, other) = (pictures::png(3, 3, 1), pictures::png(3, 3, 2));
    let parts = [
        Part::File("file", "good.png", &good),
        Part::File("file", "bad.png", b"nothing"),
        Part::Text("atomic", "true"),
    ];
    let refused = server.upload(&parts).await;
    assert_problem(&refused, 415, "type_not_allowed");
    assert_eq!(
        (&refused.json()["file"], &refused.json()["name"]),
        (&json!(1), &json!("bad.png"))
    );
    assert_eq!(names(&list(&server, "").await), Vec::<String>::new());
    let taken = server
        .upload(&[
            Part::File("file", "good.png", &good),
            Part::File("file", "other.png", &other),
            Part::Text("atomic", "true"),
        ])
        .await;
    assert_eq!(taken.status, 201, "{taken:?}");
    assert_eq!(taken.json()["images"].as_array().unwrap().len(), 2);
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn a_batch_that_does_not_fit_the_quota_as_a_whole_leaves_nothing() {
    let server = Server::start(&[]).await;
    let client = server.database.connect().await;
    client
        .execute("UPDATE account SET quota_files = 2", &[])
        .await
        .unwrap();
    let pictures: Vec<Vec<u8>> = (1..4).map(|seed| pictures::png(3, 3, seed)).collect();
    let mut parts: Vec<Part<'_>> = pictures
        .iter()
        .map(|bytes| Part::File("file", "a.png", bytes))
        .collect();
    parts.push(Part::Text("atomic", "true"));
    let refused = server.upload(&parts).await;
    assert_problem(&refused, 507, "quota_exceeded");
    assert_eq!(names(&list(&server, "").await), Vec::<String>::new());
    assert_counts_are_true(&server).await;
}

#[tokio::test]
async fn an_administrator_says_what_is_taken_out_of_an_accounts_files() {
    let server = Server::start(&[]).await;
    sign_up(&server, "root", Role::Admin).await;
    let admin = sign_in(&server, "root").await;
    let path = format!("/v1/users/{}", server.account);
    for word in [json!("all"), Value::Null] {
        let answer = server
            .send_json("PATCH", &path, &[&admin], &json!({ "scrub": word }))
            .await;
        assert_eq!(
            (answer.status, &answer.json()["scrub"]),
            (200, &word),
            "{answer:?}"
        );
    }
    let wrong = server
        .send_json("PATCH", &path, &[&admin], &json!({ "scrub": "some" }))
        .await;
    assert_problem(&wrong, 400, "malformed_body");
}
