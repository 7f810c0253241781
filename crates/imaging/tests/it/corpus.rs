//! The corpus of hostile and odd files beside the repository: what must be taken is, what must be refused is, with a reason,
//! and nothing dies of any of them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use imaging::{NotReadable, Undone};
use serde_json::Value;

use crate::rig::{asked, decoders};

/// What is to become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Taken,
    /// For this, by the name of the error.
    Refused(&'static str),
    /// Refused for whatever reason.
    Bad,
    /// Fuzzed: whichever a decoder says, as long as it says something.
    Either,
}
use Fate::{Bad, Either, Refused, Taken};

const UNKNOWN: Fate = Refused("UnknownType");
const BROKEN: Fate = Refused("NotDecodable");
const HEADER: Fate = Refused("BrokenHeader");
const LARGE: Fate = Refused("TooManyPixels");

/// The first row whose words the path begins with (folder and all) and ends with holds. `generated/` has a table of its own.
const FATES: &[(&str, &str, Fate)] = &[
    // What is no picture or video that berth knows.
    ("", ".py", UNKNOWN),
    ("", ".md", UNKNOWN),
    ("", ".json", UNKNOWN),
    ("", ".jsonl", UNKNOWN),
    ("", ".svg", UNKNOWN),
    ("", ".svgz", UNKNOWN),
    ("", ".svg.gz", UNKNOWN),
    ("", ".pdf", UNKNOWN),
    ("", ".ico", UNKNOWN),
    ("", ".cur", UNKNOWN),
    ("", ".jp2", UNKNOWN),
    ("", ".j2k", UNKNOWN),
    ("", ".qoi", UNKNOWN),
    ("", ".icc", UNKNOWN),
    ("", ".tga", UNKNOWN),
    ("", ".3gp", UNKNOWN),
    ("heic-mov-webp/mp4__ftyp3gp5.mp4", "", UNKNOWN),
    // Broken.
    ("heic-mov-webp/heic__IllegalArgument", "", BROKEN),
    ("heic-mov-webp/heic__NegativeArraySize", "", BROKEN),
    ("image-rs/bad__bmp__Bad_height.bmp", "", LARGE),
    ("image-rs/bad__bmp__Bad_width.bmp", "", LARGE),
    ("image-rs/bad__bmp__Bad_reallybig.bmp", "", LARGE),
    ("image-rs/bad__bmp__Bad_unusual", "", LARGE),
    ("image-rs/bad__bmp__Bad_badbitcount", "", BROKEN),
    ("image-rs/bad__bmp__Bad_clrsUsed", "", BROKEN),
    ("image-rs/bad__bmp__Bad_shortfile", "", BROKEN),
    ("image-rs/", "", Either),
    ("libvips/17000x17000.avif", "", LARGE),
    ("libvips/truncated.", "", BROKEN),
    ("libvips/invalid_multiframe.gif", "", BROKEN),
    ("libvips/", "", Taken),
    ("sharp/65536-uint32-limit.png", "", LARGE),
    ("sharp/giant-image.jpg", "", LARGE),
    ("sharp/corrupt-header.jpg", "", HEADER),
    ("sharp/truncated.", "", BROKEN),
    ("sharp/", "", Taken),
    ("png-suites/PngSuite__x", "", Bad),
    ("png-suites/PngSuite", "", Taken),
    ("png-suites/", "", Either),
    ("pillow-odd/bmp__b__reallybig.bmp", "", LARGE),
    ("pillow-odd/bmp__g__", "", Taken),
    ("pillow-odd/libtiff_segfault.tif", "", LARGE),
    ("pillow-odd/multipage_multiple_frame_loop", "", BROKEN),
    ("pillow-odd/multipage_single_frame_loop", "", BROKEN),
    ("pillow-odd/ultrahdr.jpg", "", BROKEN),
    ("pillow-odd/", ".webp", Taken),
    ("pillow-odd/", ".avif", Taken),
    ("pillow-odd/", "", Either),
    ("libavif/", ".avif", Either),
    ("libavif/", "", Either),
    // Photographs, however odd their metadata.
    ("exif-samples/", "", Taken),
    ("heic-mov-webp/", "", Taken),
    ("md5-collisions/", "", Taken),
];

fn fate_of(path: &str, manifest: &BTreeMap<String, String>) -> Option<Fate> {
    if let Some(name) = path
        .strip_prefix("generated/")
        .filter(|name| *name != "MANIFEST.jsonl")
    {
        return manifest.get(name).map(|expected| match expected.as_str() {
            "reject" => Bad,
            "accept" => Taken,
            // Taken and made harmless, or refused.
            _ => Either,
        });
    }
    let row = FATES
        .iter()
        .find(|(begins, ends, _)| path.starts_with(begins) && path.ends_with(ends));
    row.map(|(_, _, fate)| *fate)
}

fn fits(fate: Fate, outcome: Result<(), &NotReadable>) -> bool {
    match (fate, outcome) {
        (Either, _) | (Taken, Ok(())) | (Bad, Err(_)) => true,
        (Refused(name), Err(fault)) => format!("{fault:?}").starts_with(name),
        _ => false,
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn manifest(root: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root.join("generated/MANIFEST.jsonl")).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|line| {
            (
                line["name"].as_str().unwrap().to_owned(),
                line["expect"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

/// The most memory that this process, which stands for the service, has ever taken, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_file_of_the_corpus_meets_its_fate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !root.is_dir() {
        eprintln!("skipped: there is no corpus beside this repository");
        return;
    }
    let (mut all, manifest, before) = (Vec::new(), manifest(&root), peak_kib());
    files(&root, &mut all);
    let decoders = decoders();
    let looking: Vec<_> = all
        .into_iter()
        .map(|path| {
            let decoders = decoders.clone();
            tokio::spawn(async move {
                let outcome = decoders.inspect(path.clone(), asked()).await;
                (path, outcome)
            })
        })
        .collect();
    let (mut count, mut taken, mut wrong) = (0, 0, Vec::new());
    for each in looking {
        let (path, outcome) = each.await.unwrap();
        let path = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let outcome = match outcome {
            Ok(_) => Ok(()),
            Err(Undone::File(fault)) => Err(fault),
            Err(Undone::Unavailable(error)) => panic!("{path}: {error}"),
        };
        count += 1;
        taken += usize::from(outcome.is_ok());
        match fate_of(&path, &manifest) {
            Some(fate) if fits(fate, outcome.as_ref().copied()) => {}
            fate => wrong.push(format!("{path}: {fate:?}, but {outcome:?}")),
        }
    }
    println!(
        "{count} files, {taken} taken, {} KiB more at the peak",
        peak_kib() - before
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 1_000 && taken > 800, "{count} files, {taken} taken");
    assert!(
        peak_kib() - before < 64 << 10,
        "the service's own memory grew by {} KiB",
        peak_kib() - before
    );
}

#[tokio::test]
async fn no_bomb_takes_longer_than_a_photograph_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/generated");
    if !root.is_dir() {
        eprintln!("skipped: there is no corpus beside this repository");
        return;
    }
    let decoders = decoders();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let begun = Instant::now();
        let _either = decoders.inspect(path.clone(), asked()).await;
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", path.display());
    }
}
