use super::{SEEN, secret, xmp};

fn part(kind: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).expect("a small file");
    [&length.to_be_bytes()[..], kind, body].concat()
}

fn full(kind: &[u8], body: &[u8]) -> Vec<u8> {
    part(kind, &[&[0; 4], body].concat())
}

fn word(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("a small file").to_be_bytes()
}

/// A track whose samples stand in two chunks.
fn track(kind: &[u8], samples: [(usize, usize); 2], more: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 80];
    header[72..74].copy_from_slice(&8_u16.to_be_bytes());
    header[76..78].copy_from_slice(&7_u16.to_be_bytes());
    let handler = full(b"hdlr", &[b"\0\0\0\0", kind, &[0; 12], &secret()].concat());
    let sizes = samples.map(|(_, length)| word(length)).concat();
    let places = samples.map(|(at, _)| word(at)).concat();
    let table = [
        full(b"stsd", &word(0)),
        full(b"stts", &[word(1), word(2), word(1)].concat()),
        full(b"stsc", &[word(1), word(1), word(1), word(1)].concat()),
        full(b"stsz", &[&word(0)[..], &word(2), &sizes].concat()),
        full(b"stco", &[&word(2)[..], &places].concat()),
        part(b"CAMR", &secret()),
    ]
    .concat();
    let media = [
        full(b"mdhd", &[0; 20]),
        handler,
        part(
            b"minf",
            &[part(b"stbl", &table), part(b"CAMR", &secret())].concat(),
        ),
        part(b"udta", &secret()),
    ]
    .concat();
    part(
        b"trak",
        &[&full(b"tkhd", &header), &part(b"mdia", &media), more].concat(),
    )
}

/// A film of a phone or a drone: pictures, a track of positions, one of words about a place; the place and the owner in every
/// box that anybody has them in.
pub(super) fn movie(brand: &[u8]) -> Vec<u8> {
    let (half, positions) = (SEEN.len() / 2, secret());
    let words = [b"\0\x20GPS(".as_slice(), &secret()].concat();
    let front = [
        part(b"ftyp", &[brand, b"\0\0\0\0".as_slice(), brand].concat()),
        part(b"free", &secret()),
        part(b"CAMR", &secret()),
    ]
    .concat();
    let first = front.len() + 8;
    let of_positions = first + SEEN.len();
    let of_words = of_positions + 2 * positions.len();
    let samples = [SEEN, &positions, &positions, &words, &words].concat();
    let xyz = part(b"\xa9xyz", &[&[0, 18, 0x15, 0xc7], secret().as_slice()].concat());
    let named = part(b"udta", &part(b"name", &secret()));
    let keys = [
        full(
            b"keys",
            &[
                &word(1)[..],
                &part(b"mdta", b"com.apple.quicktime.location.ISO6709"),
            ]
            .concat(),
        ),
        part(
            b"ilst",
            &part(
                &word(1),
                &part(
                    b"data",
                    &[&[0, 0, 0, 1, 0, 0, 0, 0], secret().as_slice()].concat(),
                ),
            ),
        ),
    ]
    .concat();
    let uuid = |id: [u8; 16], body: &[u8]| part(b"uuid", &[&id, body].concat());
    let of_xmp = [
        0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac,
    ];
    let mut header = vec![0; 96];
    header[..4].copy_from_slice(&3_800_000_000_u32.to_be_bytes());
    let movie = [
        full(b"mvhd", &header),
        track(
            b"vide",
            [(first, half), (first + half, SEEN.len() - half)],
            &named,
        ),
        track(
            b"meta",
            [
                (of_positions, positions.len()),
                (of_positions + positions.len(), positions.len()),
            ],
            b"",
        ),
        track(
            if brand == b"qt  " { b"text" } else { b"sbtl" },
            [(of_words, words.len()), (of_words + words.len(), words.len())],
            b"",
        ),
        part(b"udta", &[xyz, part(b"\xa9ART", &secret())].concat()),
        part(b"meta", &keys),
        uuid(of_xmp, &xmp()),
        uuid([7; 16], &secret()),
        part(b"free", &secret()),
    ]
    .concat();
    [
        front,
        part(b"mdat", &samples),
        part(b"moov", &movie),
        part(b"meta", &keys),
    ]
    .concat()
}

/// A film in fragments, as browsers and cameras of the net record it, which tells in every list of boxes that a fragment has.
pub(super) fn fragments() -> Vec<u8> {
    let strange = part(b"CAMR", &secret());
    let extends = [full(b"trex", &[0; 20]), strange.clone()].concat();
    let movie = [
        full(b"mvhd", &[0; 96]),
        track(b"vide", [(0, 0), (0, 0)], b""),
        part(b"mvex", &extends),
    ]
    .concat();
    let piece = [
        full(b"tfhd", &word(1)),
        full(b"tfdt", &word(0)),
        full(b"trun", &[word(1), word(SEEN.len())].concat()),
        part(b"udta", &part(b"\xa9xyz", &secret())),
        part(b"uuid", &[&[7; 16], secret().as_slice()].concat()),
        part(b"free", &secret()),
        strange.clone(),
    ]
    .concat();
    let fragment = [
        full(b"mfhd", &word(1)),
        part(b"traf", &piece),
        full(b"meta", &secret()),
        part(b"skip", &secret()),
        strange.clone(),
    ]
    .concat();
    let event = full(
        b"emsg",
        &[b"https://aomedia.org/emsg/ID3\0", secret().as_slice()].concat(),
    );
    let places = [full(b"tfra", &[0; 12]), strange, full(b"mfro", &word(16))].concat();
    [
        part(b"ftyp", b"iso5\0\0\0\0iso5"),
        part(b"moov", &movie),
        event,
        part(b"moof", &fragment),
        part(b"mdat", SEEN),
        part(b"mfra", &places),
    ]
    .concat()
}

fn chunk(kind: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a small file");
    [kind, &length.to_le_bytes()[..], body, &[0][..body.len() % 2]].concat()
}

fn list(kind: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"LIST", &[kind, chunks.concat().as_slice()].concat())
}

/// A film of a camera that keeps what it knows in lists of words, in its driver's chunk, in chunks of its maker, and in places
/// that are free.
pub(super) fn avi() -> Vec<u8> {
    let mut header = vec![0; 56];
    header[32] = 8;
    header[36] = 7;
    let stream = list(
        b"strl",
        &[
            chunk(b"strh", b"vidsMJPG"),
            chunk(b"strf", &[40; 40]),
            chunk(b"strd", &secret()),
            chunk(b"strn", &secret()),
        ],
    );
    let body = [
        b"AVI ".to_vec(),
        list(
            b"hdrl",
            &[
                chunk(b"avih", &header),
                stream,
                chunk(b"IDIT", b"Mon Mar 10 15:04:43 2003\n\0"),
                list(b"INFO", &[chunk(b"IART", &secret())]),
            ],
        ),
        list(b"INFO", &[chunk(b"ILOC", &secret()), chunk(b"ICMT", &secret())]),
        list(b"exif", &[chunk(b"ecor", &secret())]),
        list(b"ncdt", &[chunk(b"nctg", &secret())]),
        chunk(b"JUNK", &secret()),
        list(b"movi", &[chunk(b"00dc", SEEN)]),
        chunk(b"idx1", &[0; 16]),
        chunk(b"_PMX", &xmp()),
        chunk(b"CAMR", &secret()),
    ]
    .concat();
    chunk(b"RIFF", &body)
}

fn element(id: u32, body: &[u8]) -> Vec<u8> {
    let id = id.to_be_bytes();
    let first = id.iter().position(|byte| *byte != 0).unwrap_or(3);
    let length = match u8::try_from(body.len()) {
        Ok(short) if short < 127 => vec![0x80 | short],
        _ => (body.len() as u64 | 1 << 56).to_be_bytes().to_vec(),
    };
    [&id[first..], &length, body].concat()
}

/// Tags with a place, a title, a program, names of files and of a track, an attachment, and leftovers in a place that is free.
pub(super) fn matroska(kind: &str) -> Vec<u8> {
    let tag = [element(0x45a3, b"LOCATION"), element(0x4487, &secret())].concat();
    let tags = element(0x1254_c367, &element(0x7373, &element(0x67c8, &tag)));
    let information = [
        element(0x002a_d7b1, &[0x0f, 0x42, 0x40]),
        element(0x7ba9, &secret()),
        element(0x7384, &secret()),
        element(0x4461, &600_000_000_000_000_000_u64.to_be_bytes()),
        element(0x4d80, b"a program"),
        element(0xec, &secret()),
    ]
    .concat();
    let track = [
        element(0xd7, &[1]),
        element(0x83, &[1]),
        element(0x536e, &secret()),
        element(0xe0, &[element(0xb0, &[8]), element(0xba, &[7])].concat()),
    ]
    .concat();
    let file = [element(0x466e, &secret()), element(0x465c, &secret())].concat();
    let segment = [
        element(0x1549_a966, &information),
        element(0xec, &secret()),
        element(0x1654_ae6b, &element(0xae, &track)),
        tags.clone(),
        element(0x1941_a469, &element(0x61a7, &file)),
        element(0x1f43_b675, &[element(0xe7, &[0]), element(0xa3, SEEN)].concat()),
        tags,
        element(0x1234_5678, &secret()),
    ]
    .concat();
    let header = [
        element(0x4282, kind.as_bytes()),
        element(0x4287, &[4]),
        element(0x4285, &[2]),
    ]
    .concat();
    [element(0x1a45_dfa3, &header), element(0x1853_8067, &segment)].concat()
}
