use domain::{Kind, MediaType, NamedWidths, VariantFormat};
use http::HeaderMap;

use super::accept::{names, shows};

/// What a URL asks for beside the image itself: `?w=`, `?width=`, `?height=`, `?f=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WantedVariant {
    /// `w`: as wide as this, or as the next named width.
    w: Option<u32>,
    /// `width` and `height`: within this box, as older hosts have it.
    width: Option<u32>,
    height: Option<u32>,
    format: WantedFormat,
}

/// In which format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WantedFormat {
    /// The URL says which.
    Of(VariantFormat),
    /// The best that `Accept` allows.
    ByAccept,
}

/// What a request means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meant {
    /// The file as it is.
    Original,
    /// Its variant of this named width, in this format.
    Variant(u32, VariantFormat),
    /// The drawn picture that stands for a file without variants.
    Drawn,
}

/// Larger boxes count as this: the older hosts' limit.
const LARGEST_BOX: u32 = 1024;

impl WantedVariant {
    /// What the URL of an image asks for; none where that is the image as it is, which most URLs do.
    pub(crate) fn of(extension: Option<&str>, query: Option<&str>) -> Option<Self> {
        let by_extension = match extension {
            Some(text) if MediaType::from_extension(text) == Some(MediaType::Jpeg) => {
                WantedFormat::Of(VariantFormat::Jpeg)
            }
            // WebP keeps what is transparent, and there is no browser left that does not show it.
            Some(_) => WantedFormat::Of(VariantFormat::Webp),
            None => WantedFormat::ByAccept,
        };
        let mut wanted = Self {
            w: None,
            width: None,
            height: None,
            format: by_extension,
        };
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "w" => wanted.w = value.parse().ok(),
                "width" => wanted.width = value.parse().ok(),
                "height" => wanted.height = value.parse().ok(),
                "f" if value == "auto" => wanted.format = WantedFormat::ByAccept,
                "f" => {
                    if let Ok(format) = value.parse() {
                        wanted.format = WantedFormat::Of(format);
                    }
                }
                _ => {}
            }
        }
        (wanted.has_size() || wanted.is_by_accept()).then_some(wanted)
    }

    /// Whether a size is asked for.
    fn has_size(&self) -> bool {
        self.w.is_some() || self.width.is_some() || self.height.is_some()
    }

    /// Whether the format is chosen by `Accept`.
    fn is_by_accept(&self) -> bool {
        self.format == WantedFormat::ByAccept
    }

    /// Whether the answer depends on `Accept`, for a file of this type.
    pub(crate) fn varies(&self, media_type: MediaType) -> bool {
        let is_shown_by_some = matches!(media_type, MediaType::Heic | MediaType::Tiff);
        self.is_by_accept() || (is_shown_by_some && self.has_size())
    }

    /// What is meant, of a file of this type and of these dimensions.
    pub(crate) fn resolve(
        &self,
        media_type: MediaType,
        dimensions: Option<(u32, u32)>,
        widths: &NamedWidths,
        headers: &HeaderMap,
    ) -> Meant {
        match media_type {
            _ if media_type.kind() == Kind::Video => self.of_video(dimensions, widths, headers),
            MediaType::Tiff => self.of_tiff(dimensions, widths, headers),
            // Few browsers show it, and those say so.
            MediaType::Heic if self.has_size() && !names(headers, media_type.mime()) => Meant::Drawn,
            _ => self
                .of_picture(media_type, dimensions, widths, headers)
                .map_or(Meant::Original, |(width, format)| Meant::Variant(width, format)),
        }
    }

    /// Of a video a picture has a size. Whatever it is, it is none of the video itself.
    fn of_video(&self, dimensions: Option<(u32, u32)>, widths: &NamedWidths, headers: &HeaderMap) -> Meant {
        if !self.has_size() {
            return Meant::Original;
        }
        let named = widths
            .at_least(self.pixels(dimensions))
            .or(widths.all().last().copied());
        named.map_or(Meant::Drawn, |width| Meant::Variant(width, self.format(headers)))
    }

    /// Few browsers show a TIFF, and those say so. For the others there is a picture of it, however small it is.
    fn of_tiff(&self, dimensions: Option<(u32, u32)>, widths: &NamedWidths, headers: &HeaderMap) -> Meant {
        if names(headers, MediaType::Tiff.mime()) || !self.has_size() && shows(headers, MediaType::Tiff) {
            return Meant::Original;
        }
        let longest = dimensions.map_or(u32::MAX, |(width, height)| width.max(height));
        let pixels = self.pixels(dimensions).min(longest);
        let named = widths.at_least(pixels).or(widths.all().last().copied());
        named.map_or(Meant::Original, |width| {
            Meant::Variant(width, self.format(headers))
        })
    }

    /// The format that is meant.
    fn format(&self, headers: &HeaderMap) -> VariantFormat {
        match self.format {
            WantedFormat::Of(format) => format,
            WantedFormat::ByAccept if names(headers, VariantFormat::Webp.mime()) => VariantFormat::Webp,
            WantedFormat::ByAccept => VariantFormat::Jpeg,
        }
    }

    /// The named width and the format of a picture; none where the original is the answer.
    fn of_picture(
        &self,
        media_type: MediaType,
        dimensions: Option<(u32, u32)>,
        widths: &NamedWidths,
        headers: &HeaderMap,
    ) -> Option<(u32, VariantFormat)> {
        if !media_type.has_variants() {
            return None;
        }
        let format = self.format(headers);
        // On its side or not, nothing of it is wider than its longer side.
        let longest = dimensions.map_or(u32::MAX, |(width, height)| width.max(height));
        let named = if self.has_size() {
            widths
                .at_least(self.pixels(dimensions))
                .filter(|width| *width < longest)
        } else if shows(headers, media_type) {
            None
        } else {
            widths.all().iter().copied().rfind(|width| *width < longest)
        };
        named.map(|width| (width, format))
    }

    /// How wide a picture is asked for.
    fn pixels(&self, dimensions: Option<(u32, u32)>) -> u32 {
        let in_box = |side: Option<u32>| side.map(|side| side.min(LARGEST_BOX));
        let by_height = in_box(self.height).map(|height| match dimensions {
            Some((width, whole)) if whole > 0 => {
                let scaled = u64::from(width) * u64::from(height) / u64::from(whole);
                u32::try_from(scaled).unwrap_or(u32::MAX)
            }
            _ => height,
        });
        let smallest = [self.w, in_box(self.width), by_height]
            .into_iter()
            .flatten()
            .min();
        smallest.unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::VariantFormat::{Jpeg, Webp};
    use super::*;

    const CHROME: &str = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
    const OLD_SAFARI: &str = "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5";

    fn accept(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if !value.is_empty() {
            headers.insert(header::ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn most_urls_ask_for_the_image_as_it_is() {
        for (extension, query, asks) in [
            (Some("jpg"), None, false),
            (Some("png"), Some(""), false),
            (Some("png"), Some("utm_source=x&v=2"), false),
            (Some("png"), Some("f=webp"), false),
            (Some("png"), Some("w=wide"), false),
            (Some("png"), Some("w=-1"), false),
            (Some("png"), Some("w=4294967296"), false),
            (Some("png"), Some("w=480"), true),
            (Some("png"), Some("x=1&width=480"), true),
            (Some("png"), Some("height=480"), true),
            (Some("png"), Some("f=auto"), true),
            (None, None, true),
        ] {
            let wanted = WantedVariant::of(extension, query);
            assert_eq!(wanted.is_some(), asks, "{extension:?} {query:?}");
        }
    }

    #[test]
    fn sizes_and_formats_resolve_to_what_is_named() {
        let photo = (MediaType::Jpeg, Some((4000, 3000)));
        let screenshot = (MediaType::Png, Some((1000, 2000)));
        let tiff = (MediaType::Tiff, Some((4000, 3000)));
        let small_tiff = (MediaType::Tiff, Some((100, 72)));
        for (extension, query, (media_type, dimensions), accepted, expected) in [
            (Some("jpg"), "w=300", photo, "", Some((300, Jpeg))),
            (Some("jpg"), "w=1", photo, "", Some((160, Jpeg))),
            (Some("jpg"), "w=0", photo, "", Some((160, Jpeg))),
            (Some("jpg"), "w=481", photo, "", Some((640, Jpeg))),
            (Some("jpg"), "w=1921", photo, "", None),
            (Some("jpg"), "w=300&f=webp", photo, "", Some((300, Webp))),
            (Some("webp"), "w=300", photo, "", Some((300, Webp))),
            (Some("png"), "w=300&f=jpeg", screenshot, "", Some((300, Jpeg))),
            (Some("png"), "w=300", screenshot, "", Some((300, Webp))),
            // It may lie on its side, so only what is wider than its longer side is surely the original.
            (Some("png"), "w=1280", screenshot, "", Some((1280, Webp))),
            (Some("png"), "w=300", (MediaType::Png, Some((300, 200))), "", None),
            (
                Some("png"),
                "w=300",
                (MediaType::Png, Some((299, 301))),
                "",
                Some((300, Webp)),
            ),
            (Some("jpg"), "width=300", photo, "", Some((300, Jpeg))),
            (Some("jpg"), "height=300", photo, "", Some((480, Jpeg))),
            (Some("jpg"), "width=200&height=90", photo, "", Some((160, Jpeg))),
            (
                Some("jpg"),
                "width=5000&height=5000",
                photo,
                "",
                Some((1280, Jpeg)),
            ),
            (Some("jpg"), "w=300&f=auto", photo, CHROME, Some((300, Webp))),
            (Some("jpg"), "w=300&f=auto", photo, OLD_SAFARI, Some((300, Jpeg))),
            (
                Some("jpg"),
                "w=300&f=auto",
                photo,
                "image/webp;q=0",
                Some((300, Jpeg)),
            ),
            (None, "w=300", photo, CHROME, Some((300, Webp))),
            (None, "", photo, CHROME, None),
            (None, "", photo, "", None),
            (None, "", photo, "image/webp", Some((1920, Webp))),
            (None, "", tiff, CHROME, Some((1920, Webp))),
            (None, "", tiff, "image/tiff", None),
            (Some("tif"), "w=300", tiff, "", Some((300, Webp))),
            (Some("tif"), "w=300", tiff, "image/tiff,*/*", None),
            (Some("tif"), "w=1921", tiff, CHROME, Some((1920, Webp))),
            (Some("tif"), "w=1921", small_tiff, CHROME, Some((160, Webp))),
            (Some("jpg"), "w=300", small_tiff, CHROME, Some((160, Jpeg))),
            (None, "", small_tiff, CHROME, Some((160, Webp))),
            (
                Some("avif"),
                "w=300",
                (MediaType::Avif, Some((4000, 3000))),
                CHROME,
                None,
            ),
        ] {
            let wanted = WantedVariant::of(extension, Some(query)).unwrap();
            let resolved = wanted.resolve(media_type, dimensions, &NamedWidths::default(), &accept(accepted));
            let expected = expected.map_or(Meant::Original, |(width, format)| Meant::Variant(width, format));
            assert_eq!(
                resolved, expected,
                "{extension:?} {query} {media_type} {accepted}"
            );
        }
    }

    #[test]
    fn who_asks_for_a_picture_of_a_video_or_of_a_heic_never_gets_what_their_browser_does_not_show() {
        const SAFARI: &str =
            "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,*/*;q=0.5";
        let (mp4, heic) = (MediaType::Mp4, MediaType::Heic);
        let sizes = Some((1920, 1080));
        for (extension, query, media_type, dimensions, accepted, expected, varies) in [
            (
                Some("mp4"),
                "w=300",
                mp4,
                sizes,
                CHROME,
                Meant::Variant(300, Webp),
                false,
            ),
            (
                Some("mp4"),
                "w=300",
                mp4,
                None,
                "",
                Meant::Variant(300, Webp),
                false,
            ),
            (
                Some("jpg"),
                "w=301",
                mp4,
                sizes,
                CHROME,
                Meant::Variant(480, Jpeg),
                false,
            ),
            (
                Some("mp4"),
                "w=300&f=auto",
                mp4,
                sizes,
                OLD_SAFARI,
                Meant::Variant(300, Jpeg),
                true,
            ),
            (
                Some("mp4"),
                "height=108",
                mp4,
                sizes,
                "",
                Meant::Variant(300, Webp),
                false,
            ),
            // There is no wider one, and the video is no picture.
            (
                Some("mp4"),
                "w=9999",
                mp4,
                sizes,
                CHROME,
                Meant::Variant(1920, Webp),
                false,
            ),
            (Some("mp4"), "f=auto", mp4, sizes, CHROME, Meant::Original, true),
            (None, "", mp4, sizes, CHROME, Meant::Original, true),
            (Some("heic"), "w=300", heic, sizes, CHROME, Meant::Drawn, true),
            (Some("webp"), "w=300", heic, None, "", Meant::Drawn, true),
            (Some("heic"), "w=300", heic, sizes, SAFARI, Meant::Original, true),
            (Some("heic"), "f=auto", heic, sizes, CHROME, Meant::Original, true),
        ] {
            let wanted = WantedVariant::of(extension, Some(query)).unwrap();
            let resolved = wanted.resolve(media_type, dimensions, &NamedWidths::default(), &accept(accepted));
            assert_eq!(
                resolved, expected,
                "{extension:?} {query} {media_type} {accepted}"
            );
            assert_eq!(
                wanted.varies(media_type),
                varies,
                "{extension:?} {query} {media_type}"
            );
        }
    }
}
