use image::DynamicImage;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Brings pixels from the colours of their profile to sRGB. Phones store Display P3: without this their variants would
/// look washed out. A profile that makes no sense is passed over, as browsers do.
pub(super) fn to_srgb(picture: &mut DynamicImage, profile: Option<&[u8]>) {
    let Some(profile) = profile.and_then(|profile| ColorProfile::new_from_slice(profile).ok()) else {
        return;
    };
    if profile.color_space != DataColorSpace::Rgb {
        return;
    }
    let (layout, bytes) = match picture {
        DynamicImage::ImageRgba8(pixels) => (Layout::Rgba, &mut **pixels),
        DynamicImage::ImageRgb8(pixels) => (Layout::Rgb, &mut **pixels),
        _ => return,
    };
    let srgb = ColorProfile::new_srgb();
    let transform = profile.create_transform_8bit(layout, &srgb, layout, TransformOptions::default());
    let Ok(transform) = transform else { return };
    let stored = bytes.to_vec();
    if transform.transform(&stored, bytes).is_err() {
        bytes.copy_from_slice(&stored);
    }
}

/// Brings ink, four bytes a pixel with 255 for all of it, to sRGB: by its profile, or by the rule of thumb where it has
/// none that makes sense.
pub(super) fn cmyk_to_srgb(ink: &[u8], profile: Option<&[u8]>) -> Vec<u8> {
    by_profile(ink, profile).unwrap_or_else(|| {
        let light = |ink: u8, black: u8| {
            let light = u16::from(255 - ink) * u16::from(255 - black) / 255;
            u8::try_from(light).unwrap_or(u8::MAX)
        };
        ink.as_chunks::<4>()
            .0
            .iter()
            .flat_map(|&[cyan, magenta, yellow, black]| {
                [light(cyan, black), light(magenta, black), light(yellow, black)]
            })
            .collect()
    })
}

fn by_profile(ink: &[u8], profile: Option<&[u8]>) -> Option<Vec<u8>> {
    let profile = ColorProfile::new_from_slice(profile?).ok()?;
    if profile.color_space != DataColorSpace::Cmyk {
        return None;
    }
    let srgb = ColorProfile::new_srgb();
    let transform = profile
        .create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, TransformOptions::default())
        .ok()?;
    let mut pixels = vec![0; ink.len() / 4 * 3];
    transform.transform(ink, &mut pixels).ok()?;
    Some(pixels)
}
