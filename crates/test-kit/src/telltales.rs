//! Files that tell on people: where they were taken, by whom, with which very device. One of each format, whole, written by code,
//! with [`SECRET`] and a [`PLACE`] wherever the format has room for such words.

mod films;
mod pictures;

use self::{
    films::{avi, fragments, matroska, movie},
    pictures::{bmp, gif, heic, high_range, tiff},
};

/// A name, a number of a device, a comment: what must not be left in any byte.
pub const SECRET: &str = "SENTINEL_PII";
/// A place as text.
pub const PLACE: &str = "+12.3456-065.4321/";
/// The same in EXIF's fractions, as far as 12 degrees and 20 minutes go, in the order of bytes of a PC.
pub const PLACE_LE: [u8; 16] = [12, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0];
/// And the other way round.
pub const PLACE_BE: [u8; 16] = [0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 0, 1];
/// What is seen: it must be there afterwards, byte by byte.
pub const SEEN: &[u8] = b"<<<what is seen, from the first pixel to the last one>>>";

/// A file that tells on people.
#[derive(Debug, Clone)]
pub struct Telltale {
    /// A name for it, with its extension.
    pub name: &'static str,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// One file of each format that has a camera's metadata, besides those that the corpus holds.
#[must_use]
pub fn all() -> Vec<Telltale> {
    [
        ("comments.gif", gif()),
        ("intel.tif", tiff(false)),
        ("motorola.tif", tiff(true)),
        ("phone.heic", heic(b"heic")),
        ("phone.avif", heic(b"avif")),
        ("high-range.jpg", high_range()),
        ("behind.bmp", bmp()),
        ("phone.mov", movie(b"qt  ")),
        ("phone.m4v", movie(b"M4V ")),
        ("phone.mp4", movie(b"isom")),
        ("fragments.mp4", fragments()),
        ("camera.avi", avi()),
        ("film.mkv", matroska("matroska")),
        ("film.webm", matroska("webm")),
    ]
    .map(|(name, bytes)| Telltale { name, bytes })
    .into()
}

/// What of all this is in these bytes.
#[must_use]
pub fn found_in(bytes: &[u8]) -> Vec<&'static str> {
    let holds = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    let words: [(&str, &[u8]); 7] = [
        ("the secret", SECRET.as_bytes()),
        ("latitude", b"12.3456"),
        ("longitude", b"65.4321"),
        ("a place in fractions", &PLACE_LE),
        ("a place in fractions, big-endian", &PLACE_BE),
        ("a packet of XMP about people", b"dc:creator"),
        ("the name of a place's tag", b"GPSLatitude"),
    ];
    words
        .into_iter()
        .filter(|(_, word)| holds(word))
        .map(|(name, _)| name)
        .collect()
}

/// A packet of XMP that tells all.
fn xmp() -> Vec<u8> {
    format!(
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF><rdf:Description \
         exif:GPSLatitude=\"12,20.736N\"><dc:creator>{SECRET}</dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    .into_bytes()
}

fn secret() -> Vec<u8> {
    format!("{SECRET} {PLACE}\0").into_bytes()
}
