use std::path::Path;

use domain::{Camera, Scrub, Validation};
use imaging::{Asked, Decoders, Inspection};
use test_kit::{pictures, telltales};

use crate::{
    rig::{asked, decoders, file},
    scrubbing::{apply, corpus},
};

async fn look(decoders: &Decoders, path: &Path, scrub: Scrub) -> Option<Inspection> {
    let asked = Asked {
        scrub,
        validation: Validation::Header,
        ..asked()
    };
    decoders.inspect(path.to_owned(), asked).await.ok()
}

/// What is told when a file is scrubbed on its way in is what the scrubbed file tells.
async fn assert_it_is_the_stored_files(decoders: &Decoders, name: &str, bytes: &[u8]) -> Option<Camera> {
    let path = file(bytes);
    let kept = look(decoders, &path, Scrub::Keep).await?.camera;
    for scrub in [Scrub::Location, Scrub::All] {
        let Some(scrubbed) = look(decoders, &path, scrub).await else {
            continue;
        };
        let stored = file(&apply(bytes, &scrubbed));
        let told = look(decoders, &stored, Scrub::Keep).await.unwrap().camera;
        assert_eq!(scrubbed.camera, told, "{name} {scrub}");
        assert!(scrub == Scrub::Location || told.is_none(), "{name}: {told:?}");
    }
    kept
}

#[tokio::test]
async fn of_every_format_the_camera_is_the_stored_files_and_tells_on_nobody() {
    let decoders = decoders();
    let exif = pictures::exif(&[(0x010f, 2, b"ACME\0")], &[(0x8827, 3, &[0, 200])]);
    let mut files = vec![
        ("a.jpg", pictures::jpeg_with_exif(1, &exif)),
        ("a.png", pictures::png_with_exif(1, &exif)),
    ];
    files.extend(telltales::all().into_iter().map(|file| (file.name, file.bytes)));
    for (name, bytes) in files {
        let kept = assert_it_is_the_stored_files(&decoders, name, &bytes).await;
        let told = format!("{kept:?}");
        assert_eq!(telltales::found_in(told.as_bytes()), Vec::<&str>::new(), "{name}");
        let has_exif = name.starts_with("a.")
            || name.starts_with("high")
            || ["tif", "heic", "avif"].iter().any(|end| name.ends_with(end));
        let make = kept.and_then(|camera| camera.make);
        assert_eq!(make.as_deref(), has_exif.then_some("ACME"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_photographs_and_films_the_camera_is_the_stored_files() {
    let Some(root) = corpus() else { return };
    let decoders = decoders();
    let mut with_camera = 0;
    for folder in ["exif-samples", "heic-mov-webp", "sharp", "libavif", "generated"] {
        let mut paths: Vec<_> = std::fs::read_dir(root.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.metadata().is_ok_and(|file| file.len() < 4 << 20))
            .collect();
        paths.sort();
        for path in paths {
            let bytes = std::fs::read(&path).unwrap();
            let name = path.display().to_string();
            with_camera += usize::from(
                assert_it_is_the_stored_files(&decoders, &name, &bytes)
                    .await
                    .is_some(),
            );
        }
    }
    assert!(with_camera > 40, "{with_camera}");
}

/// What `ExifTool` says of the same files: maker, model, lens; opening, time, sensitivity, both lengths; the flash.
#[tokio::test]
async fn real_cameras_are_read_as_others_read_them() {
    type Settings = (f64, f64, Option<u32>, Option<f64>, Option<u32>);
    const ROWS: [(&str, [&str; 3], Settings, bool); 7] = [
        (
            "heic-mov-webp/heic__IMG_2927.HEIC",
            [
                "Apple",
                "iPhone 11 Pro",
                "iPhone 11 Pro back triple camera 4.25mm f/1.8",
            ],
            (1.8, 0.002_028_4, Some(32), Some(4.25), Some(26)),
            false,
        ),
        (
            "heic-mov-webp/avif__Issue 649.avif",
            ["Canon", "Canon EOS 70D", "EF50mm f/1.8 STM"],
            (3.2, 0.016_666_7, Some(400), Some(50.0), None),
            false,
        ),
        (
            "heic-mov-webp/webp__Nikon Coolpix P7000.webp",
            ["NIKON", "COOLPIX P7000", ""],
            (4.5, 0.001_233_05, Some(100), Some(6.0), Some(28)),
            false,
        ),
        (
            "libavif/seine_hdr_gainmap_srgb.avif",
            ["Google", "Pixel 4a", "Pixel 4a back camera 4.38mm f/1.73"],
            (1.7, 0.000_937_207, Some(77), Some(4.38), Some(27)),
            false,
        ),
        (
            "exif-samples/jpg__Canon_40D.jpg",
            ["Canon", "Canon EOS 40D", ""],
            (7.1, 0.006_25, Some(100), Some(135.0), None),
            true,
        ),
        (
            "exif-samples/jpg__tests__87_OSError.jpg",
            ["NIKON CORPORATION", "NIKON D70s", "18.0-70.0 mm f/3.5-4.5"],
            (29.0, 0.016_666_7, Some(1000), Some(60.0), Some(90)),
            false,
        ),
        (
            // Its ISO is a word of all ones, and its lens has no name.
            "exif-samples/jpg__exif-org__kodak-dc240.jpg",
            ["EASTMAN KODAK COMPANY", "KODAK DC240 ZOOM DIGITAL CAMERA", ""],
            (4.0, 0.033_333_3, None, Some(14.0), None),
            true,
        ),
    ];
    let Some(root) = corpus() else { return };
    let decoders = decoders();
    for (name, names, (f_number, seconds, iso, length, length_35mm), flash) in ROWS {
        let camera = look(&decoders, &root.join(name), Scrub::Keep)
            .await
            .unwrap()
            .camera;
        let [make, model, lens] = names.map(|name| (!name.is_empty()).then(|| name.to_owned()));
        let expected = Camera {
            make,
            model,
            lens,
            f_number: Some(f_number),
            exposure_seconds: Some(seconds),
            iso,
            focal_length_mm: length,
            focal_length_35mm: length_35mm,
            flash: Some(flash),
        };
        assert_eq!(camera, Some(expected), "{name}");
    }
    let film = root.join("heic-mov-webp/mov__with-gps.mov");
    let of_film = async |scrub| look(&decoders, &film, scrub).await.unwrap().camera;
    let kept = of_film(Scrub::Keep).await.unwrap();
    assert_eq!(
        (kept.make.as_deref(), kept.model.as_deref()),
        (Some("Apple"), Some("iPhone 6"))
    );
    assert_eq!(of_film(Scrub::Location).await, None, "it stood beside the place");
}
