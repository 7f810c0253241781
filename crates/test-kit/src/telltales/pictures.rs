use super::{PLACE_BE, PLACE_LE, SECRET, SEEN, secret, xmp};
use crate::pictures;

/// Two comments, XMP as an application's block, another application's block, and something behind the end.
pub(super) fn gif() -> Vec<u8> {
    let plain = pictures::gif(8, 8, 7);
    let colours = 3 << ((plain[10] & 7) + 1);
    let (head, rest) = plain.split_at(13 + colours);
    let comment = |text: &[u8]| {
        [
            &[0x21, 0xfe, u8::try_from(text.len()).expect("a small file")],
            text,
            &[0],
        ]
        .concat()
    };
    let application = |name: &[u8], text: &[u8]| {
        let blocks: Vec<u8> = text
            .chunks(200)
            .flat_map(|piece| [&[u8::try_from(piece.len()).expect("a small file")], piece].concat())
            .collect();
        [b"\x21\xff\x0b", name, &blocks, &[0]].concat()
    };
    // Adobe's way: the packet as it is, then a trailer in which every byte is the way to the end.
    let trailer: Vec<u8> = std::iter::once(1).chain((0..=255).rev()).chain([0]).collect();
    [
        head,
        &comment(&secret()),
        b"\x21\xff\x0bXMP DataXMP",
        &xmp(),
        &trailer,
        &application(b"CAMERA 1.00", &secret()),
        &application(b"NETSCAPE2.0", &[1, 0, 0]),
        &rest[..rest.len() - 1],
        &comment(&secret()),
        b";",
        &secret(),
    ]
    .concat()
}

/// A bitmap with something behind its pixels.
pub(super) fn bmp() -> Vec<u8> {
    let row = [10, 20, 30, 40, 50, 60, 0, 0];
    let mut out = b"BM".to_vec();
    out.extend(70_u32.to_le_bytes());
    out.extend([0; 4]);
    out.extend(54_u32.to_le_bytes());
    out.extend(40_u32.to_le_bytes());
    out.extend(2_u32.to_le_bytes());
    out.extend(2_u32.to_le_bytes());
    out.extend([1, 0, 24, 0]);
    out.extend([0; 24]);
    [out, row.to_vec(), row.to_vec(), secret()].concat()
}

/// Puts a TIFF together: directories whose values stand where they say.
struct Tiff {
    is_big_endian: bool,
    bytes: Vec<u8>,
}

/// Tag, type, values.
type Entry = (u16, u16, Vec<u8>);

impl Tiff {
    fn new(is_big_endian: bool) -> Self {
        let mut tiff = Self {
            is_big_endian,
            bytes: if is_big_endian { b"MM" } else { b"II" }.to_vec(),
        };
        let version = tiff.short(42);
        tiff.bytes.extend(version);
        tiff.bytes.extend([0; 4]);
        tiff
    }

    fn short(&self, number: u16) -> Vec<u8> {
        if self.is_big_endian {
            number.to_be_bytes().into()
        } else {
            number.to_le_bytes().into()
        }
    }

    fn long(&self, number: usize) -> Vec<u8> {
        let number = u32::try_from(number).expect("a small file");
        if self.is_big_endian {
            number.to_be_bytes().into()
        } else {
            number.to_le_bytes().into()
        }
    }

    /// Puts bytes at the end and says where.
    fn put(&mut self, bytes: &[u8]) -> usize {
        let at = self.bytes.len();
        self.bytes.extend(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(2), 0);
        at
    }

    /// Writes a directory that no other one follows, and says where it is.
    fn directory(&mut self, mut entries: Vec<Entry>) -> usize {
        entries.sort_by_key(|(tag, ..)| *tag);
        let mut out = self.short(u16::try_from(entries.len()).expect("a small file"));
        for (tag, kind, values) in &entries {
            let each = match kind {
                3 => 2,
                4 => 4,
                5 | 12 => 8,
                _ => 1,
            };
            let mut inline = if values.len() <= 4 {
                values.clone()
            } else {
                let at = self.put(values);
                self.long(at)
            };
            inline.resize(4, 0);
            out.extend(
                [
                    self.short(*tag),
                    self.short(*kind),
                    self.long(values.len() / each),
                    inline,
                ]
                .concat(),
            );
        }
        out.extend([0; 4]);
        self.put(&out)
    }

    fn finish(mut self, first: usize) -> Vec<u8> {
        let first = self.long(first);
        self.bytes[4..8].copy_from_slice(&first);
        self.bytes
    }

    fn place(&self) -> Vec<u8> {
        let seconds = [self.long(44), self.long(1)].concat();
        let place = if self.is_big_endian { PLACE_BE } else { PLACE_LE };
        [place.to_vec(), seconds].concat()
    }
}

/// A page in grey whose directory, EXIF, place, preview and every other corner tell on somebody; turned, with a profile.
pub(super) fn tiff(is_big_endian: bool) -> Vec<u8> {
    let mut tiff = Tiff::new(is_big_endian);
    let page = |tiff: &mut Tiff| {
        let at = tiff.put(SEEN);
        let side = |tiff: &Tiff, number: u16| tiff.short(number);
        vec![
            (0x0100, 3, side(tiff, 8)),
            (0x0101, 3, side(tiff, 7)),
            (0x0102, 3, side(tiff, 8)),
            (0x0103, 3, side(tiff, 1)),
            (0x0106, 3, side(tiff, 1)),
            (0x0111, 4, tiff.long(at)),
            (0x0115, 3, side(tiff, 1)),
            (0x0116, 3, side(tiff, 7)),
            (0x0117, 4, tiff.long(SEEN.len())),
        ]
    };
    let tells = |tag| (tag, 2, secret());
    let place = tiff.place();
    let gps = tiff.directory(vec![
        (1, 2, b"N\0".to_vec()),
        (2, 5, place.clone()),
        (4, 5, place),
        tells(0x1b),
    ]);
    let exif = tiff.directory(vec![
        (0x9003, 2, b"2025:01:02 03:04:05\0".to_vec()),
        (0x927c, 7, secret()),
        (0x9286, 7, secret()),
        tells(0xa420),
        tells(0xa430),
        tells(0xa431),
        tells(0xa435),
        tells(0xfe00),
    ]);
    let mut preview = page(&mut tiff);
    preview.extend([tells(0x010e), tells(0x013b)]);
    let preview = tiff.directory(preview);
    let mut main = page(&mut tiff);
    main.extend([0x010d, 0x010e, 0x013b, 0x013c, 0x8298, 0xc62f].map(tells));
    main.extend([
        (0x010f, 2, b"ACME\0".to_vec()),
        (0x0112, 3, tiff.short(6)),
        (0x014a, 4, tiff.long(preview)),
        (0x02bc, 1, xmp()),
        (0x8649, 7, secret()),
        (0x83bb, 7, secret()),
        (0x8769, 4, tiff.long(exif)),
        (0x8773, 7, b"a profile".to_vec()),
        (0x87b1, 2, secret()),
        (0x8825, 4, tiff.long(gps)),
        (0x9c9d, 1, secret()),
        (0xa480, 2, secret()),
    ]);
    let main = tiff.directory(main);
    tiff.finish(main)
}

fn part(kind: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).expect("a small file");
    [&length.to_be_bytes()[..], kind, body].concat()
}

/// EXIF with a place, and a number of a device.
fn exif() -> Vec<u8> {
    let mut tiff = Tiff::new(false);
    let place = tiff.place();
    let gps = tiff.directory(vec![(2, 5, place)]);
    let inner = tiff.directory(vec![(0xa431, 2, secret()), (0x927c, 7, secret())]);
    let main = tiff.directory(vec![
        (0x010e, 2, secret()),
        (0x010f, 2, b"ACME\0".to_vec()),
        (0x8769, 4, tiff.long(inner)),
        (0x8825, 4, tiff.long(gps)),
    ]);
    tiff.finish(main)
}

/// One item of pixels, one of EXIF, one of XMP; a box that nobody knows, and one that is said to be free.
pub(super) fn heic(brand: &[u8]) -> Vec<u8> {
    let full = |kind: &[u8], version: u8, body: &[u8]| part(kind, &[&[version, 0, 0, 0], body].concat());
    let pixels = if brand == b"heic" { b"hvc1" } else { b"av01" };
    let item = |id: u8, kind: &[u8], content: &[u8]| {
        full(b"infe", 2, &[&[0, id, 0, 0], kind, &[0], content].concat())
    };
    let items = full(
        b"iinf",
        0,
        &[
            &[0, 3],
            item(1, pixels, b"").as_slice(),
            &item(2, b"Exif", b""),
            &item(3, b"mime", b"application/rdf+xml\0"),
        ]
        .concat(),
    );
    let size = full(b"ispe", 0, &[0, 0, 0, 8, 0, 0, 0, 7]);
    let turned = part(b"irot", &[3]);
    let of_first = full(b"ipma", 0, &[0, 0, 0, 1, 0, 1, 2, 0x81, 0x82]);
    let properties = part(
        b"iprp",
        &[part(b"ipco", &[size, turned].concat()), of_first].concat(),
    );
    let handler = full(b"hdlr", 0, b"\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let contents = [
        SEEN.to_vec(),
        [b"\0\0\0\x06Exif\0\0".as_slice(), &exif()].concat(),
        xmp(),
    ];
    let meta = |first: usize| {
        let (mut at, mut places) = (first, vec![0x44, 0, 0, 3]);
        for (id, content) in (1_u8..).zip(&contents) {
            places.extend([0, id, 0, 0, 0, 1]);
            places.extend(u32::try_from(at).expect("a small file").to_be_bytes());
            places.extend(u32::try_from(content.len()).expect("a small file").to_be_bytes());
            at += content.len();
        }
        let places = full(b"iloc", 0, &places);
        let primary = full(b"pitm", 0, &[0, 1]);
        full(
            b"meta",
            0,
            &[
                handler.clone(),
                primary,
                items.clone(),
                properties.clone(),
                places,
            ]
            .concat(),
        )
    };
    let front = [
        part(b"ftyp", &[brand, b"\0\0\0\0mif1".as_slice(), brand].concat()),
        part(b"CAMR", &secret()),
        part(b"free", &secret()),
    ]
    .concat();
    let first = front.len() + meta(0).len() + 8;
    [front, meta(first), part(b"mdat", &contents.concat())].concat()
}

/// A JPEG with a gain map behind it, and another picture behind that, as phones write them: the map and the list of pictures
/// tell on people, too.
pub(super) fn high_range() -> Vec<u8> {
    let segment = |marker: u8, words: &[&[u8]]| {
        let body = words.concat();
        let length = u16::try_from(body.len() + 2).expect("a small file").to_be_bytes();
        [&[0xff, marker], &length[..], &body].concat()
    };
    let said = |text: &str| {
        let packet = format!(
            "<x:xmpmeta><rdf:Description xmlns:hdrgm=\"http://ns.adobe.com/hdr-gain-map/1.0/\" hdrgm:Version=\"1.0\" {text}>\
             <dc:creator>{SECRET}</dc:creator></rdf:Description></x:xmpmeta>"
        );
        segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", packet.as_bytes()])
    };
    let exif = segment(0xe1, &[b"Exif\0\0", &exif()]);
    let gain = segment(0xe2, &[b"urn:iso:std:iso:ts:21496:-1\0", &[0, 0, 0, 0]]);
    let (picture, small) = (pictures::jpeg(16, 16, 1), pictures::jpeg(8, 8, 2));
    let map = [
        &small[..2],
        &exif,
        &said("hdrgm:GainMapMax=\"1.5\" hdrgm:HDRCapacityMax=\"1.5\""),
        &segment(0xfe, &[&secret()]),
        &small[2..],
    ]
    .concat();
    let other = [&small[..2], &exif, &small[2..]].concat();
    let list = |places: [(usize, usize); 3]| {
        let mut tiff = Tiff::new(true);
        let mut entries = Vec::new();
        for (bytes, at) in places {
            entries.extend([vec![0; 4], tiff.long(bytes), tiff.long(at), vec![0; 4]].concat());
        }
        let count = tiff.long(3);
        let directory = tiff.directory(vec![
            (0xb000, 7, b"0100".to_vec()),
            (0xb001, 4, count),
            (0xb002, 7, entries),
            (0xb003, 2, secret()),
        ]);
        segment(0xe2, &[b"MPF\0", &tiff.finish(directory)])
    };
    let before = [&picture[..2], &exif, &said("")].concat();
    let whole = before.len() + list([(0, 0); 3]).len() + gain.len() + picture.len() - 2;
    let counted_from = before.len() + 8;
    let at = whole - counted_from;
    let list = list([(whole, 0), (map.len(), at), (other.len(), at + map.len())]);
    [before, list, gain, picture[2..].to_vec(), map, other, secret()].concat()
}
