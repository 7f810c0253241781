//! Animations made smaller.

use std::io::Cursor;

use domain::{
    Scrub, Validation,
    VariantFormat::{self, Jpeg, Webp},
};
use image::{
    AnimationDecoder as _, Delay, Frame, Rgba, RgbaImage,
    codecs::{
        gif::{GifEncoder, Repeat},
        webp::WebPDecoder,
    },
    metadata::LoopCount,
};
use imaging::{Asked, Output, Spec};

use crate::{
    rig::{asked, decoders, file},
    scrubbing::{apply, inspect},
};

/// A square that walks over a ground, ten steps, in 640 by 480; the last two frames are alike. Nothing is behind `ground` where
/// it is transparent.
fn walk(ground: Rgba<u8>, turns: Repeat) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    encoder.set_repeat(turns).unwrap();
    for step in [0, 1, 2, 3, 4, 5, 6, 7, 8, 8] {
        let frame = RgbaImage::from_fn(640, 480, |x, y| {
            let is_square = (step * 64..step * 64 + 64).contains(&x) && (200..264).contains(&y);
            if is_square {
                Rgba([230, 20, 20, 255])
            } else {
                ground
            }
        });
        let delay = Delay::from_numer_denom_ms(if step == 0 { 0 } else { 200 }, 1);
        encoder
            .encode_frame(Frame::from_parts(frame, 0, 0, delay))
            .unwrap();
    }
    drop(encoder);
    bytes
}

async fn variant(bytes: &[u8], width: u32, format: VariantFormat) -> Vec<u8> {
    let (source, out) = (file(bytes), file(b""));
    let output = Output {
        spec: Spec { width, format },
        path: out.to_path_buf(),
    };
    let rendered = decoders()
        .render(source.to_path_buf(), vec![output])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rendered.made[0].width, width);
    std::fs::read(&out).unwrap()
}

#[tokio::test]
async fn a_short_animation_moves_in_webp_and_stands_still_in_jpeg() {
    for (ground, turns, expected) in [
        (Rgba([20, 20, 230, 255]), Repeat::Infinite, None),
        (Rgba([0, 0, 0, 0]), Repeat::Finite(3), Some(3)),
    ] {
        let gif = walk(ground, turns);
        let moving = variant(&gif, 160, Webp).await;
        let decoder = WebPDecoder::new(Cursor::new(&moving)).unwrap();
        assert!(decoder.has_animation());
        let seen = match decoder.loop_count() {
            LoopCount::Infinite => None,
            LoopCount::Finite(turns) => Some(turns.get()),
        };
        assert_eq!(seen, expected);
        let frames: Vec<Frame> = decoder.into_frames().collect::<Result<_, _>>().unwrap();
        let milliseconds: Vec<u32> = frames
            .iter()
            .map(|frame| frame.delay().numer_denom_ms().0)
            .collect();
        // A frame of no duration is shown as browsers show it; one that changes nothing makes the one before it longer.
        assert_eq!(milliseconds, [100, 200, 200, 200, 200, 200, 200, 200, 400]);
        for (step, frame) in (0..).zip(&frames) {
            let picture = frame.buffer();
            assert_eq!(picture.dimensions(), (160, 120));
            let square = picture.get_pixel(step * 16 + 8, 58).0;
            assert!(
                square[0] > 190 && square[2] < 70 && square[3] > 240,
                "{step}: {square:?}"
            );
            // Where it was before, the ground is back.
            let behind = picture.get_pixel((step * 16 + 160 - 24) % 160, 58).0;
            assert!(
                (behind[3] == 0 || behind[0] < 60) && behind[3].abs_diff(ground.0[3]) < 12,
                "{step}: {behind:?}"
            );
        }
        assert!(moving.len() <= gif.len() / 2, "{} of {}", moving.len(), gif.len());
        assert!(variant(&gif, 160, Jpeg).await.starts_with(b"\xff\xd8\xff"));
        // What was made is read as any upload is, and made smaller once more.
        let is_moving = |file: &[u8]| WebPDecoder::new(Cursor::new(file)).unwrap().has_animation();
        assert!(
            !is_moving(&variant(&moving, 80, Webp).await),
            "what does not halve the file is a still"
        );
        // Drawings are light; what a camera films has more bytes to save.
        let heavy = [moving.as_slice(), &vec![0; moving.len() * 2]].concat();
        assert!(is_moving(&variant(&heavy, 80, Webp).await));
    }
}

#[tokio::test]
async fn a_long_animation_and_one_that_is_cut_off_are_stills() {
    let mut long = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut long, 30);
    for step in 0..301_u32 {
        let red = u8::try_from(step % 200).unwrap();
        let frame = RgbaImage::from_pixel(32, 24, Rgba([red, 20, 20, 255]));
        let delay = Delay::from_numer_denom_ms(50, 1);
        encoder
            .encode_frame(Frame::from_parts(frame, 0, 0, delay))
            .unwrap();
    }
    drop(encoder);
    let mut cut = walk(Rgba([20, 20, 230, 255]), Repeat::Infinite);
    cut.truncate(cut.len() / 2);
    for (what, bytes) in [("long", &long), ("cut off", &cut)] {
        let still = variant(bytes, 16, Webp).await;
        let decoder = WebPDecoder::new(Cursor::new(&still)).unwrap();
        assert!(!decoder.has_animation(), "{what}");
    }
}

/// The chunks of a WebP from `at` on: name, and content.
fn chunks(bytes: &[u8]) -> Vec<(&[u8], &[u8])> {
    let (mut found, mut rest) = (Vec::new(), bytes);
    while let Some((head, after)) = rest.split_at_checked(8) {
        let length = u32::from_le_bytes(head[4..].try_into().unwrap()) as usize;
        found.push((&head[..4], &after[..length]));
        rest = &after[(length + length % 2).min(after.len())..];
    }
    found
}

fn chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    [name, &length, content, &[0][..content.len() % 2]].concat()
}

#[tokio::test]
async fn what_stands_among_the_frames_of_a_webp_goes_and_every_frame_is_as_it_was() {
    let moving = variant(&walk(Rgba([20, 20, 230, 255]), Repeat::Infinite), 160, Webp).await;
    // Chunks of even lengths and of odd ones, with and without what makes them even, and what is no chunk.
    let secrets: [&[u8]; 4] = [
        b"CAMR\x06\0\0\0SECRET",
        b"CAMR\x07\0\0\0SECRET!\0EXIF\x07\0\0\0SECRET!",
        b"XMP \x06\0\0\0SECRETSECRET",
        b"",
    ];
    let mut inside = b"WEBP".to_vec();
    let mut frames = 0;
    for (name, content) in chunks(&moving[12..]) {
        if name == b"ANMF" {
            inside.extend(chunk(name, &[content, secrets[frames % secrets.len()]].concat()));
            frames += 1;
        } else {
            inside.extend(chunk(name, content));
        }
    }
    assert!(frames > 4, "{frames}");
    let telling = chunk(b"RIFF", &inside);
    let decoders = decoders();
    for scrub in [Scrub::Location, Scrub::All] {
        // The decoder here knows no such frames; clients that have only headers looked at send them.
        let by_header = Asked {
            scrub,
            validation: Validation::Header,
            ..asked()
        };
        let held = file(&telling);
        let before = decoders.inspect(held.to_path_buf(), by_header);
        let before = before.await.unwrap();
        let scrubbed = apply(&telling, &before);
        assert!(!scrubbed.windows(6).any(|word| word == b"SECRET"), "{scrub}");
        assert_eq!(
            scrubbed, moving,
            "{scrub}: nothing but what stood among the frames is gone"
        );
        let after = inspect(&decoders, &file(&scrubbed), scrub).await;
        assert_eq!((after.edits, after.frames), (vec![], before.frames), "{scrub}");
    }
}
