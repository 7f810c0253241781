//! `berth token` at a running berth; with `--account` it is the operator's, at the database.

use domain::Scope;
use http::Method;
use process::Person;
use serde::Deserialize;
use serde_json::json;

use super::{
    albums,
    api::Ask,
    image::local,
    session::connect,
    table::Table,
    words::{Words, plain},
};
use crate::Failure;

/// A token to be made.
pub(crate) struct NewToken<'a> {
    pub(crate) name: &'a str,
    pub(crate) scopes: &'a [Scope],
    /// The album that it is good for alone, by name or number.
    pub(crate) album: Option<&'a str>,
    /// Such as `90d`.
    pub(crate) expires_in: Option<&'a str>,
}

#[derive(Deserialize)]
struct Made {
    token: String,
}

/// Makes a token of one's own and prints it on a line of its own, so that a script can take it.
pub(crate) async fn create(person: &Person, words: Words, new: &NewToken<'_>) -> Result<(), Failure> {
    let api = connect(person, words)?;
    let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.as_str()).collect();
    let mut body = json!({ "name": new.name, "scopes": scopes });
    if let Some(album) = new.album {
        body["album"] = albums::find(&api, album).await?.into();
    }
    if let Some(span) = new.expires_in {
        body["expires_in"] = span.into();
    }
    let made: Made = api.json(Ask::post("/v1/tokens", &body)).await?;
    eprintln!(
        "{}",
        words.pick(
            "This token is shown once; keep it.",
            "令牌只显示这一次，请妥善保存。"
        )
    );
    say!("{}", made.token);
    Ok(())
}

#[derive(Deserialize)]
struct Page {
    tokens: Vec<Token>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    id: i64,
    name: String,
    hint: String,
    scopes: Vec<String>,
    album: Option<i64>,
    expires_at: Option<String>,
    last_used_at: Option<String>,
}

/// `berth token list`.
pub(crate) async fn list(person: &Person, words: Words) -> Result<(), Failure> {
    let api = connect(person, words)?;
    let mut table = Table::new(&words.pick(
        [">NO.", "?BEGINS", "SCOPES", "?ALBUM", "LAST USED", "ENDS", "NAME"],
        [">编号", "?开头", "权限", "?相册", "最近使用", "到期", "名称"],
    ));
    let mut after = String::new();
    loop {
        let page: Page = api.json(Ask::get(format!("/v1/tokens?limit=200{after}"))).await?;
        for token in page.tokens {
            let never = words.pick("never", "从未").to_owned();
            let endless = words.pick("never", "永久").to_owned();
            table.row([
                token.id.to_string(),
                format!("{}…", plain(&token.hint)),
                token.scopes.join(","),
                token
                    .album
                    .map_or_else(|| "-".to_owned(), |album| album.to_string()),
                token.last_used_at.as_deref().map_or(never, local),
                token.expires_at.as_deref().map_or(endless, local),
                plain(&token.name),
            ]);
        }
        let Some(next) = page.next else { break };
        after = format!(
            "&after={}",
            url::form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>()
        );
    }
    table.print();
    Ok(())
}

/// `berth token revoke`.
pub(crate) async fn revoke(person: &Person, words: Words, ids: &[i64]) -> Result<(), Failure> {
    let api = connect(person, words)?;
    for id in ids {
        api.ask(Ask::new(Method::DELETE, format!("/v1/tokens/{id}")))
            .await?;
    }
    Ok(())
}
