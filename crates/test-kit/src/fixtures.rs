use catalog::{NewAccount, NewToken, Role, ServiceRole, create_account, create_token};
use domain::{Scope, Token, TokenHash};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::TestDatabase;

/// Looks like argon2id in PHC form, and no password fits it.
const NO_PASSWORD: &str =
    "$argon2id$v=19$m=47104,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Makes an account that is a member, with its album `default`, and gives its id.
///
/// # Panics
/// When the name is no user name or is taken.
pub async fn account(database: &TestDatabase, name: &str) -> i64 {
    let username = name.parse().expect("a user name");
    let new = NewAccount {
        username: &username,
        role: Role::Member,
        password_hash: NO_PASSWORD,
    };
    create_account(
        &database.catalog_as(ServiceRole::Upload),
        &new,
        Timestamp::UNIX_EPOCH,
    )
    .await
    .expect("the account is written")
    .unwrap_or_else(|| panic!("the name {name} is taken"))
}

/// Makes a token of this account with these scopes, and gives it in the clear.
///
/// # Panics
/// When there is no such account, or `scopes` is empty.
pub async fn token(database: &TestDatabase, account_id: i64, scopes: &[Scope]) -> Token {
    let token = Token::from_random(process::random());
    let hash = Sha256::digest(token.expose().as_bytes());
    let scopes = scopes.iter().copied().collect();
    let new = NewToken {
        account_id,
        hash: TokenHash(domain::Sha256(hash.into())),
        hint: token.hint(),
        name: "test",
        scopes: &scopes,
        expires_at: None,
    };
    create_token(
        &database.catalog_as(ServiceRole::Upload),
        &new,
        Timestamp::UNIX_EPOCH,
    )
    .await
    .expect("the token is written");
    token
}
