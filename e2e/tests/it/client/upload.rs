use std::{fs::File, process::Command};

use test_kit::pictures;

use super::{Desk, complaint, path};
use crate::curl::curl;

#[test]
fn links_come_one_a_line_in_the_order_of_the_files_and_nothing_is_sent_twice() {
    let desk = Desk::at_own_berth(&[]);
    // Later files are smaller, so that they would be there first.
    let files: Vec<_> = (0..6u32)
        .map(|i| {
            let side = 600 - 100 * i;
            desk.file(&format!("{i}.png"), &pictures::png(side, side, u64::from(i)))
        })
        .collect();
    let arguments: Vec<&str> = ["upload"]
        .into_iter()
        .chain(files.iter().map(|file| path(file)))
        .collect();
    let output = desk.command(&arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(
        output.stderr.is_empty(),
        "no bars where there is no terminal: {output:?}"
    );
    let printed = String::from_utf8(output.stdout).unwrap();
    let links: Vec<&str> = printed.lines().collect();
    assert_eq!(links.len(), files.len());
    for (link, file) in links.iter().zip(&files) {
        assert_eq!(curl(&[link]).body, std::fs::read(file).unwrap(), "{link}");
    }
    let before = received(&desk);
    assert_eq!(desk.berth(&arguments), printed, "the same links");
    assert_eq!(received(&desk), before, "no byte of them was sent again");
    // Unless somebody asks for a longer life than they have.
    desk.berth(&["upload", "--expires-in", "90d", path(&files[5])]);
    let longer = desk.list(&["5.png"]);
    let left = longer[0]["expires_at"].as_str().unwrap();
    assert!(
        left > desk.list(&["4.png"])[0]["expires_at"].as_str().unwrap(),
        "{left}"
    );
    assert_eq!(desk.list(&[]).len(), files.len());
}

/// Uploads that the berth has taken, as its audit log counts them.
fn received(desk: &Desk) -> usize {
    let bearer = format!("Authorization: Bearer {}", desk.token);
    let url = format!("{}/v1/events?kind=upload&limit=200", desk.url());
    let answer = curl(&["-H", &bearer, &url]);
    answer.json()["events"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_bad_file_sinks_no_other_and_the_end_tells_which() {
    let desk = Desk::new();
    let (good, last) = (desk.picture("good.png", 1), desk.picture("last.png", 2));
    let notes = desk.file("notes.txt", b"no picture");
    let album = desk.berth(&["album", "create", "Crete"]);
    let output = desk
        .command(&[
            "upload",
            "-a",
            "Crete",
            "--name",
            "渡口.png",
            "--description",
            "a \"pier\"",
            "--visibility",
            "unlisted",
            "--copy",
            "markdown",
            path(&good),
            path(&notes),
            "gone.png",
            path(&last),
        ])
        .output()
        .unwrap();
    let told = complaint(&output);
    for part in ["notes.txt", "type_not_allowed", "gone.png", "2 of 4 files"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.lines().count(), 2);
    assert!(
        printed.lines().all(|line| line.starts_with("![渡口](http")),
        "{printed}"
    );
    let images = desk.list(&[]);
    for image in &images {
        assert_eq!(image["name"], "渡口.png");
        assert_eq!(image["description"], "a \"pier\"");
        assert_eq!(image["visibility"], "unlisted");
        assert_eq!(image["album"].to_string(), album.trim());
    }
    assert_eq!(images.len(), 2);
}

#[test]
fn standard_input_and_folders_are_uploaded_too() {
    let desk = Desk::new();
    let picture = desk.picture("a.png", 9);
    let mut command = desk.command(&["upload", "-", "--name", "screenshot.png"]);
    command.stdin(File::open(&picture).unwrap());
    let link = super::printed(&mut command);
    assert_eq!(curl(&[link.trim()]).body, std::fs::read(&picture).unwrap());
    assert_eq!(desk.list(&[])[0]["name"], "screenshot.png");

    for (name, seed) in [
        ("tree/b.png", 10),
        ("tree/deep/c.png", 11),
        ("tree/.git/x.png", 12),
    ] {
        desk.picture(name, seed);
    }
    desk.file("tree/readme.md", b"words");
    let refused = desk.command(&["upload", "tree"]).output().unwrap();
    assert!(complaint(&refused).contains("--recursive"));
    let links = desk.berth(&["upload", "-r", "tree"]);
    assert_eq!(links.lines().count(), 2);
    assert_eq!(desk.list(&[]).len(), 3);
}

/// The line that Typora runs, and what it takes: as many last lines as it gave files.
#[test]
fn typora_takes_the_last_lines_of_what_is_printed() {
    let desk = Desk::new();
    let (first, second) = (desk.picture("图 1.png", 20), desk.picture("b's.png", 21));
    let line = format!("berth upload '{}' \"{}\"", path(&first), path(&second));
    let berth = crate::stack::program("berth");
    let mut command = Command::new("sh");
    let with = desk.command(&[]);
    command.args(["-c", &line]).current_dir(desk.folder.path());
    command.envs(with.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let search = format!(
        "{}:{}",
        berth.parent().unwrap().display(),
        std::env::var_os("PATH").unwrap().display()
    );
    let printed = super::printed(command.env("PATH", search));
    let links: Vec<&str> = printed.lines().rev().take(2).collect();
    for (link, file) in links.iter().rev().zip([first, second]) {
        assert_eq!(curl(&[link]).body, std::fs::read(file).unwrap());
    }
}
