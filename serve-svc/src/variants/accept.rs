//! What `Accept` says.

use domain::MediaType;
use http::{HeaderMap, header};

/// Whether `Accept` lets a client be sent the original. Wildcards stand for what every browser shows, and for nothing else:
/// all of them send `*/*`.
pub(super) fn shows(headers: &HeaderMap, media_type: MediaType) -> bool {
    let is_common = !matches!(media_type, MediaType::Tiff | MediaType::Bmp | MediaType::Heic);
    !headers.contains_key(header::ACCEPT)
        || names(headers, media_type.mime())
        || (is_common && (names(headers, "image/*") || names(headers, "*/*")))
}

/// Whether `Accept` names a type, and does not say that it is unwanted (`q=0`).
pub(super) fn names(headers: &HeaderMap, mime: &str) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let is_meant = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(mime));
            let is_unwanted = parts
                .filter_map(|parameter| parameter.strip_prefix("q="))
                .any(|quality| quality.parse::<f32>().is_ok_and(|quality| quality <= 0.0));
            is_meant && !is_unwanted
        })
}
