//! The documents and the programs speak of the same settings.

#![allow(
    clippy::unwrap_used,
    reason = "a test says that something is wrong by panicking"
)]

use std::{collections::BTreeSet, fs, path::Path};

use process::settings::KEYS;

/// Names that only the nginx template and its container know; no program of ours reads them.
const OF_NGINX: [&str; 7] = [
    "BERTH_NGINX_LISTEN",
    "BERTH_NGINX_METRICS_LISTEN",
    "BERTH_NGINX_ACCESS_LOG",
    "BERTH_UPLOAD_UPSTREAM",
    "BERTH_SERVE_UPSTREAM",
    "BERTH_CLIENT_CONNECTIONS",
    "BERTH_WEB",
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every `BERTH_…` name in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.split(|c: char| !is_name(c))
        .filter(|word| word.starts_with("BERTH_") && word.len() > "BERTH_".len() && !word.ends_with('_'))
        .collect()
}

#[test]
fn every_setting_is_documented() {
    let text = read("docs/CONFIGURATION.md");
    let documented = names(&text);
    let missing: Vec<&str> = KEYS
        .iter()
        .map(|key| key.name)
        .filter(|name| !documented.contains(name))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/CONFIGURATION.md says nothing of {missing:?}"
    );
}

#[test]
fn no_document_speaks_of_a_setting_that_is_not_there() {
    let known: BTreeSet<&str> = KEYS
        .iter()
        .map(|key| key.name)
        .chain(OF_NGINX)
        .chain(["BERTH_BLOBS"])
        .collect();
    for path in [
        "docs/CONFIGURATION.md",
        "docs/OPERATIONS.md",
        "README.md",
        "README.zh-CN.md",
        ".env.example",
        "docker-compose.yml",
    ] {
        let text = read(path);
        let strange: Vec<&str> = names(&text)
            .into_iter()
            .filter(|name| !known.contains(name))
            .collect();
        assert!(strange.is_empty(), "{path} speaks of {strange:?}");
    }
}

#[test]
fn the_documented_defaults_are_the_real_ones() {
    let text = read("docs/CONFIGURATION.md");
    for key in KEYS {
        let Some(default) = key.default.filter(|default| !default.is_empty()) else {
            continue;
        };
        let row = text
            .lines()
            .find(|line| line.starts_with('|') && line.contains(&format!("`{}`", key.name)));
        let row = row.unwrap_or_else(|| panic!("{} has no row of a table", key.name));
        assert!(
            row.contains(default),
            "{}: the default is {default}, but the row says {row}",
            key.name
        );
    }
}

/// berthd reads `.env` too: a name in it that no program knows would stop `make run`.
#[test]
fn every_name_in_the_example_of_env_is_a_setting() {
    let text = read(".env.example");
    let set = text
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split_once('='))
        .map(|(name, _)| name);
    for name in set.filter(|name| name.starts_with("BERTH_")) {
        assert!(KEYS.iter().any(|key| key.name == name), "{name}");
    }
}
