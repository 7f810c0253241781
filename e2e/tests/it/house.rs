//! The house keeps its arrows: who may depend on whom, and where each kind of thing may stand. The table is that of
//! docs/ARCHITECTURE.md.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Which rooms each room may import. What is not here may not be.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("process", &[]),
    ("local-postgres", &[]),
    ("http-kit", &["domain"]),
    ("blobs", &["domain"]),
    ("catalog", &["domain"]),
    ("imaging", &["domain"]),
    ("sqlite-snapshot", &[]),
    ("test-kit", &["catalog", "domain", "local-postgres", "process"]),
    (
        "upload-svc",
        &[
            "blobs",
            "catalog",
            "domain",
            "http-kit",
            "imaging",
            "process",
            "sqlite-snapshot",
        ],
    ),
    (
        "serve-svc",
        &["blobs", "catalog", "domain", "http-kit", "process"],
    ),
    ("janitor", &["blobs", "catalog", "domain", "http-kit", "process"]),
    (
        "berthd",
        &[
            "blobs",
            "catalog",
            "domain",
            "http-kit",
            "janitor",
            "local-postgres",
            "process",
            "serve-svc",
            "upload-svc",
        ],
    ),
    (
        "berth-cli",
        &["blobs", "catalog", "domain", "local-postgres", "process"],
    ),
    ("e2e", &[]),
];

/// Where a library of the outside may be named, besides nowhere.
const OWNED: &[(&str, &[&str])] = &[
    ("warp", &["http-kit", "upload-svc", "serve-svc", "berthd"]),
    ("hyper", &["http-kit"]),
    ("hyper-rustls", &["berth-cli", "blobs", "janitor"]),
    ("tokio-postgres", &["catalog", "test-kit"]),
    ("deadpool-postgres", &["catalog"]),
    ("refinery", &["catalog"]),
    ("rusqlite", &["sqlite-snapshot"]),
    ("libsqlite3-sys", &[]),
    ("memmap2", &["serve-svc"]),
    ("object_store", &["blobs"]),
    ("image", &["imaging"]),
    ("image-webp", &["imaging"]),
    ("gif", &["imaging"]),
    ("png", &["imaging"]),
    ("tiff", &["imaging"]),
    ("jpeg-decoder", &["imaging"]),
    ("webp", &["imaging"]),
    ("imagesize", &["imaging"]),
    ("infer", &["imaging"]),
    (
        "clap",
        &["berthd", "berth-cli", "janitor", "upload-svc", "serve-svc"],
    ),
];

/// Libraries that decode pictures or videos: none may be linked into the service that faces the world.
const DECODERS: &[&str] = &[
    "image",
    "imagesize",
    "infer",
    "png",
    "gif",
    "jpeg-decoder",
    "zune-jpeg",
    "image-webp",
    "webp",
    "ravif",
    "tiff",
    "resvg",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn metadata() -> Value {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let output = Command::new(cargo)
        // For this platform alone: what only others need was never downloaded.
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--locked",
            "--filter-platform",
            &platform(),
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn platform() -> String {
    let told = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let told = String::from_utf8(told).unwrap();
    told.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap()
        .to_owned()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The packages of the workspace and what each names as a dependency of its own code (not of its tests or build script).
fn rooms(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let members: BTreeSet<&str> = metadata["workspace_members"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let packages = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| members.contains(text(package, "id")));
    packages
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let own = dependencies.filter(|dependency| dependency["kind"].is_null());
            (
                text(package, "name").to_owned(),
                own.map(|dependency| text(dependency, "name").to_owned())
                    .collect(),
            )
        })
        .collect()
}

#[test]
fn no_room_imports_another_than_the_arrows_allow() {
    let rooms = rooms(&metadata());
    let known: BTreeSet<&str> = ARROWS.iter().map(|(room, _)| *room).collect();
    assert_eq!(
        known,
        rooms.keys().map(String::as_str).collect(),
        "every room stands in the table, and nothing else does"
    );
    for (room, allowed) in ARROWS {
        let imported = rooms[*room].iter().filter(|name| known.contains(name.as_str()));
        let wrong: Vec<&String> = imported
            .filter(|name| !allowed.contains(&name.as_str()))
            .collect();
        assert!(wrong.is_empty(), "{room} may not import {wrong:?}");
    }
}

#[test]
fn each_library_is_named_only_in_the_rooms_that_own_it() {
    let rooms = rooms(&metadata());
    for (library, owners) in OWNED {
        for (room, dependencies) in &rooms {
            assert!(
                !dependencies.contains(*library) || owners.contains(&room.as_str()),
                "{room} may not name {library}"
            );
        }
    }
}

#[test]
fn the_service_that_faces_the_world_links_no_decoder() {
    let metadata = metadata();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let names: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (text(package, "id"), text(package, "name")))
        .collect();
    let start = names
        .iter()
        .find(|(_, name)| **name == "serve-svc")
        .map(|(id, _)| *id)
        .unwrap();
    let (mut seen, mut queue) = (BTreeSet::new(), vec![start]);
    while let Some(id) = queue.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = nodes.iter().find(|node| text(node, "id") == id).unwrap();
        for dependency in node["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"].is_null()) {
                queue.push(text(dependency, "pkg"));
            }
        }
    }
    let linked: BTreeSet<&str> = seen.iter().map(|id| names[id]).collect();
    assert!(
        linked.contains("blobs") && linked.len() > 50,
        "the walk went astray: {linked:?}"
    );
    let decoders: Vec<&&str> = DECODERS
        .iter()
        .filter(|decoder| linked.contains(**decoder))
        .collect();
    assert!(decoders.is_empty(), "serve-svc links {decoders:?}");
}

/// Every Rust file of the workspace with its text, `target` left out.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &mut found);
    assert!(found.len() > 80, "the walk went astray");
    found
}

fn is_under(path: &Path, folders: &[&str]) -> bool {
    let relative = path.strip_prefix(root()).unwrap();
    folders.iter().any(|folder| relative.starts_with(folder))
}

#[test]
fn sql_stands_in_the_catalog_alone() {
    let verbs = [
        "SELECT ",
        "INSERT INTO ",
        "DELETE FROM ",
        "CREATE TABLE ",
        "ALTER ROLE ",
        "pg_notify",
    ];
    for (path, text) in sources() {
        // Tests may look behind the product's back; test-kit makes databases.
        if is_under(
            &path,
            &[
                "crates/catalog",
                // SQLite's, for one file of an older host's format.
                "crates/sqlite-snapshot",
                "crates/test-kit",
                "crates/local-postgres",
                "e2e",
            ],
        ) || path.components().any(|part| part.as_os_str() == "tests")
        {
            continue;
        }
        for verb in verbs {
            assert!(!text.contains(verb), "{} holds SQL: {verb}", path.display());
        }
    }
}

#[test]
fn published_blobs_are_unlinked_in_one_place() {
    let allowed = ["crates/blobs/src/remover.rs", "crates/blobs/src/staging.rs"];
    for (path, text) in sources() {
        if is_under(&path, &["crates/blobs/src"]) && text.contains("remove_file") {
            assert!(is_under(&path, &allowed), "{} removes files", path.display());
        }
        let has_remover =
            text.contains("BlobRemover") && !path.components().any(|part| part.as_os_str() == "tests");
        assert!(
            !has_remover || is_under(&path, &["crates/blobs", "janitor", "e2e"]),
            "{} holds a remover",
            path.display()
        );
    }
}

/// The one place that may: it maps the journal of views into memory.
const UNSAFE: &str = "serve-svc/src/tally/journal.rs";

#[test]
fn one_place_alone_looks_at_raw_memory() {
    let [word, attribute] = [["uns", "afe {"].concat(), ["uns", "afe_code"].concat()];
    for (path, text) in sources() {
        let has_any = text.contains(&word) || text.contains(&attribute);
        assert_eq!(has_any, is_under(&path, &[UNSAFE]), "{}", path.display());
    }
}

#[test]
fn a_file_does_one_thing_in_at_most_400_lines() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(
            lines <= 400,
            "{} has {lines} lines: it is doing two things, find their names",
            path.display()
        );
    }
}
