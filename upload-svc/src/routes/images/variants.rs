use catalog::ImageRecord;
use domain::{NamedWidths, VariantFormat};
use serde_json::{Value, json};

use super::signed_links;
use crate::Service;

/// The URL of what a list shows of an image. It answers from the first moment on, whether or not the thumbnail is there
/// yet; for a video with the picture in it, or with a drawn one.
pub(crate) fn thumbnail_url(service: &Service, image: &ImageRecord) -> String {
    url(service, image, VariantFormat::Webp, NamedWidths::THUMB)
}

/// The variants that are there now. Others are made when they are asked for.
pub(super) fn variants_json(service: &Service, image: &ImageRecord) -> Value {
    let describe = |variant: &catalog::VariantRecord| {
        json!({
            "url": url(service, image, variant.format, variant.named_width),
            "media_type": variant.format.mime(),
            "width": variant.width,
            "height": variant.height,
            "size_bytes": variant.size_bytes,
        })
    };
    image.variants.iter().map(describe).collect()
}

/// SECURITY: that of a private image is signed for this width alone, so whoever gets hold of it sees no more than it shows.
fn url(service: &Service, image: &ImageRecord, format: VariantFormat, width: u32) -> String {
    let (base, id, extension) = (service.base_url(), image.public_id, format.extension());
    let query = signed_links::look_at(service, image, Some(width)).unwrap_or_else(|| format!("w={width}"));
    format!("{base}/i/{id}.{extension}?{query}")
}
