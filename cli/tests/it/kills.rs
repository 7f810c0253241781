//! SIGKILL at any moment of a backup and of a restore, and then the same command again.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::rig::{Berth, filled, text};

/// Moments in the life of a command, in hundredths of what all of it takes.
const MOMENTS: [u32; 6] = [8, 25, 42, 60, 78, 95];

fn start(command: &mut Command) -> Child {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn time(mut run: impl FnMut()) -> Duration {
    let begun = Instant::now();
    run();
    begun.elapsed()
}

/// Kills it at this moment. Whether it was still there to be killed does not matter.
fn kill_at(mut child: Child, whole: Duration, moment: u32) {
    std::thread::sleep(whole * moment / 100);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_killed_backup_leaves_no_snapshot_and_the_next_one_is_whole() {
    let berth = filled(300).await;
    let kept = tempfile::tempdir().unwrap();
    let whole = time(|| drop(berth.run(&["backup", text(&kept.path().join("first"))]).ok()));
    let folder = kept.path().join("backups");
    for moment in MOMENTS {
        kill_at(
            start(&mut berth.command(&["backup", text(&folder)])),
            whole,
            moment,
        );
        // Whatever is there is whole: nothing, or snapshots that were finished before the kill.
        if folder.join("snapshots").is_dir() {
            let said = berth.run(&["verify", text(&folder)]);
            assert!(
                said.code == Some(0) || said.err.contains("holds no finished snapshot"),
                "{moment}: {said:?}"
            );
        }
    }
    berth.run(&["backup", text(&folder)]).ok();
    berth.run(&["verify", text(&folder)]).ok();
    assert_eq!(std::fs::read_dir(folder.join("drafts")).unwrap().count(), 0);
    let other = Berth::empty().await;
    other.run(&["restore", text(&folder)]).ok();
    assert_eq!(other.rows().await, berth.rows().await);
    assert!(other.files().await.values().all(|is_right| *is_right));
}

#[tokio::test]
async fn a_killed_restore_leaves_nothing_half_and_is_begun_again() {
    let berth = filled(300).await;
    let kept = tempfile::tempdir().unwrap();
    berth.run(&["backup", text(kept.path())]).ok();
    let trial = Berth::empty().await;
    let whole = time(|| drop(trial.run(&["restore", text(kept.path())]).ok()));
    let expected = berth.rows().await;
    let mut other = Berth::empty().await;
    for moment in MOMENTS {
        kill_at(
            start(&mut other.command(&["restore", text(kept.path())])),
            whole,
            moment,
        );
        let tables = other.tables().await;
        if tables.iter().any(|table| table == "image")
            && other.number("SELECT count(*) FROM account").await > 0
        {
            // It had committed already: then everything is here, and berth's next start needs no more.
            assert_eq!(other.rows().await, expected, "{moment}");
            assert!(other.files().await.values().all(|is_right| *is_right));
            catalog::migrate(&other.database.owner()).await.unwrap();
            other = Berth::empty().await;
        }
    }
    other.run(&["restore", text(kept.path())]).ok();
    assert_eq!(other.rows().await, expected);
    assert_eq!(other.shape().await, berth.shape().await);
    assert!(other.files().await.values().all(|is_right| *is_right));
}
