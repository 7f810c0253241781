//! `berth token`.

use catalog::{Catalog, NewToken};
use domain::{Scope, Sha256, Token, TokenHash, Username};
use process::{
    Clock, Person,
    settings::{Reader, Sources},
};
use sha2::{Digest as _, Sha256 as Hasher};

use crate::{
    Failure,
    args::TokenCommand,
    client::{tokens, words::Words},
    setup,
};

/// `berth token`: with an account it is the operator's, at the database; else it is a client's, at a running berth.
pub(crate) async fn run(command: TokenCommand) -> Result<(), Failure> {
    let person = Person::load();
    let words = Words::of(&person);
    match command {
        TokenCommand::Create {
            account: Some(account),
            name,
            scopes,
            ..
        } => create(Sources::load(), &account, &name, &scopes).await,
        TokenCommand::Create {
            account: None,
            name,
            scopes,
            album,
            expires_in,
        } => {
            let new = tokens::NewToken {
                name: &name,
                scopes: &scopes,
                album: album.as_deref(),
                expires_in: expires_in.as_deref(),
            };
            tokens::create(&person, words, &new).await
        }
        TokenCommand::List => tokens::list(&person, words).await,
        TokenCommand::Revoke { tokens } => tokens::revoke(&person, words, &tokens).await,
    }
}

/// Makes a token and prints it on a line of its own, so that a script can take it.
async fn create(sources: Sources, account: &Username, name: &str, scopes: &[Scope]) -> Result<(), Failure> {
    let mut reader = Reader::new(sources);
    let settings = setup::open(&mut reader);
    let catalog = Catalog::new(&reader.finish(settings)?)?;
    let account_id = catalog::find_account_id(&catalog, account)
        .await?
        .ok_or_else(|| format!("there is no account {account} · 账号 {account} 不存在"))?;
    let token = Token::from_random(process::random());
    let new = NewToken {
        account_id,
        hash: TokenHash(Sha256(Hasher::digest(token.expose()).into())),
        hint: token.hint(),
        name,
        scopes: &scopes.iter().copied().collect(),
        expires_at: None,
    };
    catalog::create_token(&catalog, &new, Clock::system().now()).await?;
    eprintln!("This token is shown once; keep it. 令牌只显示这一次，请妥善保存。");
    println!("{}", token.expose());
    Ok(())
}
