//! What `berth config check` says, and to whom.

use std::fs;

use crate::rig::{program, text};

#[test]
fn a_missing_secret_is_complained_of_unless_berthd_keeps_its_own_in_the_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let check = || {
        let mut command = program(folder.path());
        command
            .args(["config", "check"])
            .env("BERTH_DATA", text(folder.path()));
        command.output().unwrap()
    };
    let without = check();
    assert_eq!(without.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&without.stderr).contains("BERTH_SECRET"));
    fs::write(folder.path().join("secret"), "0123456789abcdef0123456789abcdef").unwrap();
    let with = check();
    assert!(with.status.success(), "{}", String::from_utf8_lossy(&with.stderr));
}
