//! EXIF without what tells on people: read by one list of tags that are of no harm, and written anew.

use domain::Scrub;

use crate::{
    ifd::{Directory, Entry, Tiff},
    source::Source,
};

pub(crate) const ORIENTATION: u16 = 0x0112;
pub(crate) const EXIF_DIRECTORY: u16 = 0x8769;

/// Values longer than this are no camera's settings.
const LONGEST_VALUE: u64 = 512;

/// What stays of the first directory: maker, model, orientation, resolution, program, time.
pub(crate) const MAIN: &[u16] = &[
    0x010f,
    0x0110,
    ORIENTATION,
    0x011a,
    0x011b,
    0x0128,
    0x0131,
    0x0132,
    0x0213,
];

/// What stays of the second: the exposure, its time and zone, the colour space, the lens by its model.
///
/// SECURITY: a list of what may stay, not of what must go: the next camera's tag for its owner is not on it. Not here are the
/// maker's note (0x927c), comments (0x9286), a picture's unique number (0xa420), owner (0xa430) and serial numbers (0xa431, 0xa435).
pub(crate) const EXPOSURE: &[u16] = &[
    0x829a, 0x829d, 0x8822, 0x8827, 0x8830, 0x8831, 0x8832, 0x9000, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012,
    0x9101, 0x9201, 0x9202, 0x9203, 0x9204, 0x9205, 0x9206, 0x9207, 0x9208, 0x9209, 0x920a, 0x9290, 0x9291,
    0x9292, 0xa000, 0xa001, 0xa002, 0xa003, 0xa20e, 0xa20f, 0xa210, 0xa217, 0xa300, 0xa301, 0xa401, 0xa402,
    0xa403, 0xa404, 0xa405, 0xa406, 0xa407, 0xa408, 0xa409, 0xa40a, 0xa40c, 0xa432, 0xa433, 0xa434,
];

/// A value that stays.
struct Kept {
    tag: u16,
    kind: u16,
    count: u32,
    values: Vec<u8>,
}

/// How a picture is to be turned, where EXIF says so: 1 (upright) to 8.
pub(crate) fn orientation(source: &Source) -> Option<u8> {
    let tiff = Tiff::open(source)?;
    let number = tiff.number(tiff.directory(tiff.first)?.find(ORIENTATION)?)?;
    u8::try_from(number).ok().filter(|turn| (1..=8).contains(turn))
}

/// The same EXIF with nothing in it but what may stay. None where that is nothing at all.
pub(crate) fn rebuild(source: &Source, scrub: Scrub) -> Option<Vec<u8>> {
    let tiff = Tiff::open(source)?;
    let main = tiff.directory(tiff.first)?;
    let turned = orientation(source).filter(|turn| *turn > 1);
    let (main_tags, exposure_tags): (&[u16], &[u16]) = match scrub {
        Scrub::All if turned.is_none() => return None,
        Scrub::All => (&[ORIENTATION], &[]),
        Scrub::Keep | Scrub::Location => (MAIN, EXPOSURE),
    };
    let exposure = main
        .find(EXIF_DIRECTORY)
        .and_then(|entry| tiff.number(entry))
        .and_then(|at| tiff.directory(at))
        .unwrap_or_default();
    let main = keep(source, &main, main_tags);
    let exposure = keep(source, &exposure, exposure_tags);
    if main.is_empty() && exposure.is_empty() {
        return None;
    }
    Some(write(tiff.is_big_endian, main, &exposure))
}

fn keep(source: &Source, directory: &Directory, tags: &[u16]) -> Vec<Kept> {
    let of = |entry: &Entry| {
        (entry.length <= LONGEST_VALUE && entry.length > 0).then_some(())?;
        Some(Kept {
            tag: entry.tag,
            kind: entry.kind,
            count: u32::try_from(entry.count).ok()?,
            values: source.bytes(entry.at, entry.length)?,
        })
    };
    // In the order of the list, which is that of the tags; each tag once.
    let found = tags.iter().filter_map(|tag| directory.find(*tag));
    found.filter_map(of).collect()
}

/// Header, both directories, then the values that are too long to stand in them.
fn write(is_big_endian: bool, mut main: Vec<Kept>, exposure: &[Kept]) -> Vec<u8> {
    let long = |number: u32| {
        if is_big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    };
    let short = |number: u16| {
        if is_big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    };
    let directory_bytes = |entries: usize| 2 + 12 * u32::try_from(entries).unwrap_or_default() + 4;
    let exposure_at = 8 + directory_bytes(main.len() + 1);
    let mut values_at = 8 + directory_bytes(main.len());
    if !exposure.is_empty() {
        values_at = exposure_at + directory_bytes(exposure.len());
        main.push(Kept {
            tag: EXIF_DIRECTORY,
            kind: 4,
            count: 1,
            values: long(exposure_at).to_vec(),
        });
    }
    let mut out = if is_big_endian {
        b"MM\0*".to_vec()
    } else {
        b"II*\0".to_vec()
    };
    out.extend(long(8));
    let mut behind = Vec::new();
    for directory in [main.as_slice(), exposure] {
        if directory.is_empty() {
            continue;
        }
        out.extend(short(u16::try_from(directory.len()).unwrap_or_default()));
        for kept in directory {
            out.extend(short(kept.tag));
            out.extend(short(kept.kind));
            out.extend(long(kept.count));
            if kept.values.len() <= 4 {
                out.extend(&kept.values);
                out.resize(out.len() + 4 - kept.values.len(), 0);
            } else {
                out.extend(long(values_at + u32::try_from(behind.len()).unwrap_or_default()));
                behind.extend(&kept.values);
                // Values begin at even places.
                behind.resize(behind.len().next_multiple_of(2), 0);
            }
        }
        out.extend(long(0));
    }
    out.extend(behind);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(tag: u16, kind: u16, values: &[u8]) -> Kept {
        let each = crate::ifd::size_of_kind(kind).unwrap();
        Kept {
            tag,
            kind,
            count: u32::try_from(values.len() as u64 / each).unwrap(),
            values: values.to_vec(),
        }
    }

    fn sample(is_big_endian: bool, turned: u8) -> Source {
        let turn = if is_big_endian { [0, turned] } else { [turned, 0] };
        let main = vec![
            entry(0x010e, 2, b"SECRET words\0"),
            entry(0x010f, 2, b"ACME\0"),
            entry(ORIENTATION, 3, &turn),
            entry(0x013b, 2, b"SECRET artist\0"),
        ];
        let exposure = [
            entry(0x9003, 2, b"2025:01:02 03:04:05\0"),
            entry(0x927c, 7, b"SECRET note"),
            entry(0xa431, 2, b"SECRET serial\0"),
        ];
        Source::Memory(write(is_big_endian, main, &exposure))
    }

    fn holds(bytes: &[u8], word: &[u8]) -> bool {
        bytes.windows(word.len()).any(|window| window == word)
    }

    #[test]
    fn what_tells_on_people_goes_and_the_rest_stays() {
        for is_big_endian in [false, true] {
            let rebuilt = rebuild(&sample(is_big_endian, 6), Scrub::Location).unwrap();
            assert!(!holds(&rebuilt, b"SECRET"));
            assert!(holds(&rebuilt, b"ACME") && holds(&rebuilt, b"2025:01:02"));
            let again = Source::Memory(rebuilt.clone());
            assert_eq!(orientation(&again), Some(6));
            assert_eq!(rebuild(&again, Scrub::Location), Some(rebuilt), "once is enough");
        }
    }

    #[test]
    fn of_all_metadata_the_orientation_alone_stays() {
        let rebuilt = rebuild(&sample(true, 8), Scrub::All).unwrap();
        assert_eq!(rebuilt.len(), 26);
        assert_eq!(orientation(&Source::Memory(rebuilt)), Some(8));
        assert_eq!(rebuild(&sample(false, 1), Scrub::All), None);
    }
}
