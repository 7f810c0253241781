use super::{size, values};

/// Pixels along the side of a block.
const BLOCK: u32 = 8;
/// With this quantiser the first coefficient of a block is its grey minus 128, and no bit of it is lost.
const QUANTISER: u8 = 8;
/// How many codes of one to sixteen bits there are for sizes of differences: the table of the standard's annex K.
const DIFFERENCE_CODES: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
/// Those codes as (bits, value), for sizes 0 to 8.
const DIFFERENCE: [(u32, u32); 9] = [
    (2, 0b00),
    (3, 0b010),
    (3, 0b011),
    (3, 0b100),
    (3, 0b101),
    (3, 0b110),
    (4, 0b1110),
    (5, 0b1_1110),
    (6, 0b11_1110),
];

/// A baseline JPEG of grey squares, 8 × 8 pixels each; two or three bytes a square. It carries its seed in a comment too, for a
/// small one has few squares.
///
/// # Panics
/// When a side is zero or past 65,535.
#[must_use]
pub fn jpeg(width: u32, height: u32, seed: u64) -> Vec<u8> {
    assert!(width > 0 && height > 0, "a picture has pixels");
    let side = |pixels: u32| {
        u16::try_from(pixels)
            .expect("a side of at most 65,535")
            .to_be_bytes()
    };
    let mut file = vec![0xff, 0xd8];
    segment(&mut file, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    segment(&mut file, 0xfe, format!("test {seed}").as_bytes());
    segment(&mut file, 0xdb, &[&[0][..], &[QUANTISER; 64]].concat());
    let frame = [&[8][..], &side(height), &side(width), &[1, 1, 0x11, 0]];
    segment(&mut file, 0xc0, &frame.concat());
    let sizes: Vec<u8> = (0..12).collect();
    segment(
        &mut file,
        0xc4,
        &[&[0x00][..], &DIFFERENCE_CODES, &sizes].concat(),
    );
    // The only code for the other coefficients: a zero bit says that the rest of the block is flat.
    let mut flat = [0; 18];
    (flat[0], flat[1]) = (0x10, 1);
    segment(&mut file, 0xc4, &flat);
    segment(&mut file, 0xda, &[1, 1, 0x00, 0, 63, 0]);
    let squares = size(width.div_ceil(BLOCK)) * size(height.div_ceil(BLOCK));
    file.extend(scan(values(seed).take(squares)));
    file.extend([0xff, 0xd9]);
    file
}

fn segment(file: &mut Vec<u8>, marker: u8, data: &[u8]) {
    let length = u16::try_from(data.len() + 2).expect("a segment's length");
    file.extend([0xff, marker]);
    file.extend(length.to_be_bytes());
    file.extend(data);
}

/// The entropy-coded squares: for each the difference of its grey to the one before, and "the rest is flat".
fn scan(greys: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut bits = Bits::default();
    let mut before = 128;
    for grey in greys.map(i32::from) {
        let difference = grey - before;
        let length = i32::BITS - difference.unsigned_abs().leading_zeros();
        let (code_length, code) = DIFFERENCE[size(length)];
        bits.push(code_length, code);
        // A negative number is written as the ones' complement of its magnitude.
        let written = if difference < 0 {
            difference - 1
        } else {
            difference
        };
        bits.push(length, written.cast_unsigned() & ((1 << length) - 1));
        bits.push(1, 0);
        before = grey;
    }
    bits.finish()
}

/// Bits, the most significant first; a byte of ones is followed by a zero byte, lest it look like a marker.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, length: u32, value: u32) {
        for place in (0..length).rev() {
            self.held = self.held << 1 | (value >> place & 1);
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.held.to_le_bytes()[0]);
                if self.held == 0xff {
                    self.bytes.push(0);
                }
                (self.held, self.count) = (0, 0);
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        while self.count > 0 {
            self.push(1, 1);
        }
        self.bytes
    }
}
