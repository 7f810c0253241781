use std::{
    error::Error,
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use catalog::{Catalog, NewAccount, NewToken, Role};
use domain::{PasswordHash, Scopes, Sha256, Token, TokenHash, Username, readable_password};
use process::Clock;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256 as Hasher};

/// What the operator needs to begin: `DIR/first-run.json`, readable by its owner alone. It may be deleted once it was noted.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct FirstRun {
    /// What links begin with.
    pub(crate) url: String,
    /// The first account.
    pub(crate) username: String,
    /// Its password.
    pub(crate) password: String,
    /// A token of it with every scope.
    pub(crate) token: String,
}

type Failure = Box<dyn Error + Send + Sync>;

/// Makes the first account if there is none, and gives what is known of it: all at the first start, what the file still
/// holds at later ones.
pub(crate) async fn prepare(
    catalog: &Catalog,
    data: &Path,
    url: &str,
    (username, password): &(String, Option<String>),
) -> Result<Option<FirstRun>, Failure> {
    let path = data.join("first-run.json");
    if catalog::has_accounts(catalog).await? {
        return recall(&path, url);
    }
    let token = Token::from_random(process::random());
    let first = FirstRun {
        url: url.to_owned(),
        username: username.parse::<Username>()?.to_string(),
        password: password
            .clone()
            .unwrap_or_else(|| readable_password(process::random())),
        token: token.expose().to_owned(),
    };
    // The file first: an account whose password nobody was told would lock the operator out. If we die in between, the
    // next start finds no account and begins anew.
    write(&path, &first)?;
    let hash = PasswordHash::derive(&first.password, process::random())?;
    let now = Clock::system().now();
    let account = NewAccount {
        username: &first.username.parse()?,
        role: Role::Admin,
        password_hash: hash.as_phc(),
    };
    let account_id = catalog::create_account(catalog, &account, now)
        .await?
        .ok_or("the first account was made by somebody else just now")?;
    let new = NewToken {
        account_id,
        hash: TokenHash(Sha256(Hasher::digest(token.expose()).into())),
        hint: token.hint(),
        name: "first run",
        scopes: &Scopes::all(),
        expires_at: None,
    };
    catalog::create_token(catalog, &new, now).await?;
    Ok(Some(first))
}

/// What the file of an earlier start says, with today's URL.
fn recall(path: &Path, url: &str) -> Result<Option<FirstRun>, Failure> {
    let Ok(text) = fs::read_to_string(path) else {
        return Ok(None);
    };
    let Ok(mut first) = serde_json::from_str::<FirstRun>(&text) else {
        tracing::warn!(path = %path.display(), "this file can't be read any more; it is left alone");
        return Ok(None);
    };
    if first.url != url {
        url.clone_into(&mut first.url);
        write(path, &first)?;
    }
    Ok(Some(first))
}

/// Writes the file in one step, so that nobody ever reads half of it.
fn write(path: &Path, first: &FirstRun) -> Result<(), Failure> {
    let fresh: PathBuf = path.with_extension("json.new");
    let _left_by_a_crash = fs::remove_file(&fresh);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(serde_json::to_string_pretty(first)?.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    Ok(fs::rename(&fresh, path)?)
}
