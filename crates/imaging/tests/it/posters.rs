//! Pictures in videos: covers, and frames that are pictures; what stays of a cover when its video is scrubbed.

use std::io::Cursor;

use domain::{
    MediaType, Scrub,
    VariantFormat::{Jpeg, Webp},
};
use image::{Rgb, RgbImage};
use imaging::{Made, NotRenderable, Output, RenderLimits, Spec, render};

use crate::{
    rig::{decoders, file},
    scrubbing::{apply, inspect},
};

const RED: [u8; 3] = [230, 20, 20];
const BLUE: [u8; 3] = [20, 20, 230];

/// A JPEG of one colour.
fn jpeg(width: u16, height: u16, colour: [u8; 3]) -> Vec<u8> {
    let pixels = RgbImage::from_pixel(width.into(), height.into(), Rgb(colour));
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    encoder
        .encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    bytes
}

/// A key frame of VP8, as the codec has it: what a lossy WebP wraps.
fn vp8_key_frame(colour: [u8; 3]) -> Vec<u8> {
    let spec = Spec {
        width: 320,
        format: Webp,
    };
    let picture = Cursor::new(jpeg(640, 360, colour));
    let rendering = render(picture, MediaType::Jpeg, RenderLimits::default(), &[spec]).unwrap();
    let webp = &rendering.variants[0].bytes;
    assert_eq!(&webp[12..16], b"VP8 ", "lossy, and nothing else");
    let length = u32::from_le_bytes(webp[16..20].try_into().unwrap());
    webp[20..20 + length as usize].to_vec()
}

fn boxed(kind: &[u8], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len() + 8).unwrap();
    [&length.to_be_bytes()[..], kind, data].concat()
}

/// A movie of one frame, with this user data.
fn movie(brand: &[u8], frame: &[u8], user_data: &[u8]) -> Vec<u8> {
    let word = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    let ftyp = boxed(b"ftyp", &[brand, &[0; 4], brand].concat());
    let stsz = boxed(
        b"stsz",
        &[&[0; 4][..], &[0; 4], &word(1), &word(frame.len())].concat(),
    );
    let stco = boxed(b"stco", &[&[0; 4][..], &word(1), &word(ftyp.len() + 8)].concat());
    let minf = boxed(b"minf", &boxed(b"stbl", &[stsz, stco].concat()));
    let hdlr = boxed(b"hdlr", &[&[0; 8][..], b"vide", &[0; 12]].concat());
    let mut tkhd = vec![0; 84];
    tkhd[76..].copy_from_slice(&[2, 128, 0, 0, 1, 104, 0, 0]); // 640 by 360
    let track = boxed(
        b"trak",
        &[boxed(b"tkhd", &tkhd), boxed(b"mdia", &[hdlr, minf].concat())].concat(),
    );
    let moov = [boxed(b"mvhd", &[0; 100]), track, user_data.to_vec()].concat();
    [ftyp, boxed(b"mdat", frame), boxed(b"moov", &moov)].concat()
}

/// User data with a place, a title, a comment, and a cover.
fn told_and_covered(cover: &[u8]) -> Vec<u8> {
    let data = |kind: u8, bytes: &[u8]| boxed(b"data", &[&[0, 0, 0, kind, 0, 0, 0, 0], bytes].concat());
    let title = boxed(b"\xa9nam", &data(1, b"at SECRET home"));
    let picture = boxed(b"covr", &data(13, cover));
    let comment = boxed(b"\xa9cmt", &data(1, b"SECRET words"));
    let handler = boxed(
        b"hdlr",
        &[&[0; 8][..], b"mdirappl", &[0; 8], b"SECRET program\0"].concat(),
    );
    let list = boxed(b"ilst", &[title, picture, comment].concat());
    let meta = boxed(b"meta", &[vec![0; 4], handler, list].concat());
    let place = boxed(b"\xa9xyz", b"\0\x12\x15\xc7+12.3456-065.4321/");
    boxed(b"udta", &[place, meta].concat())
}

fn avi(frame: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let length = u32::try_from(data.len()).unwrap().to_le_bytes();
        [&kind[..], &length, data, &[0][..data.len() % 2]].concat()
    };
    let mut header = vec![0; 56];
    header[32..40].copy_from_slice(&[128, 2, 0, 0, 104, 1, 0, 0]);
    let headers = chunk(b"LIST", &[b"hdrl", chunk(b"avih", &header).as_slice()].concat());
    let sound = chunk(b"01wb", &[7; 33]);
    let movie = chunk(
        b"LIST",
        &[b"movi", sound.as_slice(), &chunk(b"00dc", frame)].concat(),
    );
    chunk(b"RIFF", &[b"AVI ", headers.as_slice(), &movie].concat())
}

fn element(id: &[u8], data: &[u8]) -> Vec<u8> {
    match u8::try_from(data.len()) {
        Ok(short) if short < 127 => [id, &[0x80 | short], data].concat(),
        _ => {
            let length = u64::try_from(data.len()).unwrap() | 1 << 56;
            [id, &length.to_be_bytes(), data].concat()
        }
    }
}

/// A Matroska file of one frame, with these attachments: names and bytes.
fn matroska(frame: &[u8], attached: &[(&str, &[u8])]) -> Vec<u8> {
    let video = element(
        b"\xe0",
        &[element(b"\xb0", &[2, 128]), element(b"\xba", &[1, 104])].concat(),
    );
    let tracks = element(
        b"\x16\x54\xae\x6b",
        &element(b"\xae", &[element(b"\xd7", &[1]), video].concat()),
    );
    let files: Vec<u8> = attached
        .iter()
        .flat_map(|(name, bytes)| {
            let inside = [
                element(b"\x46\x6e", name.as_bytes()),
                element(b"\x46\x60", b"image/jpeg"),
                element(b"\x46\x5c", bytes),
                element(b"\x46\xae", &[9]),
            ];
            element(b"\x61\xa7", &inside.concat())
        })
        .collect();
    let attachments = element(b"\x19\x41\xa4\x69", &files);
    let block = element(b"\xa3", &[&[0x81, 0, 0, 0x80], frame].concat());
    let cluster = element(b"\x1f\x43\xb6\x75", &[element(b"\xe7", &[0]), block].concat());
    let header = element(
        b"\x1a\x45\xdf\xa3",
        b"\x42\x82\x88matroska\x42\x87\x81\x04\x42\x85\x81\x02",
    );
    let segment = if attached.is_empty() {
        [tracks, cluster].concat()
    } else {
        [tracks, cluster, attachments].concat()
    };
    [header, element(b"\x18\x53\x80\x67", &segment)].concat()
}

/// What a decoder makes of a file in 300 pixels, in 1280, and as JPEG: the variants and the colour of the first.
async fn poster(bytes: &[u8]) -> Result<(Vec<Made>, [u8; 3]), NotRenderable> {
    let source = file(bytes);
    let wanted = [(300, Webp), (300, Jpeg), (1280, Webp)];
    let files: Vec<_> = wanted.iter().map(|_| file(b"")).collect();
    let outputs = wanted.iter().zip(&files).map(|(&(width, format), file)| Output {
        spec: Spec { width, format },
        path: file.to_path_buf(),
    });
    let rendered = decoders()
        .render(source.to_path_buf(), outputs.collect())
        .await
        .unwrap()?;
    let webp = image::load_from_memory(&std::fs::read(&files[0]).unwrap())
        .unwrap()
        .into_rgb8();
    assert!(std::fs::read(&files[1]).unwrap().starts_with(b"\xff\xd8\xff"));
    Ok((rendered.made, webp.get_pixel(50, 50).0))
}

/// The beginning of a frame of H.264: its length, then the first of its units.
const H264: &[u8] =
    b"\0\0\0\x18\x65\x88\x84\0\x10\xff\xfe\xf6\xf0\xfe\x05\x36\x56\x04\x50\x96\x7b\x3f\x53\xe1\0\0\0\0";

#[tokio::test]
async fn a_cover_is_the_poster_and_so_is_a_first_frame_that_is_a_picture() {
    let (red, blue) = (jpeg(640, 360, RED), jpeg(640, 360, BLUE));
    for (what, bytes, colour) in [
        (
            "a movie with a cover",
            movie(b"mp42", H264, &told_and_covered(&red)),
            RED,
        ),
        (
            "a cover before the frames",
            movie(b"qt  ", &blue, &told_and_covered(&red)),
            RED,
        ),
        ("Motion JPEG in a movie", movie(b"qt  ", &blue, b""), BLUE),
        ("VP8 in a movie", movie(b"mp42", &vp8_key_frame(RED), b""), RED),
        ("Motion JPEG in an AVI", avi(&blue), BLUE),
        ("VP8 in Matroska", matroska(&vp8_key_frame(BLUE), &[]), BLUE),
        ("an attached cover", matroska(H264, &[("cover.jpg", &red)]), RED),
        (
            "a cover behind the frames",
            matroska(&vp8_key_frame(BLUE), &[("cover.jpg", &red)]),
            RED,
        ),
    ] {
        let (made, seen) = poster(&bytes)
            .await
            .unwrap_or_else(|reason| panic!("{what}: {reason}"));
        let widths: Vec<u32> = made.iter().map(|made| made.width).collect();
        // As wide as it is: the video itself would be no answer to who asks for more.
        let widest = if what.starts_with("VP8") { 320 } else { 640 };
        assert_eq!(widths, [300, 300, widest], "{what}");
        let apart = seen
            .iter()
            .zip(colour)
            .map(|(one, other)| one.abs_diff(other))
            .max();
        assert!(apart < Some(24), "{what}: {seen:?} is not {colour:?}");
    }
}

#[tokio::test]
async fn a_video_that_takes_a_decoder_of_videos_has_no_poster_and_says_so() {
    let damaged = jpeg(640, 360, RED)[..200].to_vec();
    for (what, bytes, expected) in [
        ("H.264", movie(b"mp42", H264, b""), NotRenderable::NoPicture),
        (
            "H.264 in Matroska",
            matroska(&[H264, &[0; 300]].concat(), &[]),
            NotRenderable::NoPicture,
        ),
        ("DivX", avi(b"\0\0\x01\xb6\x10\x60"), NotRenderable::NoPicture),
        ("no frame at all", avi(b""), NotRenderable::NoPicture),
        (
            "a damaged cover",
            movie(b"mp42", H264, &told_and_covered(&damaged)),
            NotRenderable::Broken(String::new()),
        ),
    ] {
        let outcome = poster(&bytes).await.unwrap_err();
        assert_eq!(
            std::mem::discriminant(&outcome),
            std::mem::discriminant(&expected),
            "{what}: {outcome}"
        );
    }
}

#[tokio::test]
async fn a_cover_stays_when_its_video_is_scrubbed_unless_there_is_more_in_it_than_a_picture() {
    let plain = jpeg(640, 360, RED);
    let mut telling = plain.clone();
    telling.splice(2..2, *b"\xff\xfe\x00\x08SECRET");
    let secret = |bytes: &[u8]| {
        bytes
            .windows(6)
            .any(|window| window == b"SECRET" || window == b"12.345")
    };
    let decoders = decoders();
    for (what, bytes, scrub, stays) in [
        (
            "a movie",
            movie(b"mp42", H264, &told_and_covered(&plain)),
            Scrub::Location,
            true,
        ),
        (
            "a movie",
            movie(b"mp42", H264, &told_and_covered(&plain)),
            Scrub::All,
            false,
        ),
        (
            "a telling cover",
            movie(b"mp42", H264, &told_and_covered(&telling)),
            Scrub::Location,
            false,
        ),
        (
            "Matroska",
            matroska(H264, &[("cover.jpg", &plain), ("SECRET.ttf", b"font")]),
            Scrub::Location,
            true,
        ),
        (
            "Matroska",
            matroska(H264, &[("cover.jpg", &plain), ("SECRET.ttf", b"font")]),
            Scrub::All,
            false,
        ),
        (
            "a telling name",
            matroska(H264, &[("SECRET.jpg", &plain)]),
            Scrub::Location,
            false,
        ),
        (
            "a telling attachment",
            matroska(H264, &[("cover.jpg", &telling)]),
            Scrub::Location,
            false,
        ),
    ] {
        assert!(
            secret(&bytes) || what == "Matroska",
            "{what}: there is something to find"
        );
        let inspection = inspect(&decoders, &file(&bytes), scrub).await;
        let scrubbed = apply(&bytes, &inspection);
        assert!(!secret(&scrubbed), "{what} {scrub}");
        assert_eq!(scrubbed.len(), bytes.len(), "{what}: nothing has moved");
        assert_eq!(poster(&scrubbed).await.is_ok(), stays, "{what} {scrub}");
        let again = inspect(&decoders, &file(&scrubbed), scrub).await;
        assert_eq!(again.edits, vec![], "{what} {scrub}: once is enough");
    }
}
