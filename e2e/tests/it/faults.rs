//! Each call that a service makes about the store's files fails once, or is the last before a SIGKILL: nothing is said to be there that is not,
//! nothing is left behind, and the next request is fine.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use test_kit::pictures;

use crate::{
    curl::{Answer, curl},
    stack::{Fault, Faults, Stack, wait_for},
};

const FAULTS: [Fault; 4] = [
    Fault::Error("EIO", 5),
    Fault::Error("ENOSPC", 28),
    Fault::Error("EMFILE", 24),
    Fault::Kill,
];

/// Every so manieth call in `make test`; `make drills NAME=faults` takes each of them.
const STEP: i64 = 7;
/// No request makes so many calls: a drill that gets there runs in a circle.
const MOST_CALLS: i64 = 2_000;
/// A killed service is seen to be gone within this.
const DEATH: Duration = Duration::from_secs(2);

/// What is done while a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Upload,
    SameAgain,
    Replace,
    InPieces,
    Withdraw,
    ExpireAndSweep,
}

const DEEDS: [Deed; 6] = [
    Deed::Upload,
    Deed::SameAgain,
    Deed::Replace,
    Deed::InPieces,
    Deed::Withdraw,
    Deed::ExpireAndSweep,
];

/// What came of one deed under one kind of fault.
#[derive(Debug, Default)]
struct Tally {
    faults: u64,
    acknowledged: u64,
    refused: BTreeMap<u16, u64>,
}

struct Drill {
    stack: Stack,
    faults: Faults,
    seed: u64,
    /// Images that were acknowledged and never withdrawn, and their bytes.
    ledger: BTreeMap<String, Vec<u8>>,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_failing_call_and_no_kill_at_one_makes_us_lie_or_leave_anything() {
    let step = std::env::var_os("FAULT_STEP").map_or(STEP, |step| step.to_str().unwrap().parse().unwrap());
    let mut stack = Stack::start(&[
        ("BERTH_LOG", "info,access=off"),
        ("BERTH_VARIANT_JOBS", "0"),
        ("BERTH_SWEEP_GRACE", "0s"),
        ("BERTH_RATE_LIMIT", "0"),
        ("BERTH_ACCOUNT_RATE_LIMIT", "0"),
        // It is run by hand below, and nothing else must remove anything meanwhile.
        ("BERTH_JANITOR_INTERVAL", "1h"),
        ("BERTH_REHASH_DAYS", "0"),
    ])
    .await;
    let (folder, store) = (stack.folder.path().to_owned(), stack.folder.path().join("blobs"));
    let Some(faults) = Faults::prepare(&folder, &store) else {
        println!("faults: skipped, there is no C compiler");
        return;
    };
    stack.restart_with("upload-svc", &faults.environment());
    let mut drill = Drill {
        stack,
        faults,
        seed: 0,
        ledger: BTreeMap::new(),
    };
    for deed in DEEDS {
        for fault in FAULTS {
            let tally = drill.run(deed, fault, step);
            println!(
                "faults: {deed:?} {}: {} calls, {} acknowledged and there, refused {:?}; 0 lies, every next request fine",
                fault.name(),
                tally.faults,
                tally.acknowledged,
                tally.refused
            );
        }
    }
    drill.check_the_end().await;
}

impl Drill {
    fn run(&mut self, deed: Deed, fault: Fault, step: i64) -> Tally {
        let mut tally = Tally::default();
        // A janitor at work is started anew for each call, and says much to Postgres.
        let step = if deed == Deed::ExpireAndSweep && fault == Fault::Kill {
            step * 4
        } else {
            step
        };
        // Not the same calls of every deed.
        let mut call = 1 + (deed as i64 % 3).min(step - 1);
        while call < MOST_CALLS {
            self.seed += 1;
            let picture = pictures::png(40, 40, self.seed);
            let prepared = self.prepare(deed, &picture);
            self.faults.arm(call, fault);
            let answer = self.act(deed, &prepared, &picture);
            let has_fired = self.faults.has_fired();
            self.faults.disarm();
            if has_fired {
                tally.faults += 1;
                if fault == Fault::Kill && deed != Deed::ExpireAndSweep {
                    self.bring_back();
                }
            }
            self.note(deed, &answer, &picture, &mut tally, has_fired);
            // The next request is fine, and the same one again.
            let again = self.upload(&picture);
            assert!(
                matches!(again.status, 200 | 201),
                "{deed:?} after {} at {call} ({}): {again:?}",
                fault.name(),
                self.faults.call()
            );
            self.shows(&again, &picture);
            assert_eq!(
                self.faults.resynced(),
                0,
                "a failed sync was tried again on the same descriptor"
            );
            if !has_fired {
                break;
            }
            call += step;
        }
        tally
    }

    /// An acknowledgement is true; a refusal is one that says whose fault it is.
    fn note(&mut self, deed: Deed, answer: &Answer, picture: &[u8], tally: &mut Tally, has_fired: bool) {
        match answer.status {
            200 | 201 | 204 => {
                tally.acknowledged += u64::from(has_fired);
                if matches!(deed, Deed::Upload | Deed::SameAgain | Deed::Replace) {
                    self.shows(answer, picture);
                }
            }
            status => {
                let (call, text) = (self.faults.call(), answer.text());
                assert!(has_fired, "{deed:?} is refused for no reason: {status} {text}");
                assert!(
                    matches!(status, 0 | 500 | 502 | 503 | 507),
                    "{deed:?} at {call}: {status} {text}"
                );
                *tally.refused.entry(status).or_default() += 1;
            }
        }
    }

    /// What must be there before the deed: an id, or nothing.
    fn prepare(&mut self, deed: Deed, picture: &[u8]) -> String {
        match deed {
            Deed::Upload | Deed::InPieces => String::new(),
            Deed::SameAgain | Deed::Withdraw => id(&self.upload(picture)),
            Deed::Replace => {
                self.seed += 1;
                id(&self.upload(&pictures::png(40, 40, self.seed)))
            }
            Deed::ExpireAndSweep => {
                for life in ["1s", "1h"] {
                    self.seed += 1;
                    let path = self.file(&pictures::png(30, 30, self.seed));
                    let sent = self.stack.upload(&path, &[&format!("expires_in={life}")]);
                    if life == "1h" {
                        let withdrawn = self.ask(
                            &["-X", "DELETE"],
                            &format!("/v1/images/{}", sent["id"].as_str().unwrap()),
                        );
                        assert_eq!(withdrawn.status, 204);
                    }
                }
                String::new()
            }
        }
    }

    fn act(&mut self, deed: Deed, id: &str, picture: &[u8]) -> Answer {
        match deed {
            Deed::Upload | Deed::SameAgain => self.upload_quietly(picture),
            Deed::Replace => {
                let form = format!("file=@{}", self.file(picture).display());
                self.ask(&["-X", "PUT", "-F", &form], &format!("/v1/images/{id}/content"))
            }
            Deed::InPieces => self.send_in_pieces(picture),
            Deed::Withdraw => self.ask(&["-X", "DELETE"], &format!("/v1/images/{id}")),
            Deed::ExpireAndSweep => self.clean(),
        }
    }

    /// `janitor run-once`, as a status: 204 where it says that all went well.
    fn clean(&self) -> Answer {
        let mut janitor = self.stack.command_like("janitor");
        let output = janitor
            .arg("run-once")
            .envs(self.faults.environment())
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!log.contains("panicked"), "{log}");
        Answer {
            status: if output.status.success() { 204 } else { 500 },
            headers: Vec::new(),
            body: log.into_bytes(),
        }
    }

    fn send_in_pieces(&self, picture: &[u8]) -> Answer {
        let length = format!("Upload-Length: {}", picture.len());
        let tus = "Tus-Resumable: 1.0.0";
        let made = self.ask(&["-X", "POST", "-H", tus, "-H", &length], "/v1/uploads");
        let Some(location) = made.header("location") else {
            return made;
        };
        let path = location
            .strip_prefix(&self.stack.url)
            .unwrap_or(location)
            .to_owned();
        let half = picture.len() / 2;
        let mut last = made;
        for (offset, piece) in [(0, &picture[..half]), (half, &picture[half..])] {
            let (at, data) = (
                format!("Upload-Offset: {offset}"),
                format!("@{}", self.file(piece).display()),
            );
            let content = "Content-Type: application/offset+octet-stream";
            last = self.ask(
                &[
                    "-X",
                    "PATCH",
                    "-H",
                    tus,
                    "-H",
                    &at,
                    "-H",
                    content,
                    "--data-binary",
                    &data,
                ],
                &path,
            );
            if last.status != 204 {
                break;
            }
        }
        last
    }

    fn ask(&self, arguments: &[&str], path: &str) -> Answer {
        let bearer = format!("Authorization: Bearer {}", self.stack.token);
        let url = format!("{}{path}", self.stack.url);
        let mut all = vec!["-H", &bearer];
        all.extend(arguments);
        all.push(&url);
        curl(&all)
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.stack.folder.path().join("sent.png");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn upload_quietly(&self, picture: &[u8]) -> Answer {
        self.stack.post(&self.file(picture), &[])
    }

    fn upload(&mut self, picture: &[u8]) -> Answer {
        self.upload_quietly(picture)
    }

    /// What was acknowledged is there, and is what was sent.
    fn shows(&mut self, answer: &Answer, picture: &[u8]) {
        let json = answer.json();
        let image = json["images"].get(0).unwrap_or(&json);
        let seen = curl(&[image["url"].as_str().unwrap()]);
        assert!(
            seen.status == 200 && seen.body == picture,
            "{answer:?} is shown as {}",
            seen.status
        );
        self.ledger
            .insert(image["url"].as_str().unwrap().to_owned(), picture.to_vec());
    }

    fn bring_back(&mut self) {
        let stack = &mut self.stack;
        wait_for("the end of what was killed", DEATH, || {
            (!stack.lives("upload-svc")).then_some(())
        });
        stack.restart_service("upload-svc");
    }

    async fn check_the_end(mut self) {
        for service in ["upload-svc", "janitor"] {
            let log = self.stack.log(&format!("{service}.log"));
            assert!(!log.contains("panicked"), "{service}: {log}");
        }
        let count = self.ledger.len();
        for (url, bytes) in &self.ledger {
            assert!(curl(&[url]).body == *bytes, "{url} is lost");
        }
        self.stack.stop_services();
        age(&self.stack.folder.path().join("blobs"));
        for arguments in [&["run-once"][..], &["reconcile", "--remove"], &["scrub", "--all"]] {
            let output = self
                .stack
                .command_like("janitor")
                .args(arguments)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{arguments:?}: {text}");
        }
        let owner = self.stack.connect_database().await;
        let rows = owner.query("SELECT key FROM blob", &[]).await.unwrap();
        let rows: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        let (files, left) = files_of(&self.stack.folder.path().join("blobs"));
        assert_eq!(files, rows, "files and rows");
        assert_eq!(left, 0, "files of uploads that are over");
        println!(
            "faults: {count} acknowledged images are whole; {} files, {} rows, 0 left behind",
            files.len(),
            rows.len()
        );
    }
}

fn id(answer: &Answer) -> String {
    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    answer.json()["images"][0]["id"].as_str().unwrap().to_owned()
}

fn each_file(folder: &Path, tell: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, tell);
        } else {
            tell(&path);
        }
    }
}

/// As if all of it had been there for long: what is abandoned is told by its age.
fn age(store: &Path) {
    each_file(store, &mut |path| {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    });
}

/// The keys of the store's blobs, and how many files stand in the folders of uploads.
fn files_of(store: &Path) -> (BTreeSet<String>, usize) {
    let (mut keys, mut left) = (BTreeSet::new(), 0);
    each_file(store, &mut |path| {
        let key = path.strip_prefix(store).unwrap().to_str().unwrap();
        if key.starts_with('.') {
            left += 1;
        } else {
            keys.insert(key.to_owned());
        }
    });
    (keys, left)
}
