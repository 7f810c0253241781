//! Accounts with true passwords, and signing in to them.

use std::sync::OnceLock;

use catalog::{NewAccount, Role, ServiceRole};
use domain::PasswordHash;
use serde_json::{Value, json};

use crate::server::{Answer, Server};

/// The password of every account made here.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Makes an account of this role with [`PASSWORD`], and gives its id.
pub(crate) async fn sign_up(server: &Server, name: &str, role: Role) -> i64 {
    static HASH: OnceLock<PasswordHash> = OnceLock::new();
    let hash = HASH.get_or_init(|| PasswordHash::derive(PASSWORD, [7; 16]).unwrap());
    let new = NewAccount {
        username: &name.parse().unwrap(),
        role,
        password_hash: hash.as_phc(),
    };
    let catalog = server.database.catalog_as(ServiceRole::Upload);
    let made = catalog::create_account(&catalog, &new, server.clock.now()).await;
    made.unwrap().unwrap()
}

/// Tries to sign in.
pub(crate) async fn try_to_sign_in(server: &Server, name: &str, password: &str) -> Answer {
    let login = json!({ "username": name, "password": password });
    server.send_json("POST", "/v1/session", &[], &login).await
}

/// Signs in with [`PASSWORD`] and gives the header that shows the session.
pub(crate) async fn sign_in(server: &Server, name: &str) -> String {
    let answer = try_to_sign_in(server, name, PASSWORD).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    format!(
        "Authorization: Bearer {}",
        answer.json()["token"].as_str().unwrap()
    )
}

/// The `code` of a problem.
pub(crate) fn code(answer: &Answer) -> String {
    match &answer.json()["code"] {
        Value::String(code) => code.clone(),
        other => panic!("no code but {other}: {answer:?}"),
    }
}

/// The kinds of all events, oldest first.
pub(crate) async fn event_kinds(server: &Server) -> Vec<String> {
    let client = server.database.connect().await;
    let rows = client
        .query("SELECT kind FROM event ORDER BY id", &[])
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
