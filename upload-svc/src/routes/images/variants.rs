use catalog::ImageRecord;
use domain::{Kind, NamedWidths, VariantFormat};
use serde_json::{Value, json};

use crate::Service;

/// The URL of what a list shows of an image. It answers from the first moment on, whether or not the thumbnail is there
/// yet; for a video with the picture in it, or with a drawn one.
pub(crate) fn thumbnail_url(service: &Service, image: &ImageRecord) -> String {
    let extension = match image.media_type.kind() {
        Kind::Image => VariantFormat::Webp.extension(),
        Kind::Video => image.media_type.extension(),
    };
    url(service, image, extension, NamedWidths::THUMB)
}

/// The variants that are there now. Others are made when they are asked for.
pub(super) fn variants_json(service: &Service, image: &ImageRecord) -> Value {
    let describe = |variant: &catalog::VariantRecord| {
        json!({
            "url": url(service, image, variant.format.extension(), variant.named_width),
            "media_type": variant.format.mime(),
            "width": variant.width,
            "height": variant.height,
            "size_bytes": variant.size_bytes,
        })
    };
    image.variants.iter().map(describe).collect()
}

fn url(service: &Service, image: &ImageRecord, extension: &str, width: u32) -> String {
    format!(
        "{}/i/{}.{extension}?w={width}",
        service.base_url(),
        image.public_id
    )
}
