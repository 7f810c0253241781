use super::{jpeg, png, png::chunk};

/// A value of EXIF: its tag, its type, and its bytes as they stand in the file.
pub type ExifValue<'a> = (u16, u16, &'a [u8]);

/// EXIF of these values, big-endian; those of the exposure stand in a directory of their own.
///
/// # Panics
/// When a type is none of text (2), short (3), long (4) and the others of EXIF, or the values are longer than a file.
#[must_use]
pub fn exif(main: &[ExifValue<'_>], exposure: &[ExifValue<'_>]) -> Vec<u8> {
    let directory_bytes = |entries: usize| 2 + 12 * entries + 4;
    let exposure_at = 8 + directory_bytes(main.len() + 1);
    let values_at = exposure_at + directory_bytes(exposure.len());
    let pointer = long(exposure_at);
    let mut main = main.to_vec();
    main.push((0x8769, 4, &pointer));
    let (mut out, mut values) = (b"MM\0*\0\0\0\x08".to_vec(), Vec::<u8>::new());
    for directory in [main.as_slice(), exposure] {
        let mut directory = directory.to_vec();
        directory.sort_by_key(|(tag, ..)| *tag);
        out.extend(u16::try_from(directory.len()).expect("few values").to_be_bytes());
        for (tag, kind, value) in directory {
            out.extend([tag.to_be_bytes(), kind.to_be_bytes()].concat());
            out.extend(long(value.len() / bytes_of(kind)));
            if value.len() <= 4 {
                out.extend(value);
                out.resize(out.len() + 4 - value.len(), 0);
            } else {
                out.extend(long(values_at + values.len()));
                values.extend(value);
                values.resize(values.len().next_multiple_of(2), 0);
            }
        }
        out.extend([0; 4]);
    }
    out.extend(values);
    out
}

fn bytes_of(kind: u16) -> usize {
    match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 => 4,
        5 | 10 | 12 => 8,
        _ => panic!("EXIF has no type {kind}"),
    }
}

fn long(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("a small file").to_be_bytes()
}

/// A fraction as EXIF writes it: type 5, or 10 for what may be below zero.
#[must_use]
pub fn fraction(above: u32, below: u32) -> Vec<u8> {
    [above.to_be_bytes(), below.to_be_bytes()].concat()
}

/// A JPEG of 16 × 16 pixels with this EXIF.
///
/// # Panics
/// When it does not fit into a segment.
#[must_use]
pub fn jpeg_with_exif(seed: u64, exif: &[u8]) -> Vec<u8> {
    let jpeg = jpeg(16, 16, seed);
    let length = u16::try_from(exif.len() + 8)
        .expect("a segment's length")
        .to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, b"Exif\0\0", exif, &jpeg[2..]].concat()
}

/// A PNG of 16 × 16 pixels with this EXIF.
#[must_use]
pub fn png_with_exif(seed: u64, exif: &[u8]) -> Vec<u8> {
    // Behind the signature and the header.
    const BEGIN: usize = 8 + 25;
    let plain = png(16, 16, seed);
    let mut file = plain[..BEGIN].to_vec();
    chunk(&mut file, *b"eXIf", exif);
    file.extend(&plain[BEGIN..]);
    file
}
