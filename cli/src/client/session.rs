use console::Term;
use http::Method;
use process::{Person, settings::Sources};
use serde::Deserialize;
use serde_json::json;
use url::{Host, Url};

use super::{
    api::{Api, Ask},
    args::LoginArgs,
    logins::{Login, Logins},
    words::{Words, plain},
};
use crate::Failure;

/// Who asks, and what may be sent: `GET /v1/session`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Session {
    pub(crate) scopes: Vec<String>,
    pub(crate) account: Account,
    pub(crate) uploads: Uploads,
    pub(crate) limits: Limits,
}

/// What the berth allows.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Limits {
    /// How long what has ended can be brought back.
    pub(crate) undo_seconds: i64,
}

/// The account behind a token.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Account {
    pub(crate) username: String,
}

/// What becomes of an upload that does not say.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Uploads {
    /// 0 is for ever.
    pub(crate) lifetime_seconds: u64,
    /// 0 is for ever.
    pub(crate) longest_seconds: u64,
}

impl Session {
    /// Asks the berth who we are.
    pub(crate) async fn ask(api: &Api) -> Result<Self, Failure> {
        Ok(api.json(Ask::get("/v1/session")).await?)
    }

    /// Whether the token may do this.
    pub(crate) fn may(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }
}

/// The berth to speak to: `BERTH_URL` and `BERTH_TOKEN` where they are set, else what `berth login` has kept.
///
/// SECURITY: a kept token goes to the URL that it was made at and nowhere else.
pub(crate) fn connect(person: &Person, words: Words) -> Result<Api, Failure> {
    let logins = Logins::load(person)?;
    let url = match Sources::environment("BERTH_URL") {
        Some(url) => read_url(&url)?,
        None => logins.current.clone().ok_or_else(|| {
            words.pick(
                "no berth is known here: run `berth login URL`, or set BERTH_URL and BERTH_TOKEN",
                "还没有登录：先运行 `berth login 网址`，或设置 BERTH_URL 与 BERTH_TOKEN",
            )
        })?,
    };
    let kept = logins.logins.get(&url).map(|login| login.token.clone());
    let token = Sources::environment("BERTH_TOKEN").or(kept).ok_or_else(|| {
        words.pick(
            format!("no token for {url} is kept here: run `berth login {url}`, or set BERTH_TOKEN"),
            format!("没有 {url} 的令牌：先运行 `berth login {url}`，或设置 BERTH_TOKEN"),
        )
    })?;
    Ok(Api::new(&url, Some(token), words))
}

/// Reads the URL of a berth as people type it: without a scheme it is https, or http on this machine.
pub(crate) fn read_url(text: &str) -> Result<String, Failure> {
    let text = text.trim();
    let parsed = if text.contains("://") {
        Url::parse(text)
    } else {
        let guess = Url::parse(&format!("https://{text}"));
        match guess {
            Ok(guess) if is_here(&guess) => Url::parse(&format!("http://{text}")),
            guess => guess,
        }
    };
    let url = parsed.map_err(|error| format!("{text}: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!("{text}: expected a URL such as https://img.example.com").into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "{}: names and passwords don't belong into the URL",
            url.host_str().unwrap_or_default()
        )
        .into());
    }
    Ok(url[..url::Position::AfterPath].trim_end_matches('/').to_owned())
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[derive(Deserialize)]
struct Opened {
    token: String,
}

#[derive(Deserialize)]
struct Made {
    id: i64,
    token: String,
}

/// `berth login`: makes a token for this machine, or takes the one that is given, and keeps it.
pub(crate) async fn login(person: &Person, words: Words, args: LoginArgs) -> Result<(), Failure> {
    let url = read_url(&args.url)?;
    if url.starts_with("http:") && !Url::parse(&url).is_ok_and(|url| is_here(&url)) {
        eprintln!(
            "{}",
            words.pick(
                "Careful: this is http. Whoever is on the way can read the password and the token.",
                "注意：这是 http，途中的任何人都能看到密码与令牌。"
            )
        );
    }
    let made = match &args.token {
        Some(token) => {
            let token = if token == "-" { read_line()? } else { token.clone() };
            Made { id: 0, token }
        }
        None => make(person, words, &url, &args).await?,
    };
    let api = Api::new(&url, Some(made.token.clone()), words);
    let session = Session::ask(&api).await?;
    let mut logins = Logins::load(person)?;
    let login = Login {
        token: made.token,
        token_id: (made.id != 0).then_some(made.id),
        account: session.account.username.clone(),
    };
    let before = logins.logins.insert(url.clone(), login);
    logins.current = Some(url.clone());
    let path = logins.save(person)?;
    if let Some(before) = before {
        revoke(words, &url, &before).await;
    }
    let (name, scopes) = (plain(&session.account.username), session.scopes.join(", "));
    say!(
        "{}",
        words.pick(
            format!(
                "You are {name} at {url}; this machine may: {scopes}.\nThe token is kept in {}.",
                path.display()
            ),
            format!(
                "已以 {name} 登录 {url}；本机权限：{scopes}。\n令牌保存在 {}。",
                path.display()
            ),
        )
    );
    Ok(())
}

/// Signs in by password, makes a token that is called after this machine, and signs out.
async fn make(person: &Person, words: Words, url: &str, args: &LoginArgs) -> Result<Made, Failure> {
    let terminal = Term::stderr();
    let can_ask = terminal.is_term();
    let username = match &args.username {
        Some(username) => username.clone(),
        None if can_ask => {
            terminal.write_str(words.pick("Username: ", "用户名："))?;
            terminal.read_line()?.trim().to_owned()
        }
        None => return Err(no_terminal(words)),
    };
    let password = if args.password_stdin {
        read_line()?
    } else if can_ask {
        terminal.write_str(words.pick("Password (not shown): ", "密码（不显示）："))?;
        terminal.read_secure_line()?
    } else {
        return Err(no_terminal(words));
    };
    let credentials = json!({ "username": username, "password": password });
    let api = Api::new(url, None, words);
    let opened: Opened = api.json(Ask::post("/v1/session", &credentials)).await?;
    let api = Api::new(url, Some(opened.token), words);
    let scopes: Vec<&str> = args.scopes.iter().map(|scope| scope.as_str()).collect();
    let name = format!("berth @ {}", person.machine);
    let made = api
        .json(Ask::post(
            "/v1/tokens",
            &json!({ "name": name, "scopes": scopes }),
        ))
        .await;
    // Whatever came of it: nothing needs the session any more.
    let _ = api.ask(Ask::new(Method::DELETE, "/v1/session").no_retry()).await;
    Ok(made?)
}

fn no_terminal(words: Words) -> Failure {
    let text = words.pick(
        "there is no terminal to ask at: give --username with --password-stdin, or --token -",
        "没有终端可供输入：请用 --username 加 --password-stdin，或 --token -",
    );
    text.into()
}

/// The first line of standard input.
pub(crate) fn read_line() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err("standard input is empty · 标准输入为空".into());
    }
    Ok(line.to_owned())
}

/// `berth logout`: revokes the token that was made here, and forgets it.
pub(crate) async fn logout(person: &Person, words: Words, url: Option<String>) -> Result<(), Failure> {
    let mut logins = Logins::load(person)?;
    let url = match url {
        Some(url) => read_url(&url)?,
        None => logins
            .current
            .clone()
            .ok_or_else(|| words.pick("nobody is logged in here", "本机没有登录"))?,
    };
    let Some(login) = logins.logins.remove(&url) else {
        return Err(words
            .pick(
                format!("nobody is logged in at {url}"),
                format!("本机没有登录 {url}"),
            )
            .into());
    };
    if logins.current.as_deref() == Some(&url) {
        logins.current = logins.logins.keys().next().cloned();
    }
    logins.save(person)?;
    revoke(words, &url, &login).await;
    say!(
        "{}",
        words.pick(format!("Logged out of {url}."), format!("已退出 {url}。"))
    );
    Ok(())
}

/// Revokes a token that was made here. That it can't be is told, and keeps nobody from going.
async fn revoke(words: Words, url: &str, login: &Login) {
    let Some(id) = login.token_id else {
        eprintln!(
            "{}",
            words.pick(
                "The token was given, not made here: it is forgotten, and stays good elsewhere.",
                "该令牌不是在本机创建的：本机已忘记它，但它在别处仍有效。"
            )
        );
        return;
    };
    let api = Api::new(url, Some(login.token.clone()), words);
    let asked = api
        .ask(Ask::new(Method::DELETE, format!("/v1/tokens/{id}")).no_retry())
        .await;
    if let Err(error) = asked
        && !matches!(error.status(), Some(401 | 404))
    {
        let text = words.pick(
            "The token could not be revoked; revoke it on the page",
            "令牌未能吊销，请到网页上吊销",
        );
        eprintln!("{text}: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_as_people_type_it() {
        for (typed, read) in [
            ("https://img.example.com/", "https://img.example.com"),
            ("img.example.com", "https://img.example.com"),
            ("localhost:8080", "http://localhost:8080"),
            ("127.0.0.1:8080/", "http://127.0.0.1:8080"),
            (" http://[::1]:81 ", "http://[::1]:81"),
            (
                "https://example.com/pictures/?x=1#y",
                "https://example.com/pictures",
            ),
        ] {
            assert_eq!(read_url(typed).unwrap(), read, "{typed}");
        }
        for wrong in [
            "ftp://example.com",
            "https://",
            "",
            "https://me:secret@example.com",
        ] {
            let told = read_url(wrong).unwrap_err().to_string();
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
