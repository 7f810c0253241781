use std::path::{Path, PathBuf};

use domain::Scrub;
use imaging::{Asked, Decoders, Inspection};

use crate::rig::{asked, decoders, file};

/// What the corpus writes into the files that tell on people.
const SENTINELS: &[&[u8]] = &[
    b"SENTINEL_PII",
    b"GPSLatitude",
    b"12.3456",
    b"65.4321",
    // 12 degrees and 20 minutes, as EXIF's fractions.
    &[12, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0],
];

pub(crate) async fn inspect(decoders: &Decoders, path: &Path, scrub: Scrub) -> Inspection {
    let asked = Asked { scrub, ..asked() };
    decoders.inspect(path.to_owned(), asked).await.unwrap()
}

/// What the service makes of a file and its changes.
pub(crate) fn apply(bytes: &[u8], inspection: &Inspection) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    for edit in &inspection.edits {
        let begin = usize::try_from(edit.at).unwrap();
        out.extend(&bytes[at..begin]);
        out.extend(&edit.insert);
        out.resize(out.len() + usize::try_from(edit.zeros).unwrap(), 0);
        at = begin + usize::try_from(edit.remove).unwrap();
    }
    out.extend(&bytes[at..]);
    out
}

fn sentinels_in(bytes: &[u8]) -> Vec<String> {
    let holds = |word: &&&[u8]| bytes.windows(word.len()).any(|window| window == **word);
    SENTINELS
        .iter()
        .filter(holds)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

fn corpus() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !root.is_dir() {
        eprintln!("skipped: there is no corpus beside this repository");
        return None;
    }
    Some(root)
}

#[tokio::test]
async fn what_tells_on_people_is_in_no_byte_and_the_picture_is_the_same() {
    let Some(root) = corpus() else { return };
    let decoders = decoders();
    for (name, turned) in [
        ("jpg_exif_gps.jpg", 6),
        ("png_exif_gps.png", 6),
        ("webp_exif_gps.webp", 6),
        ("avif_exif_gps.avif", 6),
        ("mp4_gps.mp4", 1),
    ] {
        let path = root.join("generated").join(name);
        let bytes = std::fs::read(&path).unwrap();
        assert!(
            !sentinels_in(&bytes).is_empty(),
            "{name}: there is something to find"
        );
        for scrub in [Scrub::Location, Scrub::All] {
            let before = inspect(&decoders, &path, scrub).await;
            let scrubbed = apply(&bytes, &before);
            assert_eq!(sentinels_in(&scrubbed), Vec::<String>::new(), "{name} {scrub}");
            let after = inspect(&decoders, &file(&scrubbed), scrub).await;
            assert_eq!(after.edits, vec![], "{name} {scrub}: once is enough");
            assert_eq!(
                (after.dimensions, after.orientation, after.is_decoded),
                (before.dimensions, turned, before.is_decoded),
                "{name} {scrub}"
            );
        }
        let kept = inspect(&decoders, &path, Scrub::Keep).await;
        assert_eq!(kept.edits, vec![], "{name}");
    }
}

/// Real files of cameras and phones: still readable, of the same dimensions, and scrubbed once for all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn photographs_and_videos_are_readable_after_they_are_scrubbed() {
    let Some(root) = corpus() else { return };
    let decoders = decoders();
    let mut scrubbed_files = 0;
    for folder in ["exif-samples", "heic-mov-webp", "sharp"] {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(root.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        // One in two: each is looked into three times.
        for path in paths.iter().step_by(2) {
            let Ok(before) = decoders.inspect(path.clone(), asked()).await else {
                continue;
            };
            if before.edits.is_empty() {
                continue;
            }
            let scrubbed = apply(&std::fs::read(path).unwrap(), &before);
            let held = file(&scrubbed);
            let after = decoders
                .inspect(held.to_path_buf(), asked())
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(after.edits, vec![], "{}: once is enough", path.display());
            assert_eq!(
                (
                    after.media_type,
                    after.dimensions,
                    after.frames,
                    after.orientation
                ),
                (
                    before.media_type,
                    before.dimensions,
                    before.frames,
                    before.orientation
                ),
                "{}",
                path.display()
            );
            for word in [
                b"GPSLatitude".as_slice(),
                b"<x:xmpmeta",
                b"http://ns.adobe.com/xap",
            ] {
                let holds = scrubbed.windows(word.len()).any(|window| window == word);
                assert!(!holds, "{}: {}", path.display(), String::from_utf8_lossy(word));
            }
            scrubbed_files += 1;
        }
    }
    assert!(scrubbed_files > 40, "{scrubbed_files}");
}
