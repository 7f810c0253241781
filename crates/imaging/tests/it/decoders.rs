use std::{
    path::Path,
    time::{Duration, Instant},
};

use imaging::{DecoderLimits, Decoders, NotReadable, Undone};
use test_kit::pictures;

use crate::rig::{asked, decoders, file, limits, program};

fn decoders_of(program: &Path) -> Decoders {
    Decoders::new(DecoderLimits {
        program: program.to_owned(),
        wall: Duration::from_millis(500),
        ..limits()
    })
}

#[tokio::test]
async fn many_files_are_looked_into_at_once() {
    let decoders = decoders();
    let files: Vec<_> = (1..40)
        .map(|side| (side, file(&pictures::png(side, 3, 1))))
        .collect();
    let looking = files.iter().map(|(side, path)| {
        let decoders = decoders.clone();
        let (side, path) = (*side, path.to_path_buf());
        tokio::spawn(async move { (side, decoders.inspect(path, asked()).await) })
    });
    for looked in looking.collect::<Vec<_>>() {
        let (side, inspection) = looked.await.unwrap();
        assert_eq!(inspection.unwrap().dimensions, Some((side, 3)));
    }
}

#[tokio::test]
async fn whatever_a_decoder_dies_of_is_the_files_refusal() {
    let picture = file(&pictures::png(3, 3, 1));
    for (then, expected) in [
        ("kill -ABRT $$", "NotDecodable"),
        ("kill -KILL $$", "NotDecodable"),
        ("kill -SEGV $$", "NotDecodable"),
        ("exit 0", "NotDecodable"),
        ("echo nonsense", "NotDecodable"),
        ("kill -XCPU $$", "TookTooLong"),
        ("sleep 100", "TookTooLong"),
        ("while :; do :; done", "TookTooLong"),
    ] {
        let program = program(then);
        let begun = Instant::now();
        let outcome = decoders_of(&program)
            .inspect(picture.to_path_buf(), asked())
            .await;
        match outcome {
            Err(Undone::File(fault)) => {
                assert!(format!("{fault:?}").starts_with(expected), "{then}: {fault:?}");
            }
            other => panic!("{then}: {other:?}"),
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{then}");
    }
}

#[tokio::test]
async fn a_program_that_is_no_decoder_is_our_fault_and_not_the_files() {
    let picture = file(&pictures::png(3, 3, 1));
    for program in ["/bin/true", "/nowhere/at/all"] {
        let outcome = decoders_of(Path::new(program))
            .inspect(picture.to_path_buf(), asked())
            .await;
        assert!(
            matches!(outcome, Err(Undone::Unavailable(_))),
            "{program}: {outcome:?}"
        );
    }
}

/// The first process of this program dies at its second job; every later one is a good decoder.
#[tokio::test]
async fn a_decoder_that_dies_later_than_its_first_job_is_replaced_and_nobody_notices() {
    let picture = file(&pictures::png(3, 3, 1));
    let been_here = tempfile::tempdir().unwrap();
    let real = env!("CARGO_BIN_EXE_berth-decoder");
    let program = file(
        format!(
            "#!/bin/sh\nif mkdir {0}/once 2>/dev/null; then\n\
             echo 'berth decoder 1'; read job; echo '{{\"Err\":\"TookTooLong\"}}'; read job; kill -KILL $$\n\
             fi\nexec {real} \"$@\"\n",
            been_here.path().display()
        )
        .as_bytes(),
    );
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let decoders = Decoders::new(DecoderLimits {
        program: program.to_path_buf(),
        ..limits()
    });
    let first = decoders.inspect(picture.to_path_buf(), asked()).await;
    assert!(
        matches!(first, Err(Undone::File(NotReadable::TookTooLong))),
        "{first:?}"
    );
    let second = decoders.inspect(picture.to_path_buf(), asked()).await;
    assert_eq!(second.unwrap().dimensions, Some((3, 3)));
}

#[tokio::test]
async fn what_a_file_is_refused_for_leaves_the_decoder_to_the_next() {
    let decoders = decoders();
    let (bad, good) = (file(b"GIF89a"), file(&pictures::gif(3, 3, 1)));
    for _ in 0..3 {
        let outcome = decoders.inspect(bad.to_path_buf(), asked()).await;
        assert!(
            matches!(outcome, Err(Undone::File(NotReadable::BrokenHeader(_)))),
            "{outcome:?}"
        );
        assert!(decoders.inspect(good.to_path_buf(), asked()).await.is_ok());
    }
}
