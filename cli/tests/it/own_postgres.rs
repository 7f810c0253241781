//! berthd's own Postgres: found by its folder, and run for the command while berthd is not.

use std::os::unix::fs::PermissionsExt as _;

use crate::rig::{Said, filled, program, text};

#[tokio::test]
async fn a_backup_is_restored_into_a_new_data_folder_and_taken_of_it_again() {
    let berth = filled(20).await;
    let kept = tempfile::tempdir().unwrap();
    // Postgres runs as another user where the tests run as root.
    std::fs::set_permissions(kept.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let (first, second, data) = (
        kept.path().join("1"),
        kept.path().join("2"),
        kept.path().join("data"),
    );
    berth.run(&["backup", text(&first)]).ok();
    let run = |arguments: &[&str]| -> Said {
        let mut command = program(kept.path());
        command.args(arguments).args(["--data", text(&data)]);
        command.output().unwrap().into()
    };
    run(&["backup", text(&second)]).failed(&["the store failed"]);
    let said = run(&["restore", text(&first)]).ok();
    assert!(said.out.contains("start berthd"), "{}", said.out);
    assert!(
        !data.join("postgres/data/postmaster.pid").exists(),
        "Postgres was stopped in order"
    );
    run(&["restore", text(&first)]).failed(&["2 accounts"]);
    run(&["verify"]).ok();
    let said = run(&["backup", text(&second)]).ok();
    assert!(said.out.contains("Backed up 21 images"), "{}", said.out);
    // A row each in the same tables with the same columns, and so the same files.
    let rows = |folder: &std::path::Path| {
        let snapshot = std::fs::read_dir(folder.join("snapshots"))
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        let manifest = std::fs::read(snapshot.path().join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        (
            manifest["tables"].clone(),
            manifest["sequences"].clone(),
            manifest["blobs"].clone(),
        )
    };
    assert_eq!(rows(&first), rows(&second));
}
