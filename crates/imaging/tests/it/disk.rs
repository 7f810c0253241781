use std::io::Cursor;

use domain::{NamedWidths, VariantFormat};
use imaging::{RenderLimits, Spec, render, sniff};

/// What is made of every picture without being asked for. One photograph in three is looked at.
#[test]
fn thumbnails_take_less_than_fifteen_percent_of_photographs() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/exif-samples");
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("skipped: there is no corpus beside this repository");
        return;
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let spec = Spec {
        width: NamedWidths::THUMB,
        format: VariantFormat::Webp,
    };
    let (mut originals, mut thumbnails) = (0, 0);
    for path in paths.iter().step_by(3) {
        let bytes = std::fs::read(path).unwrap();
        let Some(media_type) = sniff(&bytes) else { continue };
        let rendering = render(Cursor::new(&bytes), media_type, RenderLimits::default(), &[spec]);
        let Ok(rendering) = rendering else { continue };
        originals += bytes.len();
        // What saves nothing is not kept.
        let made = rendering.variants.iter().map(|variant| variant.bytes.len());
        thumbnails += made.filter(|length| *length < bytes.len()).sum::<usize>();
    }
    assert!(originals > 1_000_000, "{originals}");
    assert!(thumbnails * 100 < originals * 15, "{thumbnails} of {originals}");
}
