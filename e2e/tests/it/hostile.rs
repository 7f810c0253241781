//! The hostile files of the corpus through nginx and all services: refused with nothing left, or shown with nothing that could run.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    curl::{Answer, curl},
    stack::Stack,
};

/// The files in a folder and in those within it; not what is derived from them, nor what is on its way.
fn kept(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_original = |path: &PathBuf| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        name != "variants" && !name.starts_with('.')
    };
    let paths = entries.map(|entry| entry.path()).filter(is_original);
    paths
        .flat_map(|path| if path.is_dir() { kept(&path) } else { vec![path] })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_be_refused_leaves_nothing_and_what_is_taken_can_not_run() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/generated");
    let Ok(manifest) = std::fs::read_to_string(corpus.join("MANIFEST.jsonl")) else {
        eprintln!("skipped: there is no corpus beside this repository");
        return;
    };
    let mut stack = Stack::start(&[]).await;
    let blobs = stack.folder.path().join("blobs");
    let (mut wrong, mut taken, mut refused) = (Vec::new(), 0, 0);
    for line in manifest.lines() {
        let file: Value = serde_json::from_str(line).unwrap();
        let (name, expected) = (file["name"].as_str().unwrap(), file["expect"].as_str().unwrap());
        let (before, begun) = (kept(&blobs).len(), Instant::now());
        let answer = stack.post(&corpus.join(name), &[]);
        let took = begun.elapsed();
        let fits = match (expected, answer.status) {
            // Some are the same once what makes them odd is cut off.
            ("accept" | "neutralise", 200 | 201) => true,
            ("reject" | "neutralise", 400..=499) => {
                kept(&blobs).len() == before && answer.json()["code"].is_string()
            }
            _ => false,
        };
        if !fits || took > Duration::from_secs(10) {
            wrong.push(format!("{name}, to {expected}: {} in {took:?}", answer.status));
        }
        if answer.status >= 300 {
            refused += 1;
            continue;
        }
        taken += 1;
        let url = answer.json()["images"][0]["url"].as_str().unwrap().to_owned();
        let view = curl(&[&url]);
        if !is_inert(&view) {
            wrong.push(format!("{name}: {} {:?}", view.status, view.headers));
        }
    }
    println!("{taken} taken, {refused} refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(taken > 10 && refused > 60, "{taken} taken, {refused} refused");
    stack.stop();
}

/// Shown as a picture or a film and as nothing else, whoever asks for it as what.
fn is_inert(view: &Answer) -> bool {
    let says = |name: &str| view.header(name).unwrap_or_default().to_owned();
    let policy = says("content-security-policy");
    let kind = says("content-type");
    view.status == 200
        && (kind.starts_with("image/") || kind.starts_with("video/"))
        && kind != "image/svg+xml"
        && says("x-content-type-options") == "nosniff"
        && policy.contains("default-src 'none'")
        && policy.contains("sandbox")
}
