use std::path::{Path, PathBuf};

use domain::Scrub;
use imaging::{Asked, Decoders, Inspection, NotReadable, Undone};
use test_kit::telltales::{self, Telltale};

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
    let outcome = decoders.inspect(path.to_owned(), asked).await;
    outcome.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
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

pub(crate) fn corpus() -> Option<PathBuf> {
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
                b"<exif:",
                b"xmp:CreatorTool",
                b"photoshop:",
            ] {
                let holds = scrubbed.windows(word.len()).any(|window| window == word);
                assert!(!holds, "{}: {}", path.display(), String::from_utf8_lossy(word));
            }
            scrubbed_files += 1;
        }
    }
    assert!(scrubbed_files > 40, "{scrubbed_files}");
}

#[tokio::test]
async fn of_every_format_nothing_stays_that_tells_on_people_and_what_is_seen_does() {
    let decoders = decoders();
    for Telltale { name, bytes } in telltales::all() {
        assert!(
            telltales::found_in(&bytes).len() > 1,
            "{name}: there is something to find"
        );
        let path = file(&bytes);
        for scrub in [Scrub::Location, Scrub::All] {
            let before = inspect(&decoders, &path, scrub).await;
            let scrubbed = apply(&bytes, &before);
            assert_eq!(
                telltales::found_in(&scrubbed),
                Vec::<&str>::new(),
                "{name} {scrub}"
            );
            assert_eq!(seen(&scrubbed), seen(&bytes), "{name} {scrub}");
            let after = inspect(&decoders, &file(&scrubbed), scrub).await;
            assert_eq!(after.edits, vec![], "{name} {scrub}: once is enough");
            assert_eq!(
                (
                    after.media_type,
                    after.dimensions,
                    after.frames,
                    after.orientation,
                    after.is_decoded
                ),
                (
                    before.media_type,
                    before.dimensions,
                    before.frames,
                    before.orientation,
                    before.is_decoded
                ),
                "{name} {scrub}"
            );
            assert!(
                scrub == Scrub::All || after.taken == before.taken,
                "{name}: its date stays"
            );
        }
        let kept = inspect(&decoders, &path, Scrub::Keep).await;
        assert_eq!(kept.edits, vec![], "{name}");
    }
}

/// How often what is seen is in these bytes.
fn seen(bytes: &[u8]) -> usize {
    bytes
        .windows(telltales::SEEN.len())
        .filter(|window| *window == telltales::SEEN)
        .count()
}

/// The pictures that stand in a JPEG one behind the other, by its list, whose places must be true.
fn listed(bytes: &[u8]) -> Vec<&[u8]> {
    let list = bytes.windows(4).position(|word| word == b"MPF\0").unwrap() + 4;
    let long = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let entries = list + 50;
    (0..long(list + 30))
        .map(|index| {
            let (length, at) = (long(entries + 16 * index + 4), long(entries + 16 * index + 8));
            let start = if index == 0 { 0 } else { list + at };
            &bytes[start..start + length]
        })
        .collect()
}

fn jpeg_pixels(bytes: &[u8]) -> Vec<u8> {
    jpeg_decoder::Decoder::new(bytes).decode().unwrap()
}

#[tokio::test]
async fn a_picture_of_high_dynamic_range_stays_one() {
    let decoders = decoders();
    let made = telltales::all()
        .into_iter()
        .find(|file| file.name == "high-range.jpg")
        .unwrap();
    let mut files = vec![(made.name.to_owned(), made.bytes)];
    for name in [
        "sharp/gain-map.jpg",
        "libavif/seine_sdr_gainmap_srgb.jpg",
        "libavif/apple_gainmap_new.jpg",
        "libavif/apple_gainmap_old.jpg",
        "libavif/paris_exif_xmp_gainmap_bigendian.jpg",
        "libavif/paris_exif_xmp_gainmap_littleendian.jpg",
        "pillow-odd/frame_size.mpo",
    ] {
        let Some(root) = corpus() else { break };
        files.push((name.to_owned(), std::fs::read(root.join(name)).unwrap()));
    }
    for (name, bytes) in files {
        for scrub in [Scrub::Location, Scrub::All] {
            let before = inspect(&decoders, &file(&bytes), scrub).await;
            assert_ne!(before.edits, vec![], "{name}");
            let scrubbed = apply(&bytes, &before);
            let pictures = listed(&scrubbed);
            let [picture, map] = pictures.as_slice() else {
                panic!("{name}: {} pictures", pictures.len())
            };
            assert_eq!(
                picture.len() + map.len(),
                scrubbed.len(),
                "{name}: nothing else is in it"
            );
            assert!(
                picture.ends_with(b"\xff\xd9") && map.ends_with(b"\xff\xd9"),
                "{name}"
            );
            assert_eq!(jpeg_pixels(picture), jpeg_pixels(&bytes), "{name}");
            let text = String::from_utf8_lossy(map);
            assert!(
                text.contains("GainMapMax>") || text.contains("HDRGainMapVersion>"),
                "{name}"
            );
            let told = String::from_utf8_lossy(picture);
            if told.contains("hdrgm") {
                assert!(told.contains(&format!("Item:Length=\"{}\"", map.len())), "{name}");
            }
            assert!(
                !text.contains("creator") && !told.contains("DocumentID"),
                "{name}"
            );
            let after = inspect(&decoders, &file(&scrubbed), scrub).await;
            assert_eq!(after.edits, vec![], "{name}: once is enough");
        }
    }
}

/// Pictures that stand behind another and are no gain map (the second eye of an MPO, a large preview) go with what they say.
#[tokio::test]
async fn of_pictures_that_stand_one_behind_the_other_the_first_stays() {
    let made = telltales::all()
        .into_iter()
        .find(|file| file.name == "high-range.jpg")
        .unwrap();
    let mut bytes = made.bytes;
    let named = bytes.windows(10).position(|word| word == b"GainMapMax").unwrap();
    bytes[named..named + 10].copy_from_slice(b"SomethingX");
    let inspection = inspect(&decoders(), &file(&bytes), Scrub::Location).await;
    let scrubbed = apply(&bytes, &inspection);
    assert!(!scrubbed.windows(4).any(|word| word == b"MPF\0"));
    assert_eq!(telltales::found_in(&scrubbed), Vec::<&str>::new());
    assert_eq!(jpeg_pixels(&scrubbed), jpeg_pixels(&bytes));
    let begins = scrubbed
        .windows(3)
        .filter(|word| *word == b"\xff\xd8\xff")
        .count();
    assert_eq!(begins, 1, "one picture");
}

/// What cannot be taken out is not kept in silence: the file is refused, unless its owner wants it as it is.
#[tokio::test]
async fn positions_in_a_film_of_fragments_are_a_refusal() {
    let decoders = decoders();
    let film = telltales::all()
        .into_iter()
        .find(|file| file.name == "phone.mp4")
        .unwrap();
    let fragments = file(&[film.bytes, b"\0\0\0\x08moof".to_vec()].concat());
    let refused = decoders.inspect(fragments.to_path_buf(), asked()).await;
    assert!(
        matches!(&refused, Err(Undone::File(NotReadable::NotDecodable(reason))) if reason.contains("scrub=keep")),
        "{refused:?}"
    );
    inspect(&decoders, &fragments, Scrub::Keep).await;
}

/// Every picture of the corpus that has a decoder here looks the same afterwards, to the last pixel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_pixel_of_the_corpus_is_changed() {
    const LARGEST: u64 = 200_000;
    let Some(root) = corpus() else { return };
    let decoders = decoders();
    let mut compared = 0;
    for folder in ["pillow-odd", "exif-samples", "heic-mov-webp", "libavif", "sharp"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.metadata().unwrap().len() > LARGEST {
                continue;
            }
            let Ok(before) = decoders.inspect(entry.path(), asked()).await else {
                continue;
            };
            let bytes = std::fs::read(entry.path()).unwrap();
            if before.edits.is_empty() || !before.is_decoded {
                continue;
            }
            let scrubbed = apply(&bytes, &before);
            assert_eq!(frames(&scrubbed), frames(&bytes), "{}", entry.path().display());
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared}");
}

/// Every pixel of every frame or page, as far as it can be decoded here.
fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let cursor = || std::io::Cursor::new(bytes);
    if bytes.starts_with(b"GIF8") {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(cursor()).unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            frames.push([&frame.delay.to_le_bytes()[..], &frame.buffer].concat());
        }
        return frames;
    }
    if bytes.starts_with(b"II") || bytes.starts_with(b"MM") {
        let mut decoder = tiff::decoder::Decoder::new(cursor()).unwrap();
        let mut frames = Vec::new();
        loop {
            let picture = decoder.read_image();
            frames.push(
                picture
                    .map_or_else(|error| error.to_string(), |picture| format!("{picture:?}"))
                    .into_bytes(),
            );
            if !decoder.more_images() {
                return frames;
            }
            decoder.next_image().unwrap();
        }
    }
    if bytes.starts_with(b"\xff\xd8") {
        return vec![jpeg_pixels(bytes)];
    }
    let picture = image::load_from_memory(bytes);
    vec![picture.map_or_else(
        |error| error.to_string().into_bytes(),
        |picture| {
            picture
                .into_rgba16()
                .into_raw()
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        },
    )]
}
