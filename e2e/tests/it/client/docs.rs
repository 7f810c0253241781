use std::process::{Command, Stdio};

use super::Desk;
use crate::stack::{program, root};

/// The blocks of shell on a page.
fn blocks(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("docs").join(page)).unwrap();
    let pieces = text.split("```sh\n").skip(1);
    pieces
        .map(|piece| piece.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_lines_of_the_page_run_as_they_stand_in_both_languages() {
    let english = blocks("CLI.md");
    assert_eq!(english, blocks("CLI.zh-CN.md"));
    assert!(english.len() >= 4 && english[0].contains("berth login https://img.example.com\n"));
    let desk = Desk::new();
    for (name, seed) in [
        ("sunset.png", 1),
        ("pier.png", 2),
        ("pictures/a.png", 3),
        ("pictures/Crete/b.png", 4),
    ] {
        desk.picture(name, seed);
    }
    let first = english[0].replace("https://img.example.com", desk.url());
    run(
        &desk,
        &format!("{} --username {} --password-stdin", first.trim(), desk.username),
        &desk.password,
    );
    run(&desk, "berth album create Crete", "");
    for block in &english[1..] {
        run(&desk, block, "");
    }
    run(
        &desk,
        "berth list --unused-since 2100-01-01 -n 0 --quiet | berth rm -",
        "",
    );
    run(&desk, "test -z \"$(berth list --quiet)\"", "");
}

fn run(desk: &Desk, lines: &str, input: &str) {
    use std::io::Write as _;
    let with = desk.command_of_nobody(&[]);
    let mut command = Command::new("sh");
    command.args(["-ec", lines]).current_dir(desk.folder.path());
    for (name, value) in with.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let programs = program("berth").parent().unwrap().to_owned();
    command.env(
        "PATH",
        format!(
            "{}:{}",
            programs.display(),
            std::env::var_os("PATH").unwrap().display()
        ),
    );
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{lines}: {output:?}");
}

/// What people read first. `BLESS=1` writes it anew, to be looked at.
#[test]
fn help_is_in_both_languages_and_the_one_that_was_looked_at() {
    let help = |arguments: &[&str]| {
        let output = Command::new(program("berth")).args(arguments).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let all = help(&["-h"]);
    let commands = all
        .split("Commands:\n")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    for line in commands.lines().filter(|line| !line.starts_with("  help ")) {
        let chinese = line
            .rsplit_once(" · ")
            .is_some_and(|(_, after)| after.chars().any(|c| c > '\u{4e00}'));
        assert!(chinese, "both languages: {line}");
    }
    let printed = [
        help(&["upload", "-h"]),
        help(&["export", "-h"]),
        help(&["import", "-h"]),
    ]
    .join("\n");
    let file = root().join("e2e/tests/it/client/help.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &printed).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(printed, kept, "BLESS=1 writes {} anew", file.display());
}
