//! What the tests of images and albums share.

use catalog::{NewBlob, NewImage, ServiceRole};
use domain::{Expiry, FileName, Md5, MediaType, PublicId, Sha256, Visibility};
use serde_json::Value;
use test_kit::pictures;

use crate::server::{Answer, Part, Server};

/// Uploads a small picture that no other seed makes, and gives what was answered for it.
pub(crate) async fn upload(server: &Server, seed: u64, options: &[(&str, &str)]) -> Value {
    let png = pictures::png(3, 3, seed);
    let name = format!("{seed}.png");
    let mut parts = vec![Part::File("file", &name, &png)];
    parts.extend(options.iter().map(|(name, value)| Part::Text(name, value)));
    let answer = server.upload(&parts).await;
    assert!(answer.status < 300, "{answer:?}");
    answer.json()["images"][0].clone()
}

/// The id of what [`upload`] gave.
pub(crate) async fn upload_id(server: &Server, seed: u64, options: &[(&str, &str)]) -> String {
    upload(server, seed, options).await["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Sends JSON with the server's own token.
pub(crate) async fn send(server: &Server, method: &str, path: &str, body: &Value) -> Answer {
    server.send_json(method, path, &[&server.bearer()], body).await
}

/// The names of the images of a list, in order.
pub(crate) fn names(list: &Value) -> Vec<String> {
    let images = list["images"].as_array().unwrap_or_else(|| panic!("{list}"));
    images
        .iter()
        .map(|image| image["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Asserts a problem.
pub(crate) fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (status, Some(code)),
        "{answer:?}"
    );
}

/// What the rows count must be what a scan finds: links of blobs, what accounts use, images of albums.
pub(crate) async fn assert_counts_are_true(server: &Server) {
    let client = server.database.connect().await;
    for (what, sql) in [
        (
            "links of blobs",
            "SELECT count(*) FROM blob WHERE links <> (SELECT count(*) FROM image WHERE blob_id = blob.id AND ended_at IS NULL)",
        ),
        (
            "what accounts use",
            "SELECT count(*) FROM account WHERE NOT (used_files, used_bytes) = (
                SELECT count(*), coalesce(sum(blob.size_bytes), 0)::bigint FROM image JOIN blob ON blob.id = image.blob_id
                WHERE account_id = account.id AND ended_at IS NULL)",
        ),
        (
            "images of albums",
            "SELECT count(*) FROM album WHERE images <> (SELECT count(*) FROM image WHERE album_id = album.id AND ended_at IS NULL)",
        ),
        (
            "sizes of images",
            "SELECT count(*) FROM image JOIN blob ON blob.id = image.blob_id WHERE image.size_bytes IS DISTINCT FROM blob.size_bytes",
        ),
    ] {
        let wrong: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
        assert_eq!(wrong, 0, "{what}");
    }
}

/// A row of an image without any bytes: for lists, which look at rows alone.
pub(crate) async fn publish_row(
    server: &Server,
    name: &str,
    size_bytes: u64,
    media_type: MediaType,
) -> PublicId {
    let random: [u8; 16] = process::random();
    let new = NewImage {
        public_id: PublicId::from_random(random),
        account_id: server.account,
        album_id: None,
        blob: NewBlob {
            md5: Md5(random),
            sha256: Sha256([random, random].concat().try_into().unwrap()),
            size_bytes,
            media_type,
            dimensions: None,
            camera: None,
        },
        name: FileName::clean(name, "x"),
        description: String::new(),
        visibility: Visibility::Public,
        expiry: Expiry::Never,
        ends_by_policy: false,
        client_address: None,
        origin: catalog::Origin::default(),
    };
    let catalog = server.database.catalog_as(ServiceRole::Upload);
    let published = catalog::publish(&catalog, &new, server.clock.now(), |_| async {
        Ok::<_, String>(())
    })
    .await;
    published.unwrap().image.public_id
}
