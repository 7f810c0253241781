//! A disk that is full, has no inodes left, or can't be written to: uploads are told before their bodies are read, views go on, and all is well as
//! soon as there is room.

use std::{
    io::Write as _,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use test_kit::pictures;

use crate::{curl::curl, outage::declare, stack::Stack};

/// What stays free of the small disk.
const RESERVE: u64 = 1 << 20;
const AT_ONCE: Duration = Duration::from_secs(1);

/// Runs the child below where no other process sees what it mounts, so that nothing of it can stay behind.
#[test]
fn a_disk_without_room_refuses_uploads_before_their_bodies_and_shows_every_picture() {
    let can_mount = Command::new("unshare").args(["--mount", "true"]).output();
    if !can_mount.is_ok_and(|done| done.status.success()) {
        println!("full: skipped, mounting a small disk needs root");
        return;
    }
    let done = Command::new("unshare")
        .arg("--mount")
        .arg(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "full::child_on_a_small_disk",
        ])
        .env("SMALL_DISK", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    for line in said.lines().filter(|line| line.starts_with("full:")) {
        println!("{line}");
    }
    assert!(
        done.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test above, where it may mount"]
async fn child_on_a_small_disk() {
    if std::env::var_os("SMALL_DISK").is_none() {
        return;
    }
    let reserve = RESERVE.to_string();
    let mut stack = Stack::start(&[
        ("BERTH_DISK_RESERVE", reserve.as_str()),
        ("BERTH_VARIANT_JOBS", "0"),
        ("BERTH_LOG", "error"),
    ])
    .await;
    let store = stack.folder.path().join("blobs");
    mount(
        &["-t", "tmpfs", "-o", "size=24m,nr_inodes=1000,mode=755", "none"],
        &store,
    );
    for service in ["upload-svc", "serve-svc"] {
        stack.kill_service(service);
        stack.restart_service(service);
    }
    let urls: Vec<String> = (0..4).map(|seed| upload(&stack, seed).1).collect();
    let mut seed = 100;
    for lack in ["space", "inodes", "writing"] {
        take_away(&store, lack);
        let (status, _, took) = declare(&stack, 8 << 20);
        let expected = if lack == "writing" { 503 } else { 507 };
        assert_eq!(status, expected, "{lack}");
        assert!(took <= AT_ONCE, "{lack}: {took:?}");
        let shown = (0..50)
            .filter(|view| curl(&[&urls[view % urls.len()]]).status == 200)
            .count();
        assert_eq!(shown, 50, "{lack}");
        give_back(&store, lack);
        let back = Instant::now();
        seed += 1;
        assert_eq!(upload(&stack, seed).0, 201, "{lack}");
        let whole = back.elapsed();
        println!(
            "full: without {lack}: {status} after {} ms, 0 of 8388608 bytes of the body read; {shown} of 50 views shown; taken again {} ms after there was room",
            took.as_millis(),
            whole.as_millis()
        );
        assert!(whole <= AT_ONCE, "{lack}: {whole:?}");
    }
    let left = std::fs::read_dir(store.join(".staging")).unwrap().count();
    assert_eq!(left, 0, "staged files");
    stack.stop();
    assert!(
        Command::new("umount")
            .arg("--lazy")
            .arg(&store)
            .status()
            .unwrap()
            .success()
    );
}

fn mount(arguments: &[&str], at: &Path) {
    let done = Command::new("mount").args(arguments).arg(at).status().unwrap();
    assert!(done.success(), "mount {arguments:?}");
}

fn filler(store: &Path) -> std::path::PathBuf {
    store.join(".filler")
}

fn take_away(store: &Path, lack: &str) {
    match lack {
        "space" => {
            let mut file = std::fs::File::create(filler(store)).unwrap();
            let piece = vec![0; 64 << 10];
            while file.write_all(&piece).is_ok() {}
            // Some is left, but less than what shall stay.
            let length = file.metadata().unwrap().len();
            file.set_len(length - RESERVE / 2).unwrap();
        }
        "inodes" => {
            std::fs::create_dir(filler(store)).unwrap();
            let mut number = 0;
            while std::fs::File::create(filler(store).join(number.to_string())).is_ok() {
                number += 1;
            }
        }
        _ => mount(&["-o", "remount,ro"], store),
    }
}

fn give_back(store: &Path, lack: &str) {
    match lack {
        "space" => std::fs::remove_file(filler(store)).unwrap(),
        "inodes" => std::fs::remove_dir_all(filler(store)).unwrap(),
        _ => mount(&["-o", "remount,rw"], store),
    }
}

fn upload(stack: &Stack, seed: u64) -> (u16, String) {
    let file = stack.folder.path().join("sent.png");
    std::fs::write(&file, pictures::png(32, 32, seed)).unwrap();
    let answer = stack.post(&file, &[]);
    let url = (answer.status == 201).then(|| answer.json()["images"][0]["url"].as_str().unwrap().to_owned());
    (answer.status, url.unwrap_or_default())
}
