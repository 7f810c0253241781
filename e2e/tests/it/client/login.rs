use std::{
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use super::{Desk, complaint, printed};

fn with_input(command: &mut Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_login_makes_a_token_for_this_machine_that_a_logout_revokes() {
    let desk = Desk::new();
    let nobody = desk.command_of_nobody(&["list"]).output().unwrap();
    assert!(complaint(&nobody).contains("berth login URL"), "{nobody:?}");

    let wrong = desk.command_of_nobody(&["login", desk.url()]).output().unwrap();
    assert!(
        complaint(&wrong).contains("--password-stdin"),
        "no terminal to ask at"
    );
    let login = [
        "login",
        desk.url(),
        "--username",
        &desk.username,
        "--password-stdin",
    ];
    let password = format!("{}\n", desk.password);
    let told = with_input(&mut desk.command_of_nobody(&login), &password);
    assert!(
        told.contains(&format!("You are {}", desk.username)) && told.contains("upload, read, manage"),
        "{told}"
    );

    let file = desk.folder.path().join(".config/berth/logins.json");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let kept = std::fs::read_to_string(&file).unwrap();
    let token = kept
        .split('"')
        .find(|text| text.starts_with("berth_"))
        .unwrap()
        .to_owned();
    assert!(!told.contains(&token), "it is not shown");
    assert_eq!(printed(&mut desk.command_of_nobody(&["list", "-q"])), "");

    // Another login on the same machine takes the place of the first.
    with_input(&mut desk.command_of_nobody(&login), &password);
    let mut by_first = desk.command_of_nobody(&["list"]);
    by_first.env("BERTH_TOKEN", &token);
    assert!(complaint(&by_first.output().unwrap()).contains("invalid_credential"));

    // A token that is kept for one berth is not sent to another.
    let mut elsewhere = desk.command_of_nobody(&["list"]);
    elsewhere.env("BERTH_URL", "http://127.0.0.1:9");
    assert!(complaint(&elsewhere.output().unwrap()).contains("no token for http://127.0.0.1:9"));

    let second = std::fs::read_to_string(&file).unwrap();
    let second = second
        .split('"')
        .find(|text| text.starts_with("berth_"))
        .unwrap()
        .to_owned();
    assert!(printed(&mut desk.command_of_nobody(&["logout"])).contains("Logged out"));
    assert!(!std::fs::read_to_string(&file).unwrap().contains("berth_"));
    let mut by_second = desk.command_of_nobody(&["list"]);
    by_second.envs([("BERTH_TOKEN", second.as_str()), ("BERTH_URL", desk.url())]);
    assert!(
        complaint(&by_second.output().unwrap()).contains("invalid_credential"),
        "revoked"
    );
}

#[test]
fn a_token_that_is_given_is_kept_as_it_is_and_words_follow_the_locale() {
    let desk = Desk::new();
    let mut login = desk.command_of_nobody(&["login", desk.url(), "--token", "-"]);
    login.env("LC_ALL", "zh_CN.UTF-8");
    let told = with_input(&mut login, &desk.token);
    assert!(told.contains(&format!("已以 {} 登录", desk.username)), "{told}");
    let mut logout = desk.command_of_nobody(&["logout"]);
    printed(logout.env("LC_ALL", "zh_CN.UTF-8"));
    assert_eq!(desk.berth(&["list", "-q"]), "", "the token is good elsewhere");
    let mut refused = desk.command(&["show", "7h9KzQm2xRfW"]);
    let refused = refused.env("LC_ALL", "zh_CN.UTF-8").output().unwrap();
    assert!(
        complaint(&refused).contains("图片不存在"),
        "the berth answers in Chinese, too: {refused:?}"
    );
}
