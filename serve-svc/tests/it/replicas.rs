//! Several serve-svc at once: what they count adds up, whoever has which journal, and each is told of every change.

use std::{fs, path::Path, time::Duration};

use domain::Visibility;
use serde_json::json;

use crate::server::{Picture, Server};

const VIEWS: u64 = 40;

/// Views of one picture by turns through both.
async fn look(server: &Server, other: &crate::server::Replica, picture: &Picture) {
    let url = &picture.urls()[0];
    for _ in 0..VIEWS / 2 {
        let (one, two) = tokio::join!(server.get(url), other.get(url));
        assert_eq!((one.status, two.status), (200, 200));
    }
}

fn journals(folder: &Path) -> usize {
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    files
        .filter(|file| file.path().extension().is_some_and(|is| is == "journal"))
        .count()
}

#[tokio::test]
async fn replicas_add_up_on_one_folder_of_journals_and_each_on_its_own() {
    for is_shared in [true, false] {
        let server = Server::start(&[]).await;
        let folder = tempfile::tempdir().unwrap();
        let own = [("BERTH_JOURNAL", folder.path().to_str().unwrap())];
        let other = server.beside(if is_shared { &[] } else { &own }).await;
        let (shared, separate) = (server.data().join("journal"), folder.path());
        let live = (journals(&shared), journals(separate));
        assert_eq!(
            live,
            if is_shared { (2, 0) } else { (1, 1) },
            "each has a file of its own"
        );
        let picture = server.publish(1, Visibility::Public, None).await;
        look(&server, &other, &picture).await;
        assert_eq!(
            server.counted(&picture, VIEWS).await,
            VIEWS,
            "shared: {is_shared}"
        );
        look(&server, &other, &picture).await;
        other.stop().await;
        assert_eq!(
            server.counted(&picture, 2 * VIEWS).await,
            2 * VIEWS,
            "shared: {is_shared}"
        );
        // The one that goes on takes nothing for a dead one's.
        assert_eq!((journals(&shared), journals(separate)), (1, 0));
        assert_eq!(server.get(&picture.urls()[0]).await.status, 200);
        assert_eq!(server.counted(&picture, 2 * VIEWS + 1).await, 2 * VIEWS + 1);
    }
}

#[tokio::test]
async fn every_replica_hears_of_a_change_within_a_second() {
    let server = Server::start(&[]).await;
    let other = server.beside(&[]).await;
    let picture = server.publish(1, Visibility::Public, None).await;
    let (url, evil) = (&picture.urls()[0], ["Referer: https://evil.example/"]);
    for round in 0..5 {
        let (hosts, status) = if round % 2 == 0 {
            (json!(["*"]), 200)
        } else {
            (json!([]), 403)
        };
        let owner = server.database.connect().await;
        let policy = json!({ "hotlink": { "allow": hosts } });
        owner
            .execute("UPDATE site_policy SET policy = $1", &[&policy])
            .await
            .unwrap();
        let began = std::time::Instant::now();
        let mut told = (0, 0);
        while told != (status, status) && began.elapsed() < Duration::from_secs(1) {
            let (one, two) = tokio::join!(server.ask("GET", url, &evil), other.ask("GET", url, &evil));
            told = (one.status, two.status);
        }
        assert_eq!(told, (status, status), "round {round}");
    }
}
