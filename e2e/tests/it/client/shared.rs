//! One berthd for all tests of the process that need no settings of their own: each is a member of their own there.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use serde_json::Value;

use crate::stack::{open_folder, program, wait_for, without_our_settings};

pub(super) struct Shared {
    pub(super) url: String,
    /// The administrator's.
    pub(super) token: String,
    pub(super) blobs: PathBuf,
    /// Holds the pipe whose end stops the berth, however this process ends.
    _keeper: Child,
}

/// Waits for the end of its input, which comes when the tests' process is gone, whether it ended or was killed; then stops berthd and
/// removes its folder.
const KEEPER: &str = r#"
"$1" --data "$2/data" --listen 127.0.0.1:0 < /dev/null > "$2/log" 2>&1 &
cat > /dev/null
kill "$!"
wait "$!"
rm -rf "$2"
"#;

pub(super) fn berth() -> &'static Shared {
    static BERTH: OnceLock<Shared> = OnceLock::new();
    BERTH.get_or_init(|| {
        let folder = open_folder().keep();
        let mut command = Command::new("sh");
        command
            .args(["-c", KEEPER, "sh"])
            .arg(program("berthd"))
            .arg(&folder);
        command
            .env("BERTH_SIGN_IN_PER_ADDRESS", "10000")
            .current_dir(&folder);
        without_our_settings(&mut command);
        let keeper = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let data = folder.join("data");
        let first: Value = wait_for("first-run.json", Duration::from_mins(1), || {
            serde_json::from_str(&std::fs::read_to_string(data.join("first-run.json")).ok()?).ok()
        });
        let text = |key: &str| first[key].as_str().unwrap().to_owned();
        let url = text("url");
        wait_for("the berth of all tests", Duration::from_mins(1), || {
            (crate::curl::curl(&[&format!("{url}/openapi.json")]).status == 200).then_some(())
        });
        Shared {
            token: text("token"),
            blobs: data.join("blobs"),
            url,
            _keeper: keeper,
        }
    })
}
