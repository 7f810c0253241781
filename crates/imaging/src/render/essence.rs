use std::collections::HashMap;

use image::DynamicImage;
use serde::{Deserialize, Serialize};

/// What stands in for a picture that has not arrived yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Essence {
    /// A [thumbhash](https://evanw.github.io/thumbhash/): its look, blurred, in some 25 bytes.
    pub thumbhash: Vec<u8>,
    /// The colour that most of it has: red, green, blue.
    pub dominant: [u8; 3],
}

/// Red, green and blue are told apart by their four upper bits: close shades count as one colour.
const SHADE_BITS: u8 = 4;
/// What is more transparent than this has no colour.
const VISIBLE: u8 = 128;

impl Essence {
    /// Pixels a side of the picture that it is taken from, at most.
    pub(super) const SIDE: u32 = 100;

    /// The essence of a small picture.
    pub(super) fn of(small: &DynamicImage) -> Self {
        let pixels = small.to_rgba8();
        let side = |pixels: u32| usize::try_from(pixels).unwrap_or_default();
        Self {
            thumbhash: thumbhash::rgba_to_thumb_hash(side(pixels.width()), side(pixels.height()), &pixels),
            dominant: dominant(pixels.pixels().map(|pixel| pixel.0)),
        }
    }
}

/// The mean of the shades that are seen most; grey where nothing can be seen. Of equals the darker one, so that the same
/// picture always gives the same colour.
fn dominant(pixels: impl Iterator<Item = [u8; 4]>) -> [u8; 3] {
    let mut shades: HashMap<[u8; 3], (u32, [u32; 3])> = HashMap::new();
    for [red, green, blue, alpha] in pixels {
        if alpha < VISIBLE {
            continue;
        }
        let shade = [red, green, blue].map(|colour| colour >> (8 - SHADE_BITS));
        let (count, sum) = shades.entry(shade).or_default();
        *count += 1;
        for (sum, colour) in sum.iter_mut().zip([red, green, blue]) {
            *sum += u32::from(colour);
        }
    }
    let most = shades
        .into_iter()
        .max_by_key(|(shade, (count, _))| (*count, std::cmp::Reverse(*shade)));
    most.map_or([128; 3], |(_, (count, sum))| {
        sum.map(|sum| u8::try_from(sum / count).unwrap_or(u8::MAX))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_of_a_picture_decides_and_what_is_transparent_does_not() {
        for (pixels, expected) in [
            (
                vec![[250, 0, 0, 255], [252, 0, 0, 255], [0, 0, 255, 255]],
                [251, 0, 0],
            ),
            (vec![[9, 9, 9, 0], [9, 9, 9, 10], [0, 200, 0, 255]], [0, 200, 0]),
            (vec![[200, 200, 200, 255], [20, 20, 20, 255]], [20, 20, 20]),
            (vec![[1, 2, 3, 0]], [128, 128, 128]),
            (vec![], [128, 128, 128]),
        ] {
            assert_eq!(dominant(pixels.iter().copied()), expected, "{pixels:?}");
        }
    }
}
