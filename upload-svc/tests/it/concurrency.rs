//! Many clients at once.

use std::sync::Arc;

use test_kit::pictures;

use crate::server::{Part, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_clients_with_the_same_bytes_make_one_image_over_one_blob() {
    let server = Arc::new(Server::start(&[]).await);
    let png = Arc::new(pictures::png(50, 50, 1));
    let uploads: Vec<_> = (0..100)
        .map(|_| {
            let (server, png) = (Arc::clone(&server), Arc::clone(&png));
            tokio::spawn(async move { server.upload(&[Part::File("file", "a.png", &png)]).await })
        })
        .collect();
    let (mut created, mut ids) = (0, std::collections::BTreeSet::new());
    for upload in uploads {
        let answer = upload.await.unwrap();
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        created += u32::from(answer.status == 201);
        ids.insert(answer.json()["images"][0]["id"].as_str().unwrap().to_owned());
    }
    assert_eq!((created, ids.len()), (1, 1));
    let client = server.database.connect().await;
    let row = client
        .query_one("SELECT count(*), max(links) FROM blob", &[])
        .await
        .unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1, 1));
    let used = client
        .query_one("SELECT used_files FROM account WHERE id = $1", &[&server.account])
        .await
        .unwrap();
    assert_eq!(used.get::<_, i64>(0), 1);
    assert!(server.staged().is_empty());
}
