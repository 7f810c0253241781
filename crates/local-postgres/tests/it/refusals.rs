//! When it does not start, and what it says then.

use std::os::unix::fs::PermissionsExt;

use local_postgres::{Error, LocalPostgres, PostgresBinaries};

use crate::{binaries, folder, options};

#[test]
fn machine_without_postgres_is_told_what_to_install() {
    let empty = folder();
    let error = PostgresBinaries::find_under(empty.path(), None).unwrap_err();
    assert!(matches!(&error, Error::NoBinaries { too_old } if too_old.is_empty()));
    assert!(
        error.to_string().contains("apt-get install postgresql"),
        "{error}"
    );
}

#[test]
fn newest_version_wins_and_one_that_is_too_old_is_named() {
    let root = folder();
    let install = |major: u32| {
        let bin = root.path().join(format!("{major}/bin"));
        std::fs::create_dir_all(&bin).unwrap();
        for program in ["postgres", "initdb"] {
            let path = bin.join(program);
            std::fs::write(
                &path,
                format!("#!/bin/sh\necho 'postgres (PostgreSQL) {major}.1'\n"),
            )
            .unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    };
    install(13);
    let error = PostgresBinaries::find_under(root.path(), None).unwrap_err();
    assert!(error.to_string().contains("too old: 13 in"), "{error}");
    for (also, newest) in [(16, 16), (15, 16), (18, 18)] {
        install(also);
        assert_eq!(
            PostgresBinaries::find_under(root.path(), None).unwrap().major(),
            newest
        );
    }
    let on_path = root.path().join("16/bin");
    let found = PostgresBinaries::find_under(&root.path().join("none"), Some(on_path.as_os_str())).unwrap();
    assert_eq!(found.major(), 16);
}

#[tokio::test]
async fn cluster_of_another_major_version_is_refused_by_name() {
    let folder = folder();
    let data = folder.path().join("postgres/data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("PG_VERSION"), "14\n").unwrap();
    std::os::unix::fs::chown(&data, Some(uid_for_data()), None).unwrap();
    let error = LocalPostgres::start(options(&folder.path().join("postgres")))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::OtherVersion { cluster: 14, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("was made by PostgreSQL 14"), "{error}");
}

#[tokio::test]
async fn folder_that_is_no_cluster_is_left_alone() {
    let folder = folder();
    let data = folder.path().join("postgres/data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("holiday.jpg"), "x").unwrap();
    let error = LocalPostgres::start(options(&folder.path().join("postgres")))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotACluster { .. }), "{error}");
    assert!(data.join("holiday.jpg").exists());
}

#[tokio::test]
async fn second_owner_of_one_directory_is_refused() {
    let folder = folder();
    let directory = folder.path().join("postgres");
    let first = LocalPostgres::start(options(&directory)).await.unwrap();
    let error = LocalPostgres::start(options(&directory)).await.unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    first.stop().await.unwrap();
}

#[tokio::test]
async fn parent_that_the_user_of_postgres_may_not_enter_is_named() {
    if !is_root() {
        return; // Postgres runs as ourselves then, and we can enter what is ours.
    }
    let folder = folder();
    let closed = folder.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let error = LocalPostgres::start(options(&closed.join("deep/postgres")))
        .await
        .unwrap_err();
    let Error::NotTraversable { blocked, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(blocked, &closed.canonicalize().unwrap());
    assert!(error.to_string().contains("chmod o+x"), "{error}");
}

#[tokio::test]
async fn failed_start_shows_the_end_of_the_log_and_leaves_nothing_running() {
    let folder = folder();
    let mut wanted = options(&folder.path().join("postgres"));
    wanted.settings.push(("no_such_setting".into(), "1".into()));
    let error = LocalPostgres::start(wanted.clone()).await.unwrap_err();
    let Error::Ended { tail, .. } = &error else {
        panic!("{error}")
    };
    assert!(tail.contains("no_such_setting"), "{tail}");

    wanted.settings.clear();
    LocalPostgres::start(wanted).await.unwrap().stop().await.unwrap();
}

#[test]
fn cluster_that_is_there_chooses_its_own_version() {
    let folder = folder();
    let path = std::env::var_os("PATH");
    let fresh = PostgresBinaries::find_for(&folder.path().join("postgres"), path.as_deref()).unwrap();
    assert_eq!(fresh, binaries());
    let data = folder.path().join("postgres/data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("PG_VERSION"), format!("{}\n", binaries().major())).unwrap();
    let same = PostgresBinaries::find_for(&folder.path().join("postgres"), path.as_deref()).unwrap();
    assert_eq!(same.major(), binaries().major());
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
}

/// Someone whose cluster it could be: ourselves, or as root anyone.
fn uid_for_data() -> u32 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").map_or(65534, |it| if it.uid() == 0 { 65534 } else { it.uid() })
}
