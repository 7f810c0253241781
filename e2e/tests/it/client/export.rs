use std::{
    collections::BTreeMap, os::unix::fs::MetadataExt as _, path::Path, sync::atomic::Ordering::SeqCst,
    time::Duration,
};

use serde_json::Value;
use test_kit::pictures::{self, exif, jpeg_with_exif};

use super::{Desk, complaint, cut::Road, path};
use crate::{curl::curl, stack::wait_for};

/// Every file of a folder, by its path, without the index.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                walk(root, &path, into);
            } else if entry.file_name() != "index.jsonl" {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                into.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// What the berth says of its images, without what differs between two berths: and when each ends, in seconds of its day.
fn told(desk: &Desk) -> Vec<(Value, Option<i64>)> {
    let albums = desk.berth(&["album", "list"]);
    let mut told: Vec<_> = desk
        .list(&[])
        .iter()
        .map(|image| {
            let album = image["album"].to_string();
            let album = albums
                .lines()
                .find(|line| line.split_whitespace().next() == Some(&album));
            let album = album
                .unwrap()
                .split_whitespace()
                .skip(2)
                .collect::<Vec<_>>()
                .join(" ");
            let ends = image["expires_at"].as_str().map(|at| {
                let figures = at[11..19].split(':').map(|figure| figure.parse::<i64>().unwrap());
                figures.fold(0, |sum, figure| sum * 60 + figure)
            });
            let said = serde_json::json!([
                image["sha256"],
                image["name"],
                image["description"],
                image["visibility"],
                image["taken_at"],
                album
            ]);
            (said, ends)
        })
        .collect();
    told.sort_by_key(|(said, _)| said[0].to_string());
    told
}

/// Five pictures of every kind: dated, undated, private, refused to strangers, two of one name.
fn fill(desk: &Desk) {
    let when = [
        (0x9003, 2, &b"2024:05:01 09:15:00\0"[..]),
        (0x9011, 2, &b"+08:00\0"[..]),
    ];
    let taken = jpeg_with_exif(9, &exif(&[], &when));
    let dated = desk.file("sea.jpg", &taken);
    desk.berth(&["album", "create", "Crete 2024"]);
    desk.berth(&[
        "upload",
        "-a",
        "Crete 2024",
        "--description",
        "a pier",
        "--expires-in",
        "40d",
        path(&dated),
    ]);
    for (file, seed, more) in [
        ("a.png", 1, vec!["--visibility", "private", "--expires-in", "0"]),
        ("b/a.png", 2, vec!["--name", "a.png"]),
        ("c.png", 3, vec!["--name", "../..:x?.png"]),
        ("d.png", 4, vec!["--visibility", "unlisted"]),
    ] {
        let file = desk.picture(file, seed);
        desk.berth(&[&["upload", path(&file)], more.as_slice()].concat());
    }
}

#[test]
fn an_export_is_filed_by_day_is_whole_and_comes_back_by_an_import() {
    // Nobody may see a picture without coming from a page: not even its owner by its plain URL.
    let desk = Desk::at_own_berth(&[("BERTH_HOTLINK_EMPTY", "deny")]);
    fill(&desk);
    let told_once = desk.berth(&["export", "--by-date", "out"]);
    assert!(told_once.contains("5 copied"), "{told_once}");
    let out = desk.folder.path().join("out");
    let exported = files(&out);
    let names: Vec<&str> = exported.keys().map(String::as_str).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    assert_eq!(names[0], "images/2024-05-01/sea.jpg");
    assert!(
        names[1..]
            .iter()
            .all(|name| name.starts_with("no_date/") && name.matches('/').count() == 1),
        "{names:?}"
    );
    let modified = std::fs::metadata(out.join(names[0])).unwrap().mtime();
    assert_eq!(modified, 1_714_526_100, "as it was taken");
    for image in desk.list(&[]) {
        let file = exported
            .values()
            .find(|bytes| bytes.len() as u64 == image["size_bytes"].as_u64().unwrap());
        assert!(file.is_some(), "{image}");
    }
    let stats = |desk: &Desk| {
        let bearer = format!("Authorization: Bearer {}", desk.token);
        curl(&["-H", &bearer, &format!("{}/v1/stats", desk.url())]).json()["totals"].clone()
    };
    let totals = wait_for("the fold", Duration::from_secs(10), || {
        Some(stats(&desk)).filter(|totals| totals["bots"].as_u64() >= Some(5))
    });
    assert_eq!(totals["views"], 0, "an export is no reader: {totals}");

    let index = std::fs::read(out.join("index.jsonl")).unwrap();
    let again = desk.berth(&["export", "--by-date", "out"]);
    assert!(
        again.contains("0 copied") && again.contains("5 were there already"),
        "{again}"
    );
    assert_eq!(std::fs::read(out.join("index.jsonl")).unwrap(), index);

    let other = Desk::new();
    let imported = other.berth(&["import", path(&out)]);
    assert!(imported.contains("5 new"), "{imported}");
    for ((here, ends), (there, ended)) in told(&other).into_iter().zip(told(&desk)) {
        assert_eq!(here, there, "names, words, albums and bytes");
        let apart = ends
            .zip(ended)
            .map_or(0, |(one, other)| (one - other).rem_euclid(86_400));
        assert!(
            apart.min(86_400 - apart) < 60 && ends.is_some() == ended.is_some(),
            "{here} ends when it did"
        );
    }
    let imported = other.berth(&["import", path(&out)]);
    assert!(imported.contains("0 new, 5 were there"), "{imported}");
    assert_eq!(other.list(&[]).len(), 5);
}

#[test]
fn an_operators_export_is_made_of_hard_links() {
    let desk = Desk::new();
    fill(&desk);
    let told = desk.berth(&["export", "--by-date", "out", "--blobs", path(&desk.blobs)]);
    assert!(told.contains("0 copied") && told.contains("5 linked"), "{told}");
    for name in files(&desk.folder.path().join("out")).keys() {
        let file = std::fs::metadata(desk.folder.path().join("out").join(name)).unwrap();
        assert!(file.nlink() >= 2, "{name}");
    }
    // What somebody has damaged on the disk is fetched, and found to be wrong.
    let mut command = desk.command(&["export", "--by-album", "albums"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(desk.folder.path().join("albums/Crete 2024/sea.jpg").is_file());
}

#[test]
fn an_export_that_was_killed_goes_on_with_what_it_has() {
    let desk = Desk::new();
    let bytes = pictures::png(1750, 1750, 7);
    let large = desk.file("large.png", &bytes);
    desk.berth(&["upload", path(&large)]);
    let road = Road::to(desk.url());
    road.back_allowance.store(6 << 20, SeqCst);
    road.holds.store(true, SeqCst);
    let mut child = desk
        .command(&["export", "--by-date", "out"])
        .env("BERTH_URL", &road.url)
        .spawn()
        .unwrap();
    let partial = desk.folder.path().join("out/.berth-partial");
    wait_for("half of the file", Duration::from_mins(1), || {
        let mut files = std::fs::read_dir(&partial).ok()?.filter_map(Result::ok);
        files
            .any(|file| file.metadata().is_ok_and(|file| file.len() > 5 << 20))
            .then_some(())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    road.holds.store(false, SeqCst);
    wait_for("the end of the connection", Duration::from_secs(10), || {
        (road.back_allowance.load(SeqCst) == i64::MAX).then_some(())
    });
    assert!(
        !desk.folder.path().join("out/no_date/large.png").exists(),
        "no half file under its name"
    );
    let before = road.back.load(SeqCst);
    super::printed(
        desk.command(&["export", "--by-date", "out"])
            .env("BERTH_URL", &road.url),
    );
    let sent = road.back.load(SeqCst) - before;
    assert!(
        sent < bytes.len() as u64 - (4 << 20),
        "{sent} of {} came again",
        bytes.len()
    );
    assert_eq!(files(&desk.folder.path().join("out"))["no_date/large.png"], bytes);
    // A connection that is cut is taken up at once.
    road.back_allowance.store(5 << 20, SeqCst);
    super::printed(
        desk.command(&["export", "--by-date", "again"])
            .env("BERTH_URL", &road.url),
    );
    assert_eq!(
        files(&desk.folder.path().join("again"))["no_date/large.png"],
        bytes
    );
}

#[test]
fn a_folder_is_imported_with_its_sub_folders_as_albums() {
    let desk = Desk::new();
    for (name, seed) in [
        ("tree/a.png", 1),
        ("tree/Crete/b.png", 2),
        ("tree/Crete/Chania/c.png", 3),
        ("tree/Crete/same.png", 2),
    ] {
        desk.picture(name, seed);
    }
    desk.file("tree/Crete/broken.jpg", b"\xff\xd8\xff\xe0 no picture");
    desk.file("tree/notes.txt", b"words");
    let planned = desk
        .command(&["import", "tree", "--albums", "--dry-run"])
        .output()
        .unwrap();
    let planned = String::from_utf8_lossy(&planned.stdout).into_owned();
    assert!(planned.contains("Crete/Chania"), "{planned}");
    assert_eq!(desk.list(&[]).len(), 0);
    let output = desk.command(&["import", "tree", "--albums"]).output().unwrap();
    let said = complaint(&output);
    assert!(
        said.contains("broken.jpg") && said.contains("1 of 5 files"),
        "{said}"
    );
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("3 new, 1 were there"),
        "{output:?}"
    );
    assert_eq!(desk.list(&["-a", "Crete"]).len(), 1);
    assert_eq!(desk.list(&["-a", "Crete/Chania"]).len(), 1);
    assert_eq!(desk.list(&["-a", "default"]).len(), 1);
    let output = desk.command(&["import", "tree", "--albums"]).output().unwrap();
    complaint(&output);
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("0 new, 4 were there"),
        "{output:?}"
    );
}
