//! Pictures are what they say.

use std::collections::BTreeSet;

use test_kit::pictures::{gif, jpeg, png, webp};

type Maker = fn(u32, u32, u64) -> Vec<u8>;

const MAKERS: [(&str, Maker); 4] = [
    ("image/png", png),
    ("image/jpeg", jpeg),
    ("image/gif", gif),
    ("image/webp", webp),
];

#[test]
fn headers_tell_the_type_and_the_dimensions() {
    for (media_type, make) in MAKERS {
        for (width, height) in [(1, 1), (6, 6), (16, 9), (9, 16), (640, 480)] {
            let bytes = make(width, height, 7);
            assert_eq!(infer::get(&bytes).unwrap().mime_type(), media_type);
            let size = imagesize::blob_size(&bytes).unwrap();
            let found = (size.width, size.height);
            assert_eq!(found, (width as usize, height as usize), "{media_type}");
        }
    }
}

#[test]
fn every_seed_gives_other_bytes_and_always_the_same() {
    for (media_type, make) in MAKERS {
        let seeds = (0..2_000).chain([u64::from(u32::MAX), 1 << 20, 1 << 30, 1 << 31]);
        let seeds: Vec<u64> = seeds.collect();
        let made: BTreeSet<Vec<u8>> = seeds.iter().map(|seed| make(6, 6, *seed)).collect();
        assert_eq!(made.len(), seeds.len(), "{media_type}");
        assert_eq!(make(6, 6, 1), make(6, 6, 1), "{media_type}");
    }
}

#[test]
fn a_png_is_as_long_as_its_pixels() {
    let bytes = png(600, 600, 1);
    assert!((1_080_000..1_082_000).contains(&bytes.len()), "{}", bytes.len());
}
