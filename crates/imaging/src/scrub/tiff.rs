//! TIFF: pixels are found by places in the file, so nothing in it moves. Values that may not stay are overwritten where they stand.

use std::collections::BTreeSet;

use domain::Scrub;

use super::{Edit, blank::overwrite};
use crate::{
    exif::{EXPOSURE, MAIN},
    ifd::{Directory, Tiff},
    source::Source,
};

const EXIF: u16 = 0x8769;
const GPS: u16 = 0x8825;
const INTEROPERABILITY: u16 = 0xa005;
const SUB_PICTURES: u16 = 0x014a;
/// Pages, and pictures within pages.
const MOST_DIRECTORIES: usize = 4_000;

/// What pixels are found, counted and coloured by: TIFF 6.0 and its supplements, old and new JPEG within it, the colour profile.
///
/// SECURITY: a list of what may stay, as for EXIF. Not on it: words, names, XMP (0x02bc), IPTC (0x83bb), Photoshop's resources
/// (0x8649), what Windows adds (0x9c9b and on), places on the map (0x830e, 0x8482, 0x87af and on), and whatever nobody here knows.
const PIXELS: &[u16] = &[
    0x00fe, 0x00ff, 0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0107, 0x0108, 0x0109, 0x010a, 0x0111, 0x0112,
    0x0115, 0x0116, 0x0117, 0x0118, 0x0119, 0x011a, 0x011b, 0x011c, 0x011e, 0x011f, 0x0120, 0x0121, 0x0122,
    0x0123, 0x0124, 0x0125, 0x0128, 0x0129, 0x012d, 0x013d, 0x013e, 0x013f, 0x0140, 0x0141, 0x0142, 0x0143,
    0x0144, 0x0145, 0x0146, 0x0147, 0x0148, 0x014a, 0x014c, 0x014e, 0x0150, 0x0152, 0x0153, 0x0154, 0x0155,
    0x0156, 0x0157, 0x0158, 0x0159, 0x015a, 0x015b, 0x0190, 0x0191, 0x0192, 0x0193, 0x0194, 0x0195, 0x01b1,
    0x01b2, 0x01b3, 0x01b5, 0x0200, 0x0201, 0x0202, 0x0203, 0x0205, 0x0206, 0x0207, 0x0208, 0x0209, 0x0211,
    0x0212, 0x0213, 0x0214, 0x80e5, 0x80e6, 0x828d, 0x828e, 0x8773, 0x923f, 0xc5f2,
];

/// What raw pictures are developed by (DNG): matrices, levels, opcodes; not who owns the camera, nor which one it is.
fn develops(tag: u16) -> bool {
    const TELLING: &[u16] = &[
        0xc614, 0xc615, 0xc62f, 0xc634, 0xc65d, 0xc68b, 0xc68c, 0xc6f4, 0xc6fe, 0xc716, 0xc717, 0xc718,
        0xc719, 0xc71a, 0xc71b, 0xc789, 0xc7a1,
    ];
    (0xc612..=0xc7ee).contains(&tag) && !TELLING.contains(&tag)
}

pub(super) fn edits(source: &Source, scrub: Scrub) -> Vec<Edit> {
    let Some(tiff) = Tiff::open(source) else {
        return Vec::new();
    };
    let (mut edits, mut seen, mut next) = (Vec::new(), BTreeSet::new(), vec![tiff.first]);
    while let Some(at) = next.pop() {
        if at == 0 || seen.len() == MOST_DIRECTORIES || !seen.insert(at) {
            continue;
        }
        let Some(page) = tiff.directory(at) else { continue };
        let is_pointer = |tag| matches!(tag, EXIF | GPS);
        let stays = |tag: u16| {
            PIXELS.contains(&tag)
                || is_pointer(tag)
                || develops(tag)
                || scrub == Scrub::Location && MAIN.contains(&tag)
        };
        blank(&page, stays, &mut edits);
        let inner = |page: &Directory, tag| {
            page.find(tag)
                .and_then(|entry| tiff.number(entry))
                .and_then(|at| tiff.directory(at))
                .unwrap_or_default()
        };
        let exposure = inner(&page, EXIF);
        let of_exposure =
            |tag: u16| tag == INTEROPERABILITY || scrub == Scrub::Location && EXPOSURE.contains(&tag);
        blank(&exposure, of_exposure, &mut edits);
        blank(&inner(&page, GPS), |_| false, &mut edits);
        blank(&inner(&exposure, INTEROPERABILITY), |_| false, &mut edits);
        let within = page
            .find(SUB_PICTURES)
            .map(|entry| tiff.numbers(entry, MOST_DIRECTORIES));
        next.extend(within.unwrap_or_default());
        next.push(page.next);
    }
    edits
}

fn blank(directory: &Directory, stays: impl Fn(u16) -> bool, edits: &mut Vec<Edit>) {
    let values = directory.values.iter().filter(|(tag, _)| !stays(*tag));
    edits.extend(values.map(|(_, range)| overwrite(range.clone(), Vec::new())));
}
