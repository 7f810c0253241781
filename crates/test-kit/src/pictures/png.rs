use super::{size, values};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// Eight bits a channel, RGB, the one compression and the one filter method, not interlaced.
const TRUE_COLOUR: [u8; 5] = [8, 2, 0, 0, 0];
/// The most that one stored block of deflate holds.
const STORED_BLOCK: usize = 0xffff;

/// A PNG of coloured noise. It does not compress: three bytes a pixel and a little more, so `600 × 600` is 1 MB.
///
/// # Panics
/// When a side is zero.
#[must_use]
pub fn png(width: u32, height: u32, seed: u64) -> Vec<u8> {
    assert!(width > 0 && height > 0, "a picture has pixels");
    let mut values = values(seed);
    let mut rows = Vec::with_capacity(size(height) * (1 + 3 * size(width)));
    for _ in 0..height {
        rows.push(0); // the row is not filtered
        rows.extend(values.by_ref().take(3 * size(width)));
    }
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend(TRUE_COLOUR);
    let mut file = SIGNATURE.to_vec();
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"IDAT", &stored(&rows));
    chunk(&mut file, *b"IEND", &[]);
    file
}

pub(super) fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).expect("a chunk is shorter than 4 GiB");
    file.extend(length.to_be_bytes());
    let begin = file.len();
    file.extend(kind);
    file.extend(data);
    let sum = crc32(&file[begin..]);
    file.extend(sum.to_be_bytes());
}

/// zlib's frame around deflate's stored blocks.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = data.chunks(STORED_BLOCK).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("a block's length");
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(adler32(data).to_be_bytes());
    stream
}

fn adler32(data: &[u8]) -> u32 {
    let (low, high) = data.iter().fold((1u32, 0u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    high << 16 | low
}

fn crc32(data: &[u8]) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|index| {
        let index = u32::try_from(index).expect("an index below 256");
        (0..8).fold(index, |value, _| (value >> 1) ^ (0xedb8_8320 * (value & 1)))
    });
    let fold = |sum: u32, byte: &u8| table[usize::from(sum.to_le_bytes()[0] ^ byte)] ^ (sum >> 8);
    !data.iter().fold(!0, fold)
}
