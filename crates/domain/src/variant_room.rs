use crate::{MediaType, NamedWidths, VariantFormat};

/// What of the disk the variants of one blob may take, and what is left of it.
///
/// All of them together take an eighth of their original, whoever asks for whichever; half of a GIF, whose variants move and
/// spare whoever looks at them most of its megabytes. What finds no room is answered by the
/// next larger one that is there, or by the original: that is at most some hundreds of kilobytes then, for of a photograph of
/// three megabytes every width fits. Whoever asks first gets the room, but a third of it is kept for the two widths that
/// pages use, so that nobody makes an owner's pages heavy by asking for the others.
///
/// The thumbnail counts and is never without room, for without it a list would load originals. Nor is any variant of a file that
/// browsers do not show as a picture: there would be nothing else to answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VariantRoom {
    media_type: MediaType,
    original_bytes: u64,
    /// Bytes that all variants take.
    taken: u64,
    /// Those of them that are of widths which pages do not use.
    taken_by_others: u64,
}

/// Why a variant is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotKept {
    /// It saves too little against the original, which is the answer for good.
    NotSmaller,
    /// The variants that are there leave it no room.
    NoRoom,
}

impl NotKept {
    /// The word in the database and in figures: `not_smaller` or `no_room`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSmaller => "not_smaller",
            Self::NoRoom => "no_room",
        }
    }
}

impl VariantRoom {
    /// The room of a blob of so many bytes, with nothing in it.
    #[must_use]
    pub fn of(media_type: MediaType, original_bytes: u64) -> Self {
        Self {
            media_type,
            original_bytes,
            taken: 0,
            taken_by_others: 0,
        }
    }

    /// Who comes first where several are made at once, the least number: the thumbnail, then what pages use, then the others
    /// from the narrowest on.
    #[must_use]
    pub fn precedence(named_width: u32, format: VariantFormat) -> (u8, VariantFormat, u32) {
        let class = match named_width {
            NamedWidths::THUMB if format == VariantFormat::Webp => 0,
            width if is_of_pages(width) => 1,
            _ => 2,
        };
        (class, format, named_width)
    }

    /// Takes room for a variant that is there.
    pub fn take(&mut self, named_width: u32, bytes: u64) {
        self.taken = self.taken.saturating_add(bytes);
        if !is_of_pages(named_width) {
            self.taken_by_others = self.taken_by_others.saturating_add(bytes);
        }
    }

    /// Takes room for a variant that was made, or says why it is not kept.
    pub fn find(&mut self, named_width: u32, format: VariantFormat, bytes: u64) -> Result<(), NotKept> {
        if self.media_type.is_picture_for_browsers() {
            self.judge(named_width, format, bytes)?;
        }
        self.take(named_width, bytes);
        Ok(())
    }

    fn judge(&self, named_width: u32, format: VariantFormat, bytes: u64) -> Result<(), NotKept> {
        // What does not halve the bytes is not worth a file.
        if bytes > self.original_bytes / 2 {
            return Err(NotKept::NotSmaller);
        }
        if (named_width, format) == (NamedWidths::THUMB, VariantFormat::Webp) {
            return Ok(());
        }
        let all = match self.media_type {
            MediaType::Gif => self.original_bytes / 2,
            _ => self.original_bytes / 8,
        };
        let fits = self.taken.saturating_add(bytes) <= all
            && (is_of_pages(named_width) || self.taken_by_others.saturating_add(bytes) <= all / 3 * 2);
        if fits { Ok(()) } else { Err(NotKept::NoRoom) }
    }
}

fn is_of_pages(named_width: u32) -> bool {
    matches!(named_width, NamedWidths::THUMB | NamedWidths::SHOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use NotKept::{NoRoom, NotSmaller};
    use VariantFormat::{Jpeg, Webp};

    /// Asks for these one after the other: width, format, bytes, what becomes of it.
    type Asked = (u32, VariantFormat, u64, Result<(), NotKept>);

    fn play(media_type: MediaType, original_bytes: u64, asked: &[Asked]) {
        let mut room = VariantRoom::of(media_type, original_bytes);
        for &(width, format, bytes, expected) in asked {
            let found = room.find(width, format, bytes);
            assert_eq!(
                found, expected,
                "{width} as {format} of {bytes} bytes beside a {media_type} of {original_bytes}"
            );
        }
    }

    #[test]
    fn all_variants_of_a_picture_keep_to_their_part_of_it() {
        let photograph = 3_200_000;
        play(
            MediaType::Jpeg,
            photograph,
            &[
                (300, Webp, 8_000, Ok(())),
                (810, Webp, 40_000, Ok(())),
                (1920, Webp, 144_000, Ok(())),
                (1280, Webp, 85_000, Ok(())),
                (480, Webp, 16_000, Ok(())),
                (640, Webp, 21_666, Ok(())),
                // The third that is left is for what pages use.
                (160, Webp, 1, Err(NoRoom)),
                (810, Jpeg, 85_334, Ok(())),
                (300, Jpeg, 1, Err(NoRoom)),
            ],
        );
        // A small one has room for its thumbnail, and the rest is answered by itself.
        play(
            MediaType::Jpeg,
            60_000,
            &[
                (300, Webp, 9_000, Ok(())),
                (810, Webp, 20_000, Err(NoRoom)),
                (160, Webp, 3_000, Err(NoRoom)),
            ],
        );
        play(
            MediaType::Png,
            80_000,
            &[
                (810, Webp, 10_001, Err(NoRoom)),
                (810, Webp, 10_000, Ok(())),
                (160, Jpeg, 1, Err(NoRoom)),
            ],
        );
    }

    #[test]
    fn of_several_that_are_made_at_once_those_that_pages_use_come_first() {
        let mut made = [
            (160, Webp),
            (160, Jpeg),
            (1920, Webp),
            (810, Jpeg),
            (300, Jpeg),
            (810, Webp),
            (300, Webp),
        ];
        made.sort_by_key(|(width, format)| VariantRoom::precedence(*width, *format));
        assert_eq!(
            made,
            [
                (300, Webp),
                (810, Webp),
                (300, Jpeg),
                (810, Jpeg),
                (160, Webp),
                (1920, Webp),
                (160, Jpeg)
            ]
        );
    }

    #[test]
    fn a_thumbnail_is_kept_where_it_halves_the_bytes() {
        for (bytes, expected) in [(1, Ok(())), (5_000, Ok(())), (5_001, Err(NotSmaller))] {
            play(MediaType::Png, 10_000, &[(300, Webp, bytes, expected)]);
        }
        // What else is asked for may leave it no room; that is no reason.
        play(
            MediaType::Png,
            80_000,
            &[(810, Webp, 10_000, Ok(())), (300, Webp, 40_000, Ok(()))],
        );
        play(MediaType::Gif, 0, &[(300, Webp, 1, Err(NotSmaller))]);
    }

    #[test]
    fn a_gif_has_more_room_for_its_variants_move() {
        play(
            MediaType::Gif,
            3_000_000,
            &[
                (300, Webp, 700_000, Ok(())),
                (480, Webp, 900_000, Err(NoRoom)),
                (480, Webp, 800_000, Ok(())),
                (160, Webp, 1, Err(NoRoom)),
            ],
        );
    }

    #[test]
    fn of_what_browsers_show_no_picture_of_every_variant_is_kept() {
        for media_type in [MediaType::Tiff, MediaType::Mp4, MediaType::Webm] {
            play(
                media_type,
                1_000,
                &[(300, Webp, 5_000, Ok(())), (1920, Jpeg, 90_000, Ok(()))],
            );
        }
    }

    #[test]
    fn in_whatever_order_they_are_asked_for_the_sum_is_the_same_promise() {
        let original = 1_000_000;
        let mut sizes = Vec::new();
        for (width, bytes) in [
            (160, 3_000),
            (300, 8_000),
            (480, 17_000),
            (640, 27_000),
            (810, 40_000),
            (1280, 85_000),
        ] {
            sizes.push((width, Webp, bytes));
            sizes.push((width, Jpeg, bytes * 8 / 5));
        }
        for turn in 0..sizes.len() {
            for backwards in [false, true] {
                let mut order = sizes.clone();
                order.rotate_left(turn);
                if backwards {
                    order.reverse();
                }
                let mut room = VariantRoom::of(MediaType::Jpeg, original);
                let kept: u64 = order
                    .iter()
                    .filter(|(width, format, bytes)| room.find(*width, *format, *bytes).is_ok())
                    .map(|(_, _, bytes)| bytes)
                    .sum();
                assert!(kept <= original / 8 + 8_000, "{kept} of {order:?}");
                assert!(kept >= original / 16, "{kept} of {order:?}");
            }
        }
    }
}
