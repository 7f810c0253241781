//! Accounts, and the tokens that speak for them.

use catalog::{
    Bearer, Credential, NewAccount, NewToken, Role, create_account, create_token, find_account_id,
    find_bearer, has_accounts,
};
use domain::{Scope, Scopes, Sha256, TokenHash, Username};
use jiff::Timestamp;

use crate::rig::{Rig, at, noon};

fn hash(seed: u8) -> TokenHash {
    TokenHash(Sha256([seed; 32]))
}

async fn token(rig: &Rig, account_id: i64, seed: u8, expires_at: Option<Timestamp>) -> i64 {
    let new = NewToken {
        account_id,
        hash: hash(seed),
        hint: "berth_abc",
        name: "laptop",
        scopes: &Scopes::from_iter([Scope::Upload, Scope::Read]),
        expires_at,
    };
    create_token(&rig.upload, &new, noon()).await.unwrap()
}

#[tokio::test]
async fn a_name_is_taken_once_whatever_its_case() {
    let rig = Rig::new().await;
    assert!(!has_accounts(&rig.upload).await.unwrap());
    let create = async |name: &str, role| {
        let username: Username = name.parse().unwrap();
        let new = NewAccount {
            username: &username,
            role,
            password_hash: "$argon2id$",
        };
        create_account(&rig.upload, &new, noon()).await.unwrap()
    };
    let id = create("Ada", Role::Admin).await.unwrap();
    assert_eq!(create("ada", Role::Member).await, None);
    assert_eq!(create("ADA", Role::Member).await, None);
    assert!(create("Ada2", Role::Member).await.is_some());
    assert!(has_accounts(&rig.upload).await.unwrap());
    let name = "aDa".parse().unwrap();
    assert_eq!(find_account_id(&rig.upload, &name).await.unwrap(), Some(id));
    assert_eq!(
        rig.number("SELECT count(*) FROM album WHERE name = 'default'")
            .await,
        2
    );
}

#[tokio::test]
async fn a_token_speaks_for_its_account() {
    let rig = Rig::new().await;
    let account_id = rig.account("owner").await;
    let token_id = token(&rig, account_id, 1, None).await;
    let expected = Bearer {
        credential: Credential::Token {
            id: token_id,
            rate_per_minute: None,
            expires_at: None,
        },
        account_id,
        role: Role::Member,
        scopes: Scopes::from_iter([Scope::Upload, Scope::Read]),
        album_id: None,
    };
    assert_eq!(
        find_bearer(&rig.upload, hash(1), noon()).await.unwrap(),
        Some(expected)
    );
}

#[tokio::test]
async fn a_token_that_is_unknown_expired_revoked_or_of_a_disabled_account_speaks_for_nobody() {
    let rig = Rig::new().await;
    let (owner, disabled) = (rig.account("owner").await, rig.account("disabled").await);
    token(&rig, owner, 1, Some(at(60))).await;
    let revoked = token(&rig, owner, 2, None).await;
    token(&rig, disabled, 3, None).await;
    let end = format!(
        "UPDATE token SET revoked_at = now() WHERE id = {revoked}; UPDATE account SET disabled_at = now() WHERE id = {disabled}"
    );
    rig.owner.batch_execute(&end).await.unwrap();
    for (seed, now, is_good) in [
        (1, 59, true),
        (1, 60, false),
        (2, 0, false),
        (3, 0, false),
        (4, 0, false),
    ] {
        let bearer = find_bearer(&rig.upload, hash(seed), at(now)).await.unwrap();
        assert_eq!(bearer.is_some(), is_good, "token {seed} at {now} s");
    }
}

#[tokio::test]
async fn the_last_use_is_written_at_most_once_a_minute() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    token(&rig, owner, 1, None).await;
    for (now, written) in [(0, 0), (59, 0), (60, 0), (61, 61), (100, 61), (122, 122)] {
        assert!(
            find_bearer(&rig.upload, hash(1), at(now))
                .await
                .unwrap()
                .is_some()
        );
        let row = rig
            .owner
            .query_one("SELECT last_used_at FROM token", &[])
            .await
            .unwrap();
        assert_eq!(row.get::<_, Timestamp>(0), at(written), "used at {now} s");
    }
}
