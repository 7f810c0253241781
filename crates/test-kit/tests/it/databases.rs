//! Each test has a database of its own.

use catalog::{ServiceRole, find_account_id, has_accounts};
use test_kit::{TestDatabase, account};

#[tokio::test]
async fn two_databases_know_nothing_of_each_other() {
    let (first, second) = (TestDatabase::create().await, TestDatabase::create().await);
    let id = account(&first, "somebody").await;
    let name = "somebody".parse().unwrap();
    let uploads = first.catalog_as(ServiceRole::Upload);
    assert_eq!(find_account_id(&uploads, &name).await.unwrap(), Some(id));
    assert!(!has_accounts(&second.owner()).await.unwrap());
}

#[tokio::test]
async fn every_role_gets_in_as_itself() {
    let database = TestDatabase::create().await;
    for role in [ServiceRole::Upload, ServiceRole::Serve, ServiceRole::Janitor] {
        database.catalog_as(role).ping().await.unwrap();
        let client = database.connect_as(role).await;
        let who = client.query_one("SELECT current_user::text", &[]).await.unwrap();
        assert_eq!(who.get::<_, &str>(0), role.name());
    }
}

#[tokio::test]
async fn a_database_apart_comes_back_with_its_rows() {
    let mut database = TestDatabase::create_apart().await;
    let id = account(&database, "somebody").await;
    let name = "somebody".parse().unwrap();
    database.stop().await;
    assert!(database.catalog_as(ServiceRole::Upload).ping().await.is_err());
    database.start().await;
    database.kill().await;
    database.start().await;
    let uploads = database.catalog_as(ServiceRole::Upload);
    assert_eq!(find_account_id(&uploads, &name).await.unwrap(), Some(id));
}
