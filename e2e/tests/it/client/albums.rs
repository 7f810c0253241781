use std::io::Write as _;

use super::{Desk, complaint, path};
use crate::curl::curl;

#[test]
fn what_is_withdrawn_is_gone_at_once_and_can_be_brought_back() {
    let desk = Desk::new();
    let file = desk.picture("a.png", 1);
    let link = desk.berth(&["upload", path(&file)]);
    let link = link.trim();
    let told = desk.berth(&["rm", link]);
    assert!(
        told.contains("Withdrawn: 1") && told.contains("berth undo"),
        "{told}"
    );
    assert_eq!(curl(&[link]).status, 404);
    let ended = desk.berth(&["list", "--ended", "-q"]);
    let again = desk.command(&["rm", link, "7h9KzQm2xRfW"]).output().unwrap();
    assert!(complaint(&again).contains("7h9KzQm2xRfW"), "{again:?}");
    assert!(desk.berth(&["undo", ended.trim()]).contains("Brought back: 1"));
    assert_eq!(curl(&[link]).status, 200);
    // Ids by a pipe.
    let mut command = desk.command(&["rm", "--yes", "-"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(ended.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(desk.list(&[]).len(), 0);
}

#[test]
fn albums_are_made_filled_renamed_and_deleted() {
    let desk = Desk::new();
    let file = desk.picture("a.png", 1);
    let link = desk.berth(&["upload", path(&file)]);
    let number = desk.berth(&["album", "create", "Crete", "--description", "2024"]);
    desk.berth(&["album", "move", "Crete", link.trim()]);
    assert_eq!(desk.list(&["--album", "Crete"]).len(), 1);
    assert_eq!(desk.list(&["--album", number.trim()]).len(), 1);
    desk.berth(&["album", "rename", "Crete", "克里特"]);
    let listed = desk.berth(&["album", "list"]);
    let row = listed.lines().find(|line| line.contains("克里特")).unwrap();
    assert!(row.contains(number.trim()) && row.contains("2024"), "{listed}");
    let gone = desk.command(&["list", "-a", "Crete"]).output().unwrap();
    assert!(complaint(&gone).contains("berth album list"));
    desk.berth(&["album", "rm", "克里特"]);
    assert_eq!(desk.list(&["--album", "default"]).len(), 1, "its images move");
}

#[test]
fn an_image_is_listed_shown_and_linked() {
    let desk = Desk::new();
    let file = desk.picture("pier.png", 1);
    let link = desk.berth(&["upload", "--visibility", "private", path(&file)]);
    let link = link.trim();
    let table = desk.berth(&["list"]);
    assert!(
        table.starts_with("ID ") && table.contains("24×24") && table.contains("pier.png"),
        "{table}"
    );
    for (filter, found) in [
        (vec!["pier"], 1),
        (vec!["quay"], 0),
        (vec!["--kind", "video"], 0),
        (vec!["--visibility", "private"], 1),
        (vec!["--no-date"], 1),
        (vec!["--uploaded-from", "2100-01-01"], 0),
        (vec!["--unused-since", "2100-01-01", "--sort", "size"], 1),
    ] {
        assert_eq!(desk.list(&filter).len(), found, "{filter:?}");
    }
    assert!(desk.berth(&["show", link]).contains("pier.png"));
    let json: serde_json::Value = serde_json::from_str(&desk.berth(&["show", link, "--json"])).unwrap();
    assert_eq!(json["name"], "pier.png");
    let forms = desk.berth(&["links", link]);
    for part in ["![pier](", "<img src=", "[img]", "/d/"] {
        assert!(forms.contains(part), "{part}: {forms}");
    }
    assert_eq!(curl(&[link]).status, 404, "private");
    let signed = desk.berth(&["links", link, "--signed", "7d", "--copy", "url"]);
    assert_eq!(curl(&[signed.trim()]).status, 200);
}
