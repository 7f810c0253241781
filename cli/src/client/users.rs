//! `berth user`: accounts, by an administrator's token with the scope `admin`.

mod args;

use console::Term;
use http::Method;
use process::Person;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    api::{Api, Ask},
    session::{connect, read_line},
    table::Table,
    words::{Words, plain, size},
};
use crate::Failure;
pub(crate) use args::UserCommand;

#[derive(Deserialize)]
struct Page {
    users: Vec<User>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    username: String,
    role: String,
    quota_bytes: Option<u64>,
    quota_files: Option<u64>,
    used_bytes: u64,
    used_files: u64,
    disabled: bool,
}

#[derive(Deserialize)]
struct Made {
    username: String,
    password: Option<String>,
}

/// `berth user`.
pub(crate) async fn run(person: &Person, words: Words, command: UserCommand) -> Result<(), Failure> {
    let api = connect(person, words)?;
    match command {
        UserCommand::List => list(&api).await,
        UserCommand::Create {
            name,
            admin,
            password_stdin,
        } => create(&api, &name, admin, password_stdin).await,
        UserCommand::Disable { name } => change(&api, &name, &json!({ "disabled": true })).await,
        UserCommand::Enable { name } => change(&api, &name, &json!({ "disabled": false })).await,
        UserCommand::Role { name, role } => change(&api, &name, &json!({ "role": role })).await,
        UserCommand::Quota { name, bytes, files } => {
            let mut quota = json!({});
            if let Some(bytes) = bytes {
                quota["quota_bytes"] = bytes.0.into();
            }
            if let Some(files) = files {
                quota["quota_files"] = files.0.into();
            }
            change(&api, &name, &quota).await
        }
        UserCommand::Passwd { name, password_stdin } => {
            let password = new_password(words, password_stdin)?;
            change(&api, &name, &json!({ "password": password })).await
        }
        UserCommand::Delete { name, yes } => delete(&api, &name, yes).await,
    }
}

async fn all(api: &Api) -> Result<Vec<User>, Failure> {
    let (mut users, mut after) = (Vec::new(), String::new());
    loop {
        let page: Page = api.json(Ask::get(format!("/v1/users?limit=200{after}"))).await?;
        users.extend(page.users);
        let Some(next) = page.next else { return Ok(users) };
        after = format!(
            "&after={}",
            url::form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>()
        );
    }
}

async fn find(api: &Api, name: &str) -> Result<i64, Failure> {
    let users = all(api).await?;
    let found = users
        .iter()
        .find(|user| user.username == name)
        .map(|user| user.id);
    let words = api.words();
    Ok(found.ok_or_else(|| {
        words.pick(
            format!("there is no account {name}"),
            format!("账号 {name} 不存在"),
        )
    })?)
}

async fn list(api: &Api) -> Result<(), Failure> {
    let words = api.words();
    let mut table = Table::new(&words.pick(
        [">NO.", "NAME", "ROLE", ">IMAGES", ">OF", ">BYTES", ">OF", "STATE"],
        [
            ">编号",
            "用户名",
            "角色",
            ">图片",
            ">上限",
            ">用量",
            ">上限",
            "状态",
        ],
    ));
    for user in all(api).await? {
        let dash = || "-".to_owned();
        let state = if user.disabled {
            words.pick("disabled", "已停用")
        } else {
            ""
        };
        table.row([
            user.id.to_string(),
            plain(&user.username),
            user.role,
            user.used_files.to_string(),
            user.quota_files.map_or_else(dash, |files| files.to_string()),
            size(user.used_bytes),
            user.quota_bytes.map_or_else(dash, size),
            state.to_owned(),
        ]);
    }
    table.print();
    Ok(())
}

async fn create(api: &Api, name: &str, admin: bool, password_stdin: bool) -> Result<(), Failure> {
    let words = api.words();
    let role = if admin { "admin" } else { "member" };
    let mut body = json!({ "username": name, "role": role });
    if password_stdin {
        body["password"] = read_line()?.into();
    }
    let made: Made = api.json(Ask::post("/v1/users", &body)).await?;
    let name = plain(&made.username);
    match made.password {
        Some(password) => {
            eprintln!(
                "{}",
                words.pick(
                    format!("Made {name}. This password is shown once; they should change it."),
                    format!("已创建 {name}。密码只显示这一次，请本人尽快修改。"),
                )
            );
            say!("{password}");
        }
        None => say!(
            "{}",
            words.pick(format!("Made {name}."), format!("已创建 {name}。"))
        ),
    }
    Ok(())
}

async fn change(api: &Api, name: &str, what: &Value) -> Result<(), Failure> {
    let id = find(api, name).await?;
    api.ask(Ask::new(Method::PATCH, format!("/v1/users/{id}")).json(what))
        .await?;
    Ok(())
}

async fn delete(api: &Api, name: &str, yes: bool) -> Result<(), Failure> {
    let words = api.words();
    let id = find(api, name).await?;
    if !yes {
        let terminal = Term::stderr();
        if !terminal.is_term() {
            return Err(words
                .pick(
                    "this can't be undone: --yes says that it is meant",
                    "此操作无法撤销：确定要做请加 --yes",
                )
                .into());
        }
        terminal.write_str(&words.pick(
            format!(
                "Delete {name} and withdraw all of their images? There is no undo. Type the name again: "
            ),
            format!("删除 {name} 及其全部图片？无法撤销。请再输入一次用户名："),
        ))?;
        if terminal.read_line()?.trim() != name {
            return Err(words.pick("nothing was done", "没有做任何改动").into());
        }
    }
    api.ask(Ask::new(Method::DELETE, format!("/v1/users/{id}")))
        .await?;
    Ok(())
}

fn new_password(words: Words, from_input: bool) -> Result<String, Failure> {
    if from_input {
        return read_line();
    }
    let terminal = Term::stderr();
    if !terminal.is_term() {
        return Err(words
            .pick(
                "there is no terminal to ask at: --password-stdin",
                "没有终端可供输入：请用 --password-stdin",
            )
            .into());
    }
    let ask = |prompt: &str| -> Result<String, Failure> {
        terminal.write_str(prompt)?;
        Ok(terminal.read_secure_line()?)
    };
    let first = ask(words.pick("New password (not shown): ", "新密码（不显示）："))?;
    if ask(words.pick("Once more: ", "再输入一次："))? != first {
        return Err(words
            .pick("the two differ; nothing was done", "两次输入不一致，未作改动")
            .into());
    }
    Ok(first)
}
