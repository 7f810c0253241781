//! `GET /v1/images` and `/v1/images/exists`.

use catalog::Role;
use domain::{MediaType, Scope};
use jiff::SignedDuration;
use serde_json::json;
use test_kit::pictures;

use crate::{
    people::sign_up,
    pictures::{assert_problem, names, publish_row, send, upload, upload_id},
    server::{Part, Server},
};

/// Every name of a list, page by page.
async fn walk(server: &Server, query: &str) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), String::new());
    for _ in 0..100 {
        let page = server.get(&format!("/v1/images?{query}{after}")).await.json();
        all.extend(names(&page));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
    panic!("the list has no end: {all:?}");
}

async fn ten(server: &Server) {
    for number in 0..10u64 {
        let media_type = if number % 5 == 4 {
            MediaType::Mp4
        } else {
            MediaType::Png
        };
        // Sizes repeat, so that ties are broken by the row.
        publish_row(
            server,
            &format!("{}{number}.png", if number % 2 == 0 { 'a' } else { 'B' }),
            100 + number / 2,
            media_type,
        )
        .await;
        server.clock.advance(SignedDuration::from_secs(1));
    }
}

#[tokio::test]
async fn every_sort_walks_through_everything_once_in_order() {
    let server = Server::start(&[]).await;
    ten(&server).await;
    let newest: Vec<String> = walk(&server, "").await;
    assert_eq!(newest.len(), 10);
    assert_eq!(newest.first().unwrap(), "B9.png");
    let oldest: Vec<String> = newest.iter().rev().cloned().collect();
    let by_name =
        ["a0", "a2", "a4", "a6", "a8", "B1", "B3", "B5", "B7", "B9"].map(|name| format!("{name}.png"));
    for limit in [1, 3, 10, 200] {
        assert_eq!(walk(&server, &format!("limit={limit}")).await, newest);
        assert_eq!(walk(&server, &format!("limit={limit}&sort=newest")).await, newest);
        assert_eq!(walk(&server, &format!("limit={limit}&sort=oldest")).await, oldest);
        assert_eq!(walk(&server, &format!("limit={limit}&sort=size")).await, newest);
        assert_eq!(walk(&server, &format!("limit={limit}&sort=name")).await, by_name);
        assert_eq!(
            walk(&server, &format!("limit={limit}&sort=taken")).await,
            newest,
            "undated ones by their upload's row"
        );
    }
}

#[tokio::test]
async fn dated_images_come_before_undated_ones_and_are_filtered_by_day() {
    let server = Server::start(&[]).await;
    ten(&server).await;
    let client = server.database.connect().await;
    for (name, taken) in [
        ("a0.png", "2024-05-01T10:00:00Z"),
        ("a2.png", "2024-05-02T00:00:00Z"),
        ("a4.png", "2023-01-01T00:00:00Z"),
    ] {
        let taken: jiff::Timestamp = taken.parse().unwrap();
        client
            .execute("UPDATE image SET taken_at = $2 WHERE name = $1", &[&name, &taken])
            .await
            .unwrap();
    }
    let all = walk(&server, "sort=taken&limit=2").await;
    assert_eq!(all[..3], ["a2.png", "a0.png", "a4.png"]);
    assert_eq!(all.len(), 10);
    for (query, expected) in [
        ("taken_from=2024-05-01&taken_to=2024-05-01", &["a0.png"][..]),
        ("taken_from=2024-05-01", &["a2.png", "a0.png"]),
        ("taken_to=2023-12-31", &["a4.png"]),
        ("sort=taken&taken_to=2024-05-01T10:00:00Z", &["a4.png"]),
        (
            "sort=taken&taken_to=2024-05-01T10:00:01Z&limit=1",
            &["a0.png", "a4.png"],
        ),
    ] {
        assert_eq!(walk(&server, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn filters_narrow_alone_and_together() {
    let server = Server::start(&[]).await;
    ten(&server).await;
    let album = send(&server, "POST", "/v1/albums", &json!({ "name": "假日" }))
        .await
        .json()["id"]
        .clone();
    let album_text = album.to_string();
    upload(
        &server,
        50,
        &[
            ("name", "日落 sunset.png"),
            ("album", &album_text),
            ("description", "在 Kreta 的截图"),
            ("visibility", "private"),
            ("expires_in", "2d"),
        ],
    )
    .await;
    let client = server.database.connect().await;
    client
        .execute("INSERT INTO view_count SELECT id, 1, 1, created_at + interval '1 hour' FROM image WHERE name = 'a0.png'", &[])
        .await
        .unwrap();
    let sunset = "日落 sunset.png";
    for (query, expected) in [
        (format!("album={album}"), vec![sunset]),
        ("q=sunset".into(), vec![sunset]),
        ("q=SUNSET".into(), vec![sunset]),
        ("q=%E6%97%A5%E8%90%BD".into(), vec![sunset]),
        ("q=%E6%88%AA%E5%9B%BE".into(), vec![sunset]),
        ("q=%E6%88%AA".into(), vec![sunset]),
        ("q=kreta".into(), vec![sunset]),
        ("q=%25".into(), vec![]),
        ("q=_".into(), vec![]),
        ("q=B1.png".into(), vec!["B1.png"]),
        ("kind=video".into(), vec!["B9.png", "a4.png"]),
        ("kind=video&q=a4".into(), vec!["a4.png"]),
        ("visibility=private".into(), vec![sunset]),
        ("visibility=private&kind=video".into(), vec![]),
        ("expiring_before=2026-12-01".into(), vec![sunset]),
        ("expiring_before=2026-11-22".into(), vec![]),
        (
            "uploaded_to=2026-11-21T00:00:02Z".into(),
            vec!["B1.png", "a0.png"],
        ),
        (
            "uploaded_from=2026-11-21T00:00:09Z".into(),
            vec![sunset, "B9.png"],
        ),
        ("unused_since=2026-11-21T00:30:00Z&q=a0".into(), vec![]),
        ("unused_since=2026-11-21T02:00:00Z&q=a0".into(), vec!["a0.png"]),
        ("unused_since=2026-11-21T00:30:00Z&q=a2".into(), vec!["a2.png"]),
        ("album=999999".into(), vec![]),
    ] {
        assert_eq!(walk(&server, &query).await, expected, "{query}");
        assert_eq!(
            walk(&server, &format!("{query}&limit=1&sort=newest")).await,
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn pages_stay_in_place_while_images_come_and_go() {
    let server = Server::start(&[]).await;
    ten(&server).await;
    let first = server.get("/v1/images?limit=4").await.json();
    assert_eq!(names(&first), ["B9.png", "a8.png", "B7.png", "a6.png"]);
    publish_row(&server, "new.png", 1, MediaType::Png).await;
    // The image that the page ended with goes away; the next one begins behind its place.
    let gone = first["images"][3]["id"].as_str().unwrap();
    assert_eq!(
        server
            .send("DELETE", &format!("/v1/images/{gone}"), &[&server.bearer()], b"")
            .await
            .status,
        204
    );
    let next = first["next"].as_str().unwrap();
    let second = server
        .get(&format!("/v1/images?limit=4&after={next}"))
        .await
        .json();
    assert_eq!(names(&second), ["B5.png", "a4.png", "B3.png", "a2.png"]);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_alone() {
    let server = Server::start(&[]).await;
    ten(&server).await;
    let next = server.get("/v1/images?limit=1&sort=name").await.json()["next"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        server
            .get(&format!("/v1/images?limit=2&sort=name&after={next}"))
            .await
            .status,
        200
    );
    for query in ["sort=size", "", "sort=name&kind=image", "sort=name&ended=true"] {
        assert_problem(
            &server.get(&format!("/v1/images?{query}&after={next}")).await,
            400,
            "cursor_mismatch",
        );
    }
    assert_problem(&server.get("/v1/images?after=17").await, 400, "invalid_cursor");
    for query in [
        "limit=0",
        "limit=201",
        "sort=views",
        "kind=audio",
        "taken_from=soon",
    ] {
        assert_problem(
            &server.get(&format!("/v1/images?{query}")).await,
            400,
            "invalid_field",
        );
    }
}

#[tokio::test]
async fn members_see_their_own_and_an_administrator_sees_all_when_asking_for_it() {
    let server = Server::start(&[]).await;
    ten(&server).await;
    let root = sign_up(&server, "root", Role::Admin).await;
    let admin = test_kit::token(&server.database, root, &[Scope::Read, Scope::Admin]).await;
    let (all, reads) = (
        format!("Authorization: Bearer {}", admin.expose()),
        test_kit::token(&server.database, root, &[Scope::Read]).await,
    );
    let narrow = format!("Authorization: Bearer {}", reads.expose());
    let get = async |path: &str, header: &str| server.send("GET", path, &[header], b"").await;
    assert_eq!(
        names(&get("/v1/images", &all).await.json()).len(),
        0,
        "an administrator's own"
    );
    for sort in ["newest", "oldest", "taken", "name", "size"] {
        let page = get(&format!("/v1/images?all=true&limit=4&sort={sort}"), &all)
            .await
            .json();
        assert_eq!(names(&page).len(), 4, "{sort}");
        let next = page["next"].as_str().unwrap();
        let rest = get(&format!("/v1/images?all=true&sort={sort}&after={next}"), &all)
            .await
            .json();
        assert_eq!(names(&rest).len(), 6, "{sort}");
    }
    assert_eq!(
        names(&get("/v1/images?all=true&kind=video", &all).await.json()).len(),
        2
    );
    assert_problem(&get("/v1/images?all=true", &narrow).await, 403, "scope_missing");
    assert_problem(&server.get("/v1/images?all=true").await, 403, "scope_missing");
}

#[tokio::test]
async fn what_has_ended_is_listed_apart() {
    let server = Server::start(&[]).await;
    let (first, _second) = (upload_id(&server, 1, &[]).await, upload_id(&server, 2, &[]).await);
    server
        .send("DELETE", &format!("/v1/images/{first}"), &[&server.bearer()], b"")
        .await;
    assert_eq!(walk(&server, "").await, ["2.png"]);
    for sort in ["newest", "oldest", "taken", "name", "size"] {
        let ended = server
            .get(&format!("/v1/images?ended=true&sort={sort}"))
            .await
            .json();
        assert_eq!(names(&ended), ["1.png"]);
        assert_eq!(ended["images"][0]["ended_by"], "withdrawn");
    }
}

#[tokio::test]
async fn bytes_are_found_among_ones_own_live_images() {
    let server = Server::start(&[]).await;
    let image = upload(&server, 7, &[]).await;
    let (md5, sha256, id) = (
        image["md5"].as_str().unwrap(),
        image["sha256"].as_str().unwrap(),
        image["id"].as_str().unwrap(),
    );
    let bob = test_kit::account(&server.database, "bob").await;
    let bobs = test_kit::token(&server.database, bob, &[Scope::Read]).await;
    let as_bob = format!("Authorization: Bearer {}", bobs.expose());
    for query in [
        format!("md5={md5}"),
        format!("md5={}", md5.to_uppercase()),
        format!("sha256={sha256}"),
    ] {
        let path = format!("/v1/images/exists?{query}");
        let found = server.get(&path).await.json();
        assert_eq!(
            (&found["exists"], &found["images"][0]["id"]),
            (&true.into(), &id.into())
        );
        let others = server.send("GET", &path, &[&as_bob], b"").await.json();
        assert_eq!(
            others,
            json!({ "exists": false, "images": [] }),
            "a hash opens nobody else's image"
        );
    }
    assert_problem(
        &server.get("/v1/images/exists?md5=7d").await,
        400,
        "invalid_field",
    );
    assert_problem(&server.get("/v1/images/exists").await, 400, "invalid_field");
    server
        .send("DELETE", &format!("/v1/images/{id}"), &[&server.bearer()], b"")
        .await;
    assert_eq!(
        server.get(&format!("/v1/images/exists?md5={md5}")).await.json()["exists"],
        false
    );
}

#[tokio::test]
async fn a_checksum_must_fit_the_bytes() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let server = Server::start(&[]).await;
    let png = pictures::png(3, 3, 9);
    let image = server.upload(&[Part::File("file", "a.png", &png)]).await.json()["images"][0].clone();
    let hex = |name: &str| image[name].as_str().unwrap().to_owned();
    let base64 = |text: &str| {
        let bytes: Vec<u8> = (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect();
        STANDARD.encode(bytes)
    };
    let (md5, sha256) = (base64(&hex("md5")), base64(&hex("sha256")));
    let wrong = base64(&"0".repeat(64));
    for (field, header, status) in [
        (format!("md5={}", hex("md5")), String::new(), 200),
        (format!("sha256={}", hex("sha256")), String::new(), 200),
        (format!("sha256={}", "0".repeat(64)), String::new(), 422),
        (String::new(), format!("Content-MD5: {md5}"), 200),
        (String::new(), format!("Digest: SHA-256={sha256}"), 200),
        (String::new(), format!("Content-Digest: sha-256=:{sha256}:"), 200),
        (String::new(), format!("Content-Digest: sha-256=:{wrong}:"), 422),
        (
            format!("md5={}", hex("md5")),
            format!("Digest: SHA-256={wrong}"),
            422,
        ),
        ("nonsense".to_owned(), String::new(), 400),
    ] {
        let parts = [Part::Text("checksum", &field), Part::File("file", "a.png", &png)];
        let mut headers = vec![server.bearer()];
        headers.extend((!header.is_empty()).then_some(header.clone()));
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let answer = server.post("/v1/images", &headers, &parts).await;
        assert_eq!(answer.status, status, "{field} {header}: {answer:?}");
        if status == 422 {
            assert_eq!(answer.json()["code"], "checksum_mismatch");
        }
    }
    let other = pictures::png(3, 3, 10);
    let several = [
        Part::Text("checksum", &format!("md5={}", hex("md5"))),
        Part::File("file", "a.png", &png),
        Part::File("file", "b.png", &other),
    ];
    assert_problem(&server.upload(&several).await, 400, "invalid_field");
    assert!(server.staged().is_empty());
}
