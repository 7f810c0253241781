//! `PUT /v1/images/{id}/content`.

use std::sync::Arc;

use test_kit::pictures;

use crate::{
    pictures::{assert_counts_are_true, assert_problem, upload, upload_id},
    server::{Answer, BOUNDARY, Part, Server, form},
};

async fn put(server: &Server, id: &str, headers: &[&str], body: &[u8]) -> Answer {
    let bearer = server.bearer();
    let mut all = vec![bearer.as_str()];
    all.extend_from_slice(headers);
    server
        .send("PUT", &format!("/v1/images/{id}/content"), &all, body)
        .await
}

#[tokio::test]
async fn other_bytes_stand_under_the_same_link_and_the_old_ones_are_doomed() {
    let server = Server::start(&[]).await;
    let before = upload(&server, 1, &[("description", "kept")]).await;
    let id = before["id"].as_str().unwrap();
    let (jpeg, gif) = (pictures::jpeg(20, 10, 2), pictures::gif(5, 5, 3));
    let multipart = form(&[Part::File("file", "b.gif", &gif)]);
    let content_type = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}");
    let mut client = server.database.connect().await;
    for (headers, body, media_type, width, size) in [
        (
            vec!["Content-Type: image/jpeg"],
            &jpeg,
            "image/jpeg",
            20,
            // Without its comment: four bytes and `test 2`.
            jpeg.len() - 10,
        ),
        (vec![content_type.as_str()], &multipart, "image/gif", 5, gif.len()),
    ] {
        let old = server.get(&format!("/v1/images/{id}")).await;
        let answer = put(&server, id, &headers, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let image = answer.json();
        assert_eq!(
            (&image["id"], &image["media_type"], &image["width"]),
            (&id.into(), &media_type.into(), &width.into())
        );
        assert_eq!(
            (&image["description"], &image["size_bytes"]),
            (&"kept".into(), &size.into())
        );
        assert_ne!(image["sha256"], old.json()["sha256"]);
        assert_ne!(answer.header("etag"), old.header("etag"));
        let md5 = image["md5"].as_str().unwrap();
        let extension = media_type.trim_start_matches("image/").replace("jpeg", "jpg");
        assert!(
            server
                .blobs()
                .join(&md5[..2])
                .join(format!("{}.{extension}", &md5[2..]))
                .exists()
        );
        assert_counts_are_true(&server).await;
    }
    let transaction = client.transaction().await.unwrap();
    let doomed: i64 = transaction
        .query_one("SELECT count(*) FROM blob WHERE doomed_at IS NOT NULL", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(doomed, 2, "the two that were replaced");
    let events: i64 = transaction
        .query_one(
            "SELECT count(*) FROM event WHERE kind = 'replace' AND subject = $1",
            &[&id],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(events, 2);
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn a_replacement_that_can_not_be_changes_nothing() {
    let server = Server::start(&[]).await;
    let (first, second) = (upload_id(&server, 1, &[]).await, upload_id(&server, 2, &[]).await);
    let other = pictures::png(3, 3, 2);
    let before = server.get(&format!("/v1/images/{first}")).await.json();
    let taken = put(&server, &first, &[], &other).await;
    assert_problem(&taken, 409, "already_live");
    assert_eq!(taken.json()["image"], second.as_str());
    assert_problem(
        &put(&server, &first, &[], b"no picture").await,
        415,
        "type_not_allowed",
    );
    assert_problem(&put(&server, &first, &[], b"").await, 400, "empty_file");
    assert_problem(
        &put(&server, &first, &["If-Match: \"old\""], &other).await,
        412,
        "precondition_failed",
    );
    assert_problem(
        &put(
            &server,
            &first,
            &["Content-MD5: AAAAAAAAAAAAAAAAAAAAAA=="],
            &pictures::png(3, 3, 9),
        )
        .await,
        422,
        "checksum_mismatch",
    );
    assert_problem(&put(&server, "111111111111", &[], &other).await, 404, "not_found");
    assert_eq!(server.get(&format!("/v1/images/{first}")).await.json(), before);
    let same = put(&server, &first, &[], &pictures::png(3, 3, 1)).await;
    assert_eq!(same.status, 200, "its own bytes again: {same:?}");
    assert_counts_are_true(&server).await;
    assert!(server.staged().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replacements_to_and_fro_uploads_and_withdrawals_at_once_never_block_each_other() {
    let server = Arc::new(Server::start(&[]).await);
    let ids = Arc::new([
        upload_id(&server, 1, &[]).await,
        upload_id(&server, 2, &[]).await,
        upload_id(&server, 3, &[]).await,
    ]);
    let tasks: Vec<_> = (0..6u64)
        .map(|task| {
            let (server, ids) = (Arc::clone(&server), Arc::clone(&ids));
            tokio::spawn(async move {
                for round in 0..12u64 {
                    let (id, png) = (
                        &ids[usize::try_from((task + round) % 3).unwrap()],
                        pictures::png(3, 3, (task * 7 + round * 5) % 6),
                    );
                    let answer = match (task + round) % 4 {
                        0 => server.upload(&[Part::File("file", "a.png", &png)]).await,
                        1 if task == 1 => {
                            server
                                .send(
                                    "POST",
                                    &format!("/v1/images/{id}/restore"),
                                    &[&server.bearer()],
                                    b"",
                                )
                                .await
                        }
                        2 if task == 2 => {
                            server
                                .send("DELETE", &format!("/v1/images/{id}"), &[&server.bearer()], b"")
                                .await
                        }
                        _ => put(&server, id, &[], &png).await,
                    };
                    assert!(matches!(answer.status, 200 | 201 | 204 | 404 | 409), "{answer:?}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_counts_are_true(&server).await;
    assert!(server.staged().is_empty());
}
