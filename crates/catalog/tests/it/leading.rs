//! One janitor leads.

use std::time::Duration;

use catalog::Leadership;
use test_kit::TestDatabase;

use crate::rig::Rig;

/// Becomes the leader as soon as nobody else is: the database hears a moment later that a session has ended.
async fn lead(rig: &Rig) -> Leadership {
    let leading = async {
        loop {
            if let Some(leadership) = Leadership::try_acquire(&rig.janitor).await.unwrap() {
                return leadership;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), leading)
        .await
        .expect("nobody leads")
}

#[tokio::test]
async fn there_is_one_leader_until_it_ends() {
    let rig = Rig::new().await;
    let first = lead(&rig).await;
    for _ in 0..20 {
        assert!(Leadership::try_acquire(&rig.janitor).await.unwrap().is_none());
    }
    assert!(first.is_held().await);
    drop(first);
    let second = lead(&rig).await;
    assert!(second.is_held().await);
}

#[tokio::test]
async fn janitors_of_another_database_lead_their_own() {
    let (one, other) = (Rig::new().await, Rig::new().await);
    let _first = lead(&one).await;
    assert!(Leadership::try_acquire(&other.janitor).await.unwrap().is_some());
}

#[tokio::test]
async fn a_leader_whose_session_ends_knows_that_it_leads_no_longer() {
    let mut rig = Rig::over(TestDatabase::create_apart().await).await;
    let first = lead(&rig).await;
    rig.database.kill().await;
    rig.database.start().await;
    assert!(!first.is_held().await);
    assert!(lead(&rig).await.is_held().await);
}
