//! The tables come up to date, however many processes bring them there at once.

use catalog::{Catalog, CatalogSettings, ServiceRole, let_in, migrate};
use test_kit::TestDatabase;

use crate::rig::{Rig, image};

fn owner_of(url: String) -> Catalog {
    let settings = CatalogSettings {
        url,
        connections: 2,
        application_name: "test",
    };
    Catalog::new(&settings).unwrap()
}

#[tokio::test]
async fn three_that_migrate_at_once_migrate_once() {
    let database = TestDatabase::create_empty().await;
    let owner = database.owner();
    let (a, b, c) = tokio::join!(migrate(&owner), migrate(&owner), migrate(&owner));
    let mut applied = [a.unwrap(), b.unwrap(), c.unwrap()];
    applied.sort_unstable();
    let [0, 0, all] = applied else {
        panic!("{applied:?}")
    };
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations")).unwrap();
    let sql = files.filter(|file| {
        file.as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|e| e == "sql")
    });
    assert_eq!(all, sql.count());
    assert_eq!(
        migrate(&owner).await.unwrap(),
        0,
        "a second start finds nothing to do"
    );
}

#[tokio::test]
async fn berths_that_share_a_cluster_may_make_its_roles_at_once() {
    let apart = TestDatabase::create_apart_empty().await;
    let client = apart.connect().await;
    let names = ["one", "two", "three", "four"];
    for name in names {
        client
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
    }
    let owners = names.map(|name| owner_of(apart.owner_url().replacen("/berth?", &format!("/{name}?"), 1)));
    let [a, b, c, d] = &owners;
    let outcomes = tokio::join!(migrate(a), migrate(b), migrate(c), migrate(d));
    let outcomes = [outcomes.0, outcomes.1, outcomes.2, outcomes.3];
    for outcome in outcomes {
        assert!(outcome.unwrap() > 0);
    }
}

#[tokio::test]
async fn a_service_role_can_log_in_once_it_is_let_in_and_its_password_may_hold_anything() {
    let apart = TestDatabase::create_apart_empty().await;
    let owner = apart.owner();
    migrate(&owner).await.unwrap();
    let serve = apart.catalog_as(ServiceRole::Serve);
    assert!(serve.ping().await.is_err(), "nobody has let it in");
    let_in(
        &owner,
        ServiceRole::Serve,
        Some(r"it's \ a 密码; DROP TABLE image --"),
    )
    .await
    .unwrap();
    serve.ping().await.unwrap();
    let client = apart.connect().await;
    let kept = client
        .query_one(
            "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'berth_serve'",
            &[],
        )
        .await
        .unwrap();
    assert!(kept.get::<_, bool>(0), "a password is kept, and not in the clear");
}

#[tokio::test]
async fn service_roles_cannot_migrate() {
    let database = TestDatabase::create_empty().await;
    for role in [ServiceRole::Upload, ServiceRole::Serve, ServiceRole::Janitor] {
        assert!(migrate(&database.catalog_as(role)).await.is_err(), "{role:?}");
    }
}

/// As Postgres 17 and later do it whatever the session says, and `pg_restore` with every version.
#[tokio::test]
async fn indexes_and_figures_are_made_without_a_search_path() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    rig.publish(&image(owner, 1)).await;
    rig.owner
        .batch_execute(
            "SET search_path = ''; ANALYZE; REINDEX TABLE public.image; REINDEX TABLE public.image_seen",
        )
        .await
        .unwrap();
}
