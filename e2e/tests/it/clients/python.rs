//! Clients from `PyPI`: lskyup, `ShareX`'s command line, and chupo.

use std::{path::Path, process::Command};

use serde_json::json;

use super::{came_back, installed, picture, run, text};
use crate::{curl::curl, stack::Stack};

fn lskyup(home: &Path) -> Command {
    let mut command = Command::new(installed(".venv/bin/lskyup"));
    at_home(&mut command, home);
    command
}

fn at_home<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    command
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home.join(".config"))
        .env("NO_PROXY", "*")
}

#[tokio::test(flavor = "multi_thread")]
async fn lskyup_uploads_and_shows_the_account() {
    let stack = Stack::start(&[]).await;
    let home = stack.folder.path().join("home");
    std::fs::create_dir_all(home.join("lskyup")).unwrap();
    let settings =
        json!({ "Url": format!("{}/api/v1", stack.url), "Token": format!("Bearer {}", stack.token) });
    std::fs::write(home.join("lskyup/config.json"), settings.to_string()).unwrap();
    let (path, bytes) = picture(stack.folder.path(), 21);
    let said = text(&run(lskyup(&home).arg("upload").arg(path)));
    came_back(&stack, &said, &bytes);
    let said = text(&run(lskyup(&home).arg("--user")));
    assert!(
        said.contains("User name: admin") && said.contains("Image Numbers: 1"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sharex_uploads_with_the_file_that_we_hand_out() {
    let stack = Stack::start(&[]).await;
    let home = stack.folder.path().join("home");
    let settings = home.join(".config/sharex-cli");
    std::fs::create_dir_all(&settings).unwrap();
    let bearer = format!("Authorization: Bearer {}", stack.token);
    let tokens = curl(&["-H", &bearer, &format!("{}/v1/tokens", stack.url)]).json();
    let id = &tokens["tokens"][0]["id"];
    let sxcu = curl(&[
        "-H",
        &bearer,
        &format!("{}/v1/tokens/{id}/sharex.sxcu", stack.url),
    ]);
    assert_eq!(sxcu.status, 200, "{sxcu:?}");
    std::fs::write(settings.join("config.json"), &sxcu.body).unwrap();
    let (path, bytes) = picture(stack.folder.path(), 22);
    // Without a terminal it uploads what it is piped, as text; script(1) gives it one.
    let line = r#""$SHAREX" --no-copy --no-launch --yes "$FILE""#;
    let mut terminal = Command::new("script");
    terminal
        .args(["-qec", line, "/dev/null"])
        .env("SHAREX", installed(".venv/bin/sharex"))
        .env("FILE", path);
    let said = text(&run(
        at_home(&mut terminal, &home).envs([("TERM", "dumb"), ("COLUMNS", "400")])
    ));
    came_back(&stack, &said, &bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn chupo_uploads_as_to_chevereto_in_each_format_that_it_knows() {
    let stack = Stack::start(&[]).await;
    let home = stack.folder.path().join("home");
    let chupo = |key: &str, format: &str| {
        let mut client = Command::new(installed(".venv/bin/chupo"));
        at_home(&mut client, &home).envs([("TERM", "dumb"), ("COLUMNS", "400")]);
        client.args(["-u", &stack.url, "-k", key, "--format", format]);
        client
    };
    for (seed, format) in [(23, "json"), (24, "txt"), (25, "redirect")] {
        let (path, bytes) = picture(stack.folder.path(), seed);
        let said = text(&run(chupo(&stack.token, format).arg(path)));
        came_back(&stack, &said, &bytes);
    }
    let (path, _) = picture(stack.folder.path(), 26);
    let said = text(&run(chupo("nobody", "json").arg(path)));
    assert!(
        !said.contains(&format!("{}/i/", stack.url)) && said.contains("Bad Request"),
        "{said}"
    );
}
