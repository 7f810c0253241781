use std::{io::Write as _, process::Stdio};

use super::{Desk, complaint, path, printed};
use crate::curl::curl;

#[test]
fn users_are_made_limited_shut_out_and_deleted() {
    let desk = Desk::at_own_berth(&[]);
    let password = desk.berth(&["user", "create", "bob"]);
    assert!(password.trim().len() >= 12, "{password}");
    desk.berth(&["user", "quota", "bob", "--files", "1", "--bytes", "10MiB"]);
    let row = |desk: &Desk| {
        let table = desk.berth(&["user", "list"]);
        table
            .lines()
            .find(|line| line.contains("bob"))
            .unwrap()
            .to_owned()
    };
    assert!(
        row(&desk).contains("member") && row(&desk).contains("10 MiB"),
        "{}",
        row(&desk)
    );

    let login = |desk: &Desk, password: &str| {
        let mut command =
            desk.command_of_nobody(&["login", desk.url(), "--username", "bob", "--password-stdin"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(password.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    };
    assert!(login(&desk, &password).status.success());
    let (first, second) = (desk.picture("a.png", 1), desk.picture("b.png", 2));
    printed(&mut desk.command_of_nobody(&["upload", path(&first)]));
    let full = desk
        .command_of_nobody(&["upload", path(&second)])
        .output()
        .unwrap();
    assert!(complaint(&full).contains("quota_exceeded"));
    desk.berth(&["user", "quota", "bob", "--files", "none"]);
    printed(&mut desk.command_of_nobody(&["upload", path(&second)]));
    let refused = desk.command_of_nobody(&["user", "list"]).output().unwrap();
    assert!(complaint(&refused).contains("scope_missing"), "{refused:?}");

    desk.berth(&["user", "disable", "bob"]);
    assert!(row(&desk).contains("disabled"));
    complaint(&desk.command_of_nobody(&["list"]).output().unwrap());
    desk.berth(&["user", "enable", "bob"]);
    let mut passwd = desk.command(&["user", "passwd", "bob", "--password-stdin"]);
    let mut child = passwd.stdin(Stdio::piped()).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"another long password\n")
        .unwrap();
    assert!(child.wait().unwrap().success());
    assert!(complaint(&login(&desk, &password)).contains("invalid_login"));
    assert!(login(&desk, "another long password\n").status.success());
    let asked = desk.command(&["user", "delete", "bob"]).output().unwrap();
    assert!(
        complaint(&asked).contains("--yes"),
        "what can't be undone is never done unasked"
    );
    desk.berth(&["user", "delete", "bob", "--yes"]);
    assert!(!desk.berth(&["user", "list"]).contains("bob"));
}

#[test]
fn tokens_are_made_listed_and_revoked_and_views_are_told() {
    let desk = Desk::new();
    let token = desk.berth(&[
        "token",
        "create",
        "--name",
        "Typora",
        "--scopes",
        "upload",
        "--expires-in",
        "90d",
    ]);
    let table = desk.berth(&["token", "list"]);
    let row = table
        .lines()
        .find(|line| line.contains("Typora"))
        .unwrap()
        .to_owned();
    let number = row.split_whitespace().next().unwrap();
    let file = desk.picture("pier.png", 1);
    // A token that may only upload is enough for an upload, also to an album whose number is known.
    let album = desk.berth(&["album", "create", "Crete"]);
    let mut upload = desk.command(&["upload", "--album", album.trim(), path(&file)]);
    let link = printed(upload.env("BERTH_TOKEN", token.trim()));
    for _ in 0..3 {
        assert_eq!(
            curl(&[
                "-H",
                "Referer: https://blog.example/",
                "-A",
                "Mozilla/5.0",
                link.trim()
            ])
            .status,
            403
        );
        assert_eq!(curl(&["-A", "Mozilla/5.0", link.trim()]).status, 200);
    }
    assert_eq!(desk.list(&["--album", "Crete"]).len(), 1);
    desk.berth(&["token", "revoke", number]);
    let mut revoked = desk.command(&["upload", path(&file)]);
    complaint(&revoked.env("BERTH_TOKEN", token.trim()).output().unwrap());
    let told = crate::stack::wait_for("the fold", std::time::Duration::from_secs(10), || {
        Some(desk.berth(&["stats"])).filter(|told| told.contains("3 views"))
    });
    for part in [
        "1 images",
        "3 refused",
        "█",
        "pier.png",
        "blog.example",
        "image/png",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_doctor_says_what_is_well_and_what_to_do_about_the_rest() {
    let desk = Desk::new();
    let file = desk.picture("pier.png", 1);
    desk.berth(&["upload", path(&file)]);
    let well = desk.berth(&["doctor"]);
    assert!(well.lines().all(|line| line.starts_with('✓')), "{well}");
    assert!(well.contains("served whole") && well.contains("clock"), "{well}");

    let mut ill = desk.command(&["doctor", "--health", "http://127.0.0.1:9/health/ready"]);
    ill.envs([
        ("BERTH_DATABASE_URL", "postgres://nobody@127.0.0.1:9/berth"),
        ("BERTH_EXPIRE_DAYS", "soon"),
        ("BERTH_DATA", "/proc"),
    ]);
    let output = ill.output().unwrap();
    complaint(&output);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in [
        "✗ ",
        "BERTH_EXPIRE_DAYS",
        "Is Postgres running",
        "/proc/blobs can't be written to",
        "127.0.0.1:9",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let secret = desk.berth(&["keygen"]);
    assert!(secret.trim().len() == 64 && secret != desk.berth(&["keygen"]));
}
