use std::process::Command;

use test_kit::pictures;

use super::printed;
use crate::stack::{Stack, program, without_our_settings};

/// As people have it: nginx in front, its limits and its own way of sending files.
#[tokio::test(flavor = "multi_thread")]
async fn large_and_small_files_go_there_and_back_through_nginx() {
    let stack = Stack::start(&[]).await;
    let home = stack.folder.path().join("home");
    let pictures_in = home.join("in");
    std::fs::create_dir_all(&pictures_in).unwrap();
    let files = [
        ("large.png", pictures::png(1750, 1750, 1)),
        ("small.png", pictures::png(24, 24, 2)),
    ];
    for (name, bytes) in &files {
        std::fs::write(pictures_in.join(name), bytes).unwrap();
    }
    let berth = |arguments: &[&str]| {
        let mut command = Command::new(program("berth"));
        without_our_settings(&mut command);
        command
            .current_dir(&home)
            .args(arguments)
            .env("HOME", &home)
            .env("LC_ALL", "C.UTF-8");
        printed(command.envs([("BERTH_URL", &stack.url), ("BERTH_TOKEN", &stack.token)]))
    };
    let links = berth(&["upload", "in/large.png", "in/small.png"]);
    assert_eq!(links.lines().count(), 2, "{links}");
    assert!(berth(&["export", "--by-date", "out"]).contains("2 copied"));
    for (name, bytes) in &files {
        assert_eq!(
            &std::fs::read(home.join("out/no_date").join(name)).unwrap(),
            bytes
        );
    }
    assert!(berth(&["doctor"]).lines().all(|line| line.starts_with('✓')));
}
