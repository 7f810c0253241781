//! With which camera a picture was taken and how that was set: what EXIF says of it, and what the containers of videos do.
//!
//! SECURITY: a list of what is read, and of the file as it will be stored. Serial numbers, owners, places and makers' notes are
//! not on it.

use std::ops::Range;

use domain::{Camera, MediaType, Scrub};

use crate::{
    exif::EXIF_DIRECTORY,
    ifd::{Directory, Entry, Tiff},
    scrub::Edit,
    source::Source,
    survey::{Survey, What},
};

const MAKE: u16 = 0x010f;
const MODEL: u16 = 0x0110;
const EXPOSURE_TIME: u16 = 0x829a;
const F_NUMBER: u16 = 0x829d;
const ISO: u16 = 0x8827;
const STANDARD_SENSITIVITY: u16 = 0x8831;
const RECOMMENDED_EXPOSURE: u16 = 0x8832;
const SHUTTER_SPEED: u16 = 0x9201;
const APERTURE: u16 = 0x9202;
const FLASH: u16 = 0x9209;
const FOCAL_LENGTH: u16 = 0x920a;
const FOCAL_LENGTH_35MM: u16 = 0xa405;
const LENS_SPECIFICATION: u16 = 0xa432;
const LENS_MODEL: u16 = 0xa434;

/// Bits of the flash's word that have a meaning. The lowest one says that it fired.
const FLASH_BITS: u64 = 0x7f;

/// What the file will say when it is stored, these edits made.
pub(crate) fn of_stored(
    source: &Source,
    media_type: MediaType,
    survey: &Survey,
    scrub: Scrub,
    edits: &[Edit],
) -> Option<Camera> {
    let camera = match scrub {
        // Asked first, so that no corner of any format can say something all the same.
        Scrub::All => None,
        // A TIFF is its own EXIF, of which what goes is blanked where it stands.
        _ if media_type == MediaType::Tiff => of_exif(source, |range| is_edited(edits, range)),
        _ => stored_exif(source, survey, edits)
            .and_then(|exif| of_exif(&Source::Memory(exif), |_| false))
            // What a film says of its camera stands beside what it says of its place, and goes with it.
            .or_else(|| (scrub == Scrub::Keep).then(|| survey.camera.clone())?),
    };
    camera?.sound()
}

fn is_edited(edits: &[Edit], range: &Range<u64>) -> bool {
    edits
        .iter()
        .any(|edit| edit.at < range.end && range.start < edit.at + edit.remove)
}

/// The first EXIF as it will be stored: as it is, or what an edit puts in its place.
fn stored_exif(source: &Source, survey: &Survey, edits: &[Edit]) -> Option<Vec<u8>> {
    let found = survey.found.iter().find(|found| found.what == What::Exif)?;
    let Some(edit) = edits
        .iter()
        .find(|edit| is_edited(std::slice::from_ref(edit), &found.whole))
    else {
        return found.content(source);
    };
    // Behind the head that its container gives it.
    let begins = |bytes: &[u8]| matches!(bytes, b"II*\0" | b"MM\0*");
    let at = edit.insert.windows(4).position(begins)?;
    Some(edit.insert[at..].to_vec())
}

/// What EXIF says, whatever sense it makes; values of which `is_gone` says so are none.
fn of_exif(source: &Source, is_gone: impl Fn(&Range<u64>) -> bool) -> Option<Camera> {
    let tiff = Tiff::open(source)?;
    let main = tiff.directory(tiff.first)?;
    let exposure = main
        .find(EXIF_DIRECTORY)
        .and_then(|entry| tiff.number(entry))
        .and_then(|at| tiff.directory(at))
        .unwrap_or_default();
    let find = |directory: &Directory, tag| {
        let entry = *directory.find(tag)?;
        (!is_gone(&(entry.at..entry.at + entry.length))).then_some(entry)
    };
    let text = |directory: &Directory, tag| tiff.text(&find(directory, tag)?);
    let set_to = |tag| find(&exposure, tag);
    let number = |tag| set_to(tag).and_then(|entry| tiff.number(&entry));
    let ratio = |tag| set_to(tag).and_then(|entry| tiff.ratio(&entry, 0));
    let small = |number: u64| u32::try_from(number).ok();
    Some(Camera {
        make: text(&main, MAKE),
        model: text(&main, MODEL),
        lens: text(&exposure, LENS_MODEL)
            .filter(|model| model.chars().any(char::is_alphanumeric))
            .or_else(|| specified(&tiff, &set_to(LENS_SPECIFICATION)?)),
        // The same in powers of two (APEX), where a camera tells no other way.
        f_number: ratio(F_NUMBER).or_else(|| Some((ratio(APERTURE)? / 2.0).exp2())),
        exposure_seconds: ratio(EXPOSURE_TIME).or_else(|| Some((-ratio(SHUTTER_SPEED)?).exp2())),
        iso: iso(number).and_then(small),
        focal_length_mm: ratio(FOCAL_LENGTH),
        focal_length_35mm: number(FOCAL_LENGTH_35MM).and_then(small),
        flash: number(FLASH)
            .filter(|bits| *bits <= FLASH_BITS)
            .map(|bits| bits & 1 == 1),
    })
}

/// The older word has sixteen bits. When it is full, the newer ones know better.
fn iso(number: impl Fn(u16) -> Option<u64>) -> Option<u64> {
    const FULL: u64 = 65_535;
    let newer = || number(RECOMMENDED_EXPOSURE).or_else(|| number(STANDARD_SENSITIVITY));
    match number(ISO) {
        Some(FULL) | None => newer(),
        known => known,
    }
}

/// `24-70mm f/2.8-4` of the four numbers that describe a lens without a name: lengths, then openings, each from and to.
fn specified(tiff: &Tiff<'_>, entry: &Entry) -> Option<String> {
    const LONGEST_MM: f64 = 100_000.0;
    let part = |index| {
        let number = tiff.ratio(entry, index)?;
        (number > 0.0 && number <= LONGEST_MM).then_some((number * 10.0).round() / 10.0)
    };
    let span = |from: f64, to: Option<f64>| match to {
        Some(to) if to > from => format!("{from}-{to}"),
        _ => from.to_string(),
    };
    let lengths = span(part(0)?, part(1));
    Some(match part(2) {
        Some(widest) => format!("{lengths}mm f/{}", span(widest, part(3))),
        None => format!("{lengths}mm"),
    })
}

#[cfg(test)]
mod tests {
    use test_kit::pictures::{self, exif, fraction as ratio};

    use super::*;

    type Entries<'a> = &'a [pictures::ExifValue<'a>];

    fn camera(main: Entries<'_>, exposure: Entries<'_>) -> Option<Camera> {
        of_exif(&Source::Memory(exif(main, exposure)), |_| false)?.sound()
    }

    fn set_to(exposure: Entries<'_>) -> Camera {
        camera(&[(MODEL, 2, b"X\0")], exposure).unwrap()
    }

    #[test]
    fn a_telephones_exif_is_read() {
        let told = camera(
            &[(MAKE, 2, b"Apple\0"), (MODEL, 2, b"iPhone 15 Pro\0")],
            &[
                (EXPOSURE_TIME, 5, &ratio(1, 120)),
                (F_NUMBER, 5, &ratio(1_244_236, 699_009)),
                (ISO, 3, &[0, 100]),
                (FLASH, 3, &[0, 16]),
                (FOCAL_LENGTH, 5, &ratio(251_773, 37_217)),
                (FOCAL_LENGTH_35MM, 3, &[0, 24]),
                (
                    LENS_MODEL,
                    2,
                    b"iPhone 15 Pro back triple camera 6.765mm f/1.78\0",
                ),
                (0xa431, 2, b"SERIAL\0"),
            ],
        );
        let expected = Camera {
            make: Some("Apple".to_owned()),
            model: Some("iPhone 15 Pro".to_owned()),
            lens: Some("iPhone 15 Pro back triple camera 6.765mm f/1.78".to_owned()),
            f_number: Some(1.78),
            exposure_seconds: Some(0.008_333_33),
            iso: Some(100),
            focal_length_mm: Some(6.76),
            focal_length_35mm: Some(24),
            flash: Some(false),
        };
        assert_eq!(told, Some(expected));
    }

    #[test]
    fn what_one_tag_does_not_tell_another_may() {
        for (entry, told) in [
            ((APERTURE, 5, ratio(4, 1)), set_to(&[(F_NUMBER, 5, &ratio(4, 1))])),
            (
                // Signed: the exposure took four seconds.
                (
                    SHUTTER_SPEED,
                    10,
                    [(-2_i32).to_be_bytes(), 1_i32.to_be_bytes()].concat(),
                ),
                set_to(&[(EXPOSURE_TIME, 5, &ratio(4, 1))]),
            ),
            ((RECOMMENDED_EXPOSURE, 4, 102_400_u32.to_be_bytes().to_vec()), {
                let mut told = set_to(&[]);
                told.iso = Some(102_400);
                told
            }),
            (
                (
                    LENS_SPECIFICATION,
                    5,
                    [ratio(24, 1), ratio(70, 1), ratio(28, 10), ratio(4, 1)].concat(),
                ),
                set_to(&[(LENS_MODEL, 2, b"24-70mm f/2.8-4\0")]),
            ),
            (
                (
                    LENS_SPECIFICATION,
                    5,
                    [ratio(35, 1), ratio(35, 1), ratio(0, 0), ratio(0, 0)].concat(),
                ),
                set_to(&[(LENS_MODEL, 2, b"35mm\0")]),
            ),
        ] {
            let (tag, kind, value) = entry;
            assert_eq!(set_to(&[(tag, kind, &value)]), told, "{tag:#06x}");
        }
        let full = set_to(&[
            (ISO, 3, &[0xff; 2]),
            (RECOMMENDED_EXPOSURE, 4, &204_800_u32.to_be_bytes()),
        ]);
        assert_eq!(full.iso, Some(204_800));
        assert_eq!(set_to(&[(ISO, 3, &[0xff; 2])]).iso, None);
    }

    #[test]
    fn hostile_values_are_not_known_and_harm_nobody() {
        let nothing = set_to(&[]);
        let endless = vec![b'A'; 100_000];
        for (tag, kind, value) in [
            (EXPOSURE_TIME, 5, ratio(1, 0)),
            (EXPOSURE_TIME, 5, ratio(0, 0)),
            (EXPOSURE_TIME, 5, ratio(0, 1)),
            (EXPOSURE_TIME, 5, ratio(u32::MAX, 1)),
            (
                EXPOSURE_TIME,
                10,
                [(-1_i32).to_be_bytes(), 1_i32.to_be_bytes()].concat(),
            ),
            (EXPOSURE_TIME, 2, b"1/120\0".to_vec()),
            (EXPOSURE_TIME, 12, f64::NAN.to_be_bytes().to_vec()),
            (EXPOSURE_TIME, 5, Vec::new()),
            (
                SHUTTER_SPEED,
                10,
                [i32::MIN.to_be_bytes(), 1_i32.to_be_bytes()].concat(),
            ),
            (
                SHUTTER_SPEED,
                10,
                [i32::MIN.to_be_bytes(), (-1_i32).to_be_bytes()].concat(),
            ),
            (F_NUMBER, 5, ratio(u32::MAX, 1)),
            (F_NUMBER, 5, ratio(1, u32::MAX)),
            (APERTURE, 5, ratio(u32::MAX, 1)),
            (ISO, 3, vec![0, 0]),
            (ISO, 4, vec![0xff; 4]),
            (FLASH, 3, vec![0xff, 0xff]),
            (FOCAL_LENGTH, 5, ratio(0, 100)),
            (FOCAL_LENGTH_35MM, 3, vec![0, 0]),
            (LENS_MODEL, 2, b"\0\0\0\0\0\0".to_vec()),
            (LENS_MODEL, 2, b"\x1b\x07\r\n\xff\xfe\0".to_vec()),
            (LENS_MODEL, 7, b"undefined".to_vec()),
            (LENS_SPECIFICATION, 5, ratio(24, 1)[..4].to_vec()),
            (LENS_SPECIFICATION, 5, [ratio(1, 0), ratio(1, 0)].concat()),
            (0xa431, 2, b"SERIAL\0".to_vec()),
            (0xa430, 2, b"OWNER\0".to_vec()),
        ] {
            assert_eq!(
                set_to(&[(tag, kind, &value)]),
                nothing,
                "{tag:#06x} {kind} {value:?}"
            );
        }
        let told = camera(&[(MAKE, 2, &endless), (MODEL, 2, b"A\x01\xffB\0C\0")], &[]).unwrap();
        assert_eq!(told.make.map(|make| make.len()), Some(100));
        assert_eq!(told.model.as_deref(), Some("A B"));
        for broken in [
            b"MM\0*\xff\xff\xff\xff".as_slice(),
            b"MM\0*",
            b"",
            b"MM\0*\0\0\0\x08\0\xff",
        ] {
            let told = of_exif(&Source::Memory(broken.to_vec()), |_| false);
            assert_eq!(told.and_then(Camera::sound), None, "{broken:?}");
        }
    }
}
