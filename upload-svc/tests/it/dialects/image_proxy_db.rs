//! `/download_db`: the file as `SQLite` itself reads it.

use catalog::Role;
use domain::Scope;
use rusqlite::Connection;
use serde_json::json;
use test_kit::pictures;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    people::{PASSWORD, sign_up},
    server::{Part, Server},
};

const PATH: &str = "/download_db";
const ROOT: &str = "username=root&password=correct+horse+battery";

/// Rows of `images`: name, width, accesses, size and path of each, in the order of the MD5s.
type Rows = Vec<(String, String, Option<u32>, i64, i64, String)>;

/// The head of an answer and its bytes, which are no text.
async fn download(server: &Server) -> (String, Vec<u8>) {
    assert_eq!(PASSWORD, "correct horse battery");
    let mut stream = server.connect().await;
    let request = format!("GET {PATH}?{ROOT} HTTP/1.1\r\nHost: img.example\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let body = answer.split_off(end + 4);
    (String::from_utf8(answer).unwrap(), body)
}

fn read(file: &[u8]) -> Rows {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("images.db");
    std::fs::write(&path, file).unwrap();
    let database = Connection::open(&path).unwrap();
    let mut statement = database
        .prepare("SELECT md5, original_name, width, access_count, file_size, path FROM images ORDER BY md5")
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
        ))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn an_administrator_gets_every_live_content_once() {
    let server = Server::start(&[]).await;
    sign_up(&server, "root", Role::Admin).await;
    for name in ["bob", "eve"] {
        sign_up(&server, name, Role::Member).await;
    }
    let upload = async |who: &str, name: &str, png: &[u8]| {
        let path = format!("/upload?username={who}&password=correct+horse+battery");
        server
            .post(&path, &[], &[Part::File("file", name, png)])
            .await
            .json()
    };
    let (red, blue, gone, over) = (
        pictures::png(9, 5, 1),
        pictures::png(8, 5, 2),
        pictures::png(7, 5, 3),
        pictures::png(6, 5, 4),
    );
    let private = [
        Part::File("file", "私.png", &blue),
        Part::Text("visibility", "private"),
    ];
    let blue_md5 = server.upload(&private).await.json()["images"][0]["md5"]
        .as_str()
        .unwrap()
        .to_owned();
    let first = upload("bob", "红 red.png", &red).await;
    upload("bob", "again.png", &red).await;
    upload("eve", "mine.png", &red).await;
    let withdrawn = [Part::File("file", "gone.png", &gone)];
    let withdrawn = server.upload(&withdrawn).await.json()["images"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1/images/{withdrawn}");
    server.send("DELETE", &path, &[&server.bearer()], b"").await;
    server
        .upload(&[
            Part::File("file", "over.png", &over),
            Part::Text("expires_in", "60s"),
        ])
        .await;
    server.clock.advance(jiff::SignedDuration::from_secs(61));

    let (head, file) = download(&server).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let head = head.to_ascii_lowercase();
    for line in [
        "content-disposition: attachment; filename=\"images.db\"",
        &format!("content-length: {}", file.len()),
        "cache-control: no-store",
    ] {
        assert!(head.contains(line), "{head} lacks {line}");
    }
    let key = |md5: &str| format!("{}/{}.png", &md5[..2], &md5[2..]);
    let red_md5 = first["md5"].as_str().unwrap();
    let mut expected: Rows = vec![
        (
            red_md5.to_owned(),
            "红 red.png".to_owned(),
            Some(9),
            1,
            i64::try_from(red.len()).unwrap(),
            key(red_md5),
        ),
        (
            blue_md5.clone(),
            "私.png".to_owned(),
            Some(8),
            0,
            i64::try_from(blue.len()).unwrap(),
            key(&blue_md5),
        ),
    ];
    expected.sort();
    assert_eq!(read(&file), expected);
    assert!(server.staged().is_empty(), "nothing of it stays");
}

#[tokio::test]
async fn nobody_else_gets_it() {
    let server = Server::start(&[]).await;
    let root = sign_up(&server, "root", Role::Admin).await;
    sign_up(&server, "bob", Role::Member).await;
    let narrow = test_kit::token(
        &server.database,
        root,
        &[Scope::Upload, Scope::Read, Scope::Manage],
    )
    .await;
    let missing = json!([
        { "type": "missing", "loc": ["query", "username"], "msg": "Field required", "input": null },
        { "type": "missing", "loc": ["query", "password"], "msg": "Field required", "input": null },
    ]);
    let denied = json!("权限不足，请联系管理员");
    for (method, query, header, status, detail) in [
        ("GET", "", "Accept: */*".to_owned(), 422, &missing),
        (
            "GET",
            "?username=root&password=wrong",
            "Accept: */*".to_owned(),
            403,
            &denied,
        ),
        (
            "GET",
            "?username=bob&password=correct+horse+battery",
            "Accept: */*".to_owned(),
            403,
            &denied,
        ),
        // A token of an administrator's that may not manage the host.
        (
            "GET",
            "",
            format!("Authorization: Bearer {}", narrow.expose()),
            403,
            &denied,
        ),
        ("GET", "", server.bearer(), 403, &denied),
        ("POST", "", server.bearer(), 405, &json!("Method Not Allowed")),
        ("HEAD", "", server.bearer(), 405, &json!(null)),
    ] {
        let answer = server
            .send(method, &format!("{PATH}{query}"), &[&header], b"")
            .await;
        assert_eq!(answer.status, status, "{method} {query}: {answer:?}");
        if method != "HEAD" {
            assert_eq!(answer.json(), json!({ "detail": detail }), "{method} {query}");
        }
    }
    let (head, _) = download(&server).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let off = Server::start(&[("BERTH_DIALECTS", "lsky")]).await;
    assert_eq!(off.get(PATH).await.status, 404);
}

#[tokio::test]
async fn many_contents_come_page_by_page_and_of_two_with_one_md5_the_one_whose_image_is_older() {
    let server = Server::start(&[]).await;
    sign_up(&server, "root", Role::Admin).await;
    let owner = server.account;
    let database = server.database.connect().await;
    // The MD5s come in another order than the rows, and two blobs share each fifth.
    database
        .batch_execute(&format!(
            "INSERT INTO blob (sha256, md5, key, size_bytes, media_type, width, height, links, created_at)
             SELECT sha256(n::text::bytea), substring(sha256((n - CASE WHEN n % 5 = 0 THEN 1 ELSE 0 END)::text::bytea) for 16), 'k' || n,
                    n, 'image/png', 8, 5, 1, '2026-01-01'
             FROM generate_series(1, 3500) AS n;
             INSERT INTO image (public_id, account_id, album_id, blob_id, name, kind, created_at, updated_at)
             SELECT translate(lpad(n::text, 12, '0'), '0', 'A'), {owner}, (SELECT id FROM album WHERE account_id = {owner}),
                    blob.id, n || '.png', 'image', '2026-01-01', '2026-01-01'
             FROM generate_series(1, 3500) AS n JOIN blob ON blob.key = 'k' || n ORDER BY n % 5 <> 0, n"
        ))
        .await
        .unwrap();
    let (_, file) = download(&server).await;
    let rows = read(&file);
    assert_eq!(rows.len(), 2800);
    // The images of every fifth blob came first.
    let shared = rows
        .iter()
        .filter(|(_, name, ..)| name.trim_end_matches(".png").parse::<u32>().unwrap() % 5 == 0);
    assert_eq!(shared.count(), 700);
    assert!(
        rows.iter()
            .all(|(_, name, _, _, size, path)| *name == format!("{size}.png") && *path == format!("k{size}"))
    );
}
