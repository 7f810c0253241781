use super::{size, values};

/// Colours have seven bits, so that every code of the not compressing LZW stream below is exactly one byte.
const COLOURS: u8 = 128;
const CLEAR: u8 = COLOURS;
const END: u8 = COLOURS + 1;
/// After so many colours the decoder's table would grow past eight bits; a clear code before that empties it.
const BETWEEN_CLEARS: usize = 100;
const LONGEST_BLOCK: usize = 255;

/// A GIF of grey noise: one frame, about a byte a pixel.
///
/// # Panics
/// When a side is zero or past 65,535.
#[must_use]
pub fn gif(width: u32, height: u32, seed: u64) -> Vec<u8> {
    assert!(width > 0 && height > 0, "a picture has pixels");
    let side = |pixels: u32| {
        u16::try_from(pixels)
            .expect("a side of at most 65,535")
            .to_le_bytes()
    };
    let mut file = b"GIF89a".to_vec();
    file.extend([side(width), side(height)].concat());
    file.extend([0xf6, 0, 0]); // a table of 128 colours, the first of them behind the picture, square pixels
    for grey in 0..COLOURS {
        file.extend([grey * 2; 3]);
    }
    file.push(b','); // one frame, as large as the whole
    file.extend([[0; 2], [0; 2], side(width), side(height)].concat());
    file.extend([0, 7]); // no table of its own, not interlaced; codes begin at seven bits and one more
    // A byte of the seed has eight bits and a colour seven: the seed goes in twice, halved the second time.
    let halves = seed.rotate_right(4);
    let colours = values(seed)
        .take(8)
        .chain(values(halves))
        .map(|value| value % COLOURS);
    let colours: Vec<u8> = colours.take(size(width) * size(height)).collect();
    let mut codes = Vec::with_capacity(colours.len() + colours.len() / BETWEEN_CLEARS + 2);
    for run in colours.chunks(BETWEEN_CLEARS) {
        codes.push(CLEAR);
        codes.extend(run);
    }
    codes.push(END);
    for block in codes.chunks(LONGEST_BLOCK) {
        file.push(u8::try_from(block.len()).expect("a block's length"));
        file.extend(block);
    }
    file.extend([0, b';']);
    file
}
