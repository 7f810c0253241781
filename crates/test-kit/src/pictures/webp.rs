use super::{size, values};

/// A lossless WebP of noise in the eight corner colours of RGB: three bits a pixel.
///
/// # Panics
/// When a side is zero or past 16,384.
#[must_use]
pub fn webp(width: u32, height: u32, seed: u64) -> Vec<u8> {
    assert!(
        (1..=1 << 14).contains(&width) && (1..=1 << 14).contains(&height),
        "a side of 1 to 16,384"
    );
    let mut bits = Bits::default();
    bits.push(8, 0x2f); // the signature
    bits.push(14, width - 1);
    bits.push(14, height - 1);
    bits.push(1, 0); // opaque
    bits.push(3, 0); // the version
    bits.push(3, 0); // no transform, no cache of colours, one set of codes for the whole picture
    for _green_red_blue in 0..3 {
        // A code of two symbols, one bit each: 0 stands for 0 and 1 for 255.
        bits.push(1, 1); // a simple code
        bits.push(1, 1); // of two symbols
        bits.push(1, 0); // the first is written in one bit
        bits.push(1, 0);
        bits.push(8, 255);
    }
    for symbol in [255, 0] {
        // The alpha and the distances: codes of one symbol, which take no bits at all.
        bits.push(1, 1);
        bits.push(1, 0);
        bits.push(1, 1); // it is written in eight bits
        bits.push(8, symbol);
    }
    let channels = 3 * size(width) * size(height);
    let noise = values(seed).flat_map(|value| (0..8).map(move |place| value >> place & 1));
    noise.take(channels).for_each(|bit| bits.push(1, u32::from(bit)));
    wrapped(&bits.finish())
}

/// RIFF's frame around the picture's chunk.
fn wrapped(picture: &[u8]) -> Vec<u8> {
    let padding = picture.len() % 2;
    let length = |bytes: usize| u32::try_from(bytes).expect("a chunk's length").to_le_bytes();
    let mut file = b"RIFF".to_vec();
    file.extend(length(4 + 8 + picture.len() + padding));
    file.extend(b"WEBPVP8L");
    file.extend(length(picture.len()));
    file.extend(picture);
    file.extend(std::iter::repeat_n(0, padding));
    file
}

/// Bits, the least significant first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u8,
    count: u32,
}

impl Bits {
    fn push(&mut self, length: u32, value: u32) {
        for place in 0..length {
            self.held |= u8::from(value >> place & 1 == 1) << self.count;
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.held);
                (self.held, self.count) = (0, 0);
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push(self.held);
        }
        self.bytes
    }
}
