//! Variants through the life of their image: when its bytes are replaced, and when it is withdrawn and restored.

use std::{convert::Infallible, time::Duration};

use catalog::{
    Derived, NewBlob, NewVariant, Origin, Replacing, RestoreTerms, ServiceRole, claim_due_variants,
    keep_variants, restore, withdraw,
};
use domain::{BlobKey, Expiry, Md5, MediaType, Sha256, VariantFormat, VariantKey, Visibility};
use jiff::SignedDuration;
use test_kit::pictures;

use crate::server::{Picture, Server};

/// Widths and formats that somebody has looked at.
const WARM: [&str; 6] = [
    ".png?w=160",
    ".png?w=300",
    ".png?w=810",
    ".jpg?w=300",
    ".jpg?w=640",
    "?w=480",
];

/// Derives all that is due, each into bytes of its own that say of which blob they are.
async fn derive(server: &Server) {
    let uploads = server.database.catalog_as(ServiceRole::Upload);
    // None: a test stops listening in the middle, and its clock stands still.
    let lease = Duration::ZERO;
    while let Some(due) = claim_due_variants(&uploads, server.clock.now(), lease)
        .await
        .unwrap()
    {
        let mut derived = Derived::default();
        for &(width, format) in &due.wanted {
            let bytes = format!("{} of {}", width, due.key);
            let path = server
                .blobs()
                .join(VariantKey::new(&due.key, width, format).as_str());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &bytes).unwrap();
            let mut sha256 = [u8::try_from(due.blob_id).unwrap(); 32];
            sha256[0] = u8::try_from(width % 251).unwrap();
            sha256[1] = u8::from(format == VariantFormat::Webp);
            derived.made.push(NewVariant {
                named_width: width,
                format,
                dimensions: (width, width),
                size_bytes: bytes.len() as u64,
                sha256: Sha256(sha256),
            });
        }
        let placed = |_| async { Ok::<(), Infallible>(()) };
        assert!(
            keep_variants(&uploads, due.blob_id, derived, placed)
                .await
                .unwrap()
                .is_some()
        );
    }
}

/// What every warm URL answers: the text of its bytes, and its tag.
async fn look(server: &Server, picture: &Picture) -> Vec<(String, String)> {
    let deriving = async {
        loop {
            derive(server).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let looking = async {
        let mut seen = Vec::new();
        for rest in WARM {
            let url = format!("/i/{}{rest}", picture.id);
            let mut answer = server.ask("GET", &url, &["Accept: image/webp"]).await;
            // A busy machine may need longer than a request waits.
            while answer.header("cache-control") == Some("private, no-cache") {
                answer = server.ask("GET", &url, &["Accept: image/webp"]).await;
            }
            assert_eq!(answer.status, 200, "{url}");
            let tag = answer.header("etag").unwrap().to_owned();
            seen.push((String::from_utf8_lossy(&answer.body).into_owned(), tag));
        }
        seen
    };
    tokio::select! {
        seen = looking => seen,
        () = deriving => unreachable!(),
    }
}

async fn large(server: &Server) -> Picture {
    let bytes = pictures::png(1000, 800, 1);
    server.publish_bytes(1, bytes, Visibility::Public, None).await
}

/// Asks until every warm URL answers so, or for long enough.
async fn all_answer(server: &Server, picture: &Picture, status: u16) {
    let mut tries = 0;
    for rest in WARM {
        while server.get(&format!("/i/{}{rest}", picture.id)).await.status != status {
            tries += 1;
            assert!(tries < 200, "the shelf is told within a moment");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn replaced_bytes_show_in_every_width_and_format_at_once() {
    let server = Server::start(&[]).await;
    let picture = large(&server).await;
    let before = look(&server, &picture).await;
    assert!(
        before.iter().all(|(text, _)| text.contains(&picture.path)),
        "{before:?}"
    );

    let uploads = server.database.catalog_as(ServiceRole::Upload);
    let bytes = pictures::png(1000, 800, 2);
    let new = NewBlob {
        md5: Md5([0xbb; 16]),
        sha256: Sha256([0xbb; 32]),
        size_bytes: bytes.len() as u64,
        media_type: MediaType::Png,
        dimensions: Some((1000, 800)),
        camera: None,
    };
    let replacing = Replacing {
        account_id: server.account,
        public_id: picture.id,
        expected: &|_| true,
        client_address: None,
        origin: Origin::default(),
    };
    let root = server.blobs();
    let place = |key: BlobKey| async move {
        std::fs::create_dir_all(root.join(key.folder()))?;
        std::fs::write(root.join(key.as_str()), bytes)
    };
    let replaced = catalog::replace(&uploads, replacing, &new, server.clock.now(), place)
        .await
        .unwrap();
    // The notice takes a moment; from then on nothing of the old bytes is shown in any size.
    let mut tries = 0;
    let after = loop {
        let seen = look(&server, &picture).await;
        if seen.iter().all(|(text, _)| text.contains(&replaced.key)) {
            break seen;
        }
        tries += 1;
        assert!(tries < 50, "old bytes are still shown: {seen:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    for ((old, old_tag), (new, new_tag)) in before.iter().zip(&after) {
        assert_ne!(old_tag, new_tag, "{old} {new}");
        assert_eq!(old.split(' ').next(), new.split(' ').next(), "the same width");
    }
}

#[tokio::test]
async fn variants_go_and_come_back_with_their_image() {
    let server = Server::start(&[]).await;
    let picture = large(&server).await;
    let before = look(&server, &picture).await;
    let uploads = server.database.catalog_as(ServiceRole::Upload);
    let now = server.clock.now();
    assert!(
        withdraw(&uploads, server.account, picture.id, None, now)
            .await
            .unwrap()
    );
    all_answer(&server, &picture, 404).await;
    let terms = RestoreTerms {
        renewed: Expiry::Never,
        grace_began: now - SignedDuration::from_hours(1),
    };
    restore(&uploads, server.account, picture.id, terms, &|_| true, None, now)
        .await
        .unwrap();
    all_answer(&server, &picture, 200).await;
    assert_eq!(look(&server, &picture).await, before);
}
