//! serve-svc hears of changes, and knows when it does not.

use std::time::Duration;

use catalog::{Change, expire_batch, watch_images, withdraw};
use domain::Expiry;
use test_kit::TestDatabase;
use tokio::{sync::mpsc, time::timeout};

use crate::rig::{Rig, at, image, noon};

/// Longer than anything here takes; reached only when something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);

struct Ears {
    heard: mpsc::UnboundedReceiver<Change>,
    task: tokio::task::JoinHandle<()>,
}

impl Ears {
    fn of(rig: &Rig) -> Self {
        let (tell, heard) = mpsc::unbounded_channel();
        let serve = rig.serve.clone();
        let task = tokio::spawn(async move {
            let tell = |change| assert!(tell.send(change).is_ok(), "the task ends with its ears");
            watch_images(&serve, tell).await;
        });
        Self { heard, task }
    }

    async fn next(&mut self) -> Change {
        timeout(PATIENCE, self.heard.recv())
            .await
            .expect("something is told")
            .unwrap()
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn what_changes_an_answer_is_told_and_nothing_else() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    let mut ears = Ears::of(&rig);
    assert_eq!(ears.next().await, Change::Listening);
    let mut first = image(owner, 1);
    first.expiry = Expiry::At(at(60));
    let mut second = image(owner, 2);
    second.expiry = Expiry::At(at(30));
    rig.publish(&first).await; // a new image changes no answer that anybody has heard
    rig.publish(&second).await;
    assert_eq!(expire_batch(&rig.janitor, 10, at(30)).await.unwrap(), 1); // readers go by its expiry themselves
    let unheard = format!(
        "UPDATE image SET description = 'x' WHERE public_id = '{}'",
        first.public_id
    );
    rig.owner.batch_execute(&unheard).await.unwrap();
    first.expiry = Expiry::At(at(90));
    rig.publish(&first).await;
    assert_eq!(
        ears.next().await,
        Change::Image(first.public_id),
        "its life was extended"
    );
    let private = format!(
        "UPDATE image SET visibility = 'private' WHERE public_id = '{}'",
        first.public_id
    );
    rig.owner.batch_execute(&private).await.unwrap();
    assert_eq!(ears.next().await, Change::Image(first.public_id), "it is private");
    assert!(
        withdraw(&rig.upload, owner, first.public_id, None, noon())
            .await
            .unwrap()
    );
    assert_eq!(
        ears.next().await,
        Change::Image(first.public_id),
        "it was withdrawn"
    );
    let third = rig.publish(&image(owner, 3)).await.image.public_id;
    rig.owner.batch_execute("DELETE FROM image").await.unwrap();
    assert_eq!(
        ears.next().await,
        Change::Image(third),
        "a live one was removed by hand"
    );
}

#[tokio::test]
async fn a_listener_says_when_it_is_deaf_and_when_it_hears_again() {
    let mut rig = Rig::over(TestDatabase::create_apart().await).await;
    let owner = rig.account("owner").await;
    let id = rig.publish(&image(owner, 1)).await.image.public_id;
    let mut ears = Ears::of(&rig);
    assert_eq!(ears.next().await, Change::Listening);
    for is_killed in [false, true] {
        if is_killed {
            rig.database.kill().await;
        } else {
            rig.database.stop().await;
        }
        assert_eq!(ears.next().await, Change::Deaf);
        rig.database.start().await;
        while ears.next().await != Change::Listening {}
    }
    assert!(withdraw(&rig.upload, owner, id, None, noon()).await.unwrap());
    assert_eq!(ears.next().await, Change::Image(id));
}
