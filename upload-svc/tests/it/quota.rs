//! Quotas.

use std::sync::Arc;

use test_kit::pictures;

use crate::{
    pictures::{assert_counts_are_true, assert_problem, upload, upload_id},
    server::{Part, Server},
};

async fn allow(server: &Server, files: Option<i64>, bytes: Option<i64>) {
    let client = server.database.connect().await;
    client
        .execute(
            "UPDATE account SET quota_files = $2, quota_bytes = $3 WHERE id = $1",
            &[&server.account, &files, &bytes],
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn a_quota_that_is_used_up_refuses_and_withdrawing_makes_room() {
    let server = Server::start(&[]).await;
    allow(&server, Some(2), None).await;
    let (a, _b) = (upload_id(&server, 1, &[]).await, upload_id(&server, 2, &[]).await);
    let png = pictures::png(3, 3, 3);
    let full = server.upload(&[Part::File("file", "c.png", &png)]).await;
    assert_problem(&full, 507, "quota_exceeded");
    server
        .send("DELETE", &format!("/v1/images/{a}"), &[&server.bearer()], b"")
        .await;
    assert_eq!(
        server.upload(&[Part::File("file", "c.png", &png)]).await.status,
        201
    );
    let restored = server
        .send(
            "POST",
            &format!("/v1/images/{a}/restore"),
            &[&server.bearer()],
            b"",
        )
        .await;
    assert_problem(&restored, 507, "quota_exceeded");
    assert_counts_are_true(&server).await;
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn a_declared_size_that_can_not_fit_is_refused_before_the_body() {
    let server = Server::start(&[]).await;
    allow(&server, None, Some(1_000_000)).await;
    let mut stream = server.connect().await;
    let head = format!(
        "POST /v1/images HTTP/1.1\r\nHost: x\r\n{}\r\nExpect: 100-continue\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 2000000\r\n\r\n",
        server.bearer()
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes())
        .await
        .unwrap();
    // Nothing of the body is ever sent.
    let answer = crate::server::read_answer(&mut stream).await;
    assert_problem(&answer, 507, "quota_exceeded");
}

#[tokio::test]
async fn bytes_are_filled_to_the_last_one_and_a_replacement_may_not_grow_past_it() {
    let server = Server::start(&[]).await;
    let (small, large) = (pictures::png(3, 3, 1), pictures::png(60, 60, 2));
    allow(&server, None, Some(i64::try_from(small.len() + 1).unwrap())).await;
    let id = upload(&server, 1, &[]).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/images/{id}/content");
    assert_problem(
        &server.send("PUT", &path, &[&server.bearer()], &large).await,
        507,
        "quota_exceeded",
    );
    allow(&server, None, Some(i64::try_from(large.len()).unwrap())).await;
    assert_eq!(
        server
            .send("PUT", &path, &[&server.bearer()], &large)
            .await
            .status,
        200
    );
    allow(&server, None, Some(1)).await;
    assert_eq!(
        server
            .send("PUT", &path, &[&server.bearer()], &small)
            .await
            .status,
        200,
        "what shrinks always fits"
    );
    assert_counts_are_true(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_uploads_at_once_never_pass_the_quota() {
    let server = Arc::new(Server::start(&[]).await);
    allow(&server, Some(7), None).await;
    let uploads: Vec<_> = (0..40u64)
        .map(|seed| {
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                let png = pictures::png(3, 3, seed);
                server.upload(&[Part::File("file", "a.png", &png)]).await.status
            })
        })
        .collect();
    let mut made = 0;
    for upload in uploads {
        match upload.await.unwrap() {
            201 => made += 1,
            507 => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!(made, 7);
    assert_counts_are_true(&server).await;
    assert!(server.staged().is_empty());
}
