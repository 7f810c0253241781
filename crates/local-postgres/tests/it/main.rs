//! A real Postgres in temporary directories. As root (most containers) it runs as another user; both ways pass.

// The lint's own exception covers test functions, not what they call.
#![allow(clippy::unwrap_used)]

mod lives;
mod refusals;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use local_postgres::{LocalPostgres, Options, PostgresBinaries, SUPERUSER};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// A temporary directory that the user of Postgres may pass through.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    folder
}

fn binaries() -> PostgresBinaries {
    PostgresBinaries::find(std::env::var_os("PATH").as_deref()).unwrap()
}

fn options(directory: &Path) -> Options {
    Options::for_tests(directory.to_owned(), binaries())
}

async fn connect(postgres: &LocalPostgres) -> Client {
    let url = postgres.connection_url(SUPERUSER, "postgres");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn text(client: &Client, query: &str) -> String {
    client.query_one(query, &[]).await.unwrap().get(0)
}

fn is_alive(pid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = status.rsplit(')').next().unwrap_or("").trim().chars().next();
    !matches!(state, None | Some('Z' | 'X'))
}

/// Waits for something that will happen; a test that waits in vain says for what.
async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("never happened: {what}");
}
