use domain::{MediaType, file_name_parameter};
use http::HeaderValue;

/// `Content-Disposition` of an image: shown in place, and saved under its own name. Every type that berth stores is a
/// raster picture or a video; there is none that a browser would run.
///
/// SECURITY: the saved file's name ends as its bytes are. Somebody who saves a picture that was uploaded as `x.html` must not get a page
/// that opens beside his own files.
pub(crate) fn disposition(name: &str, media_type: MediaType) -> HeaderValue {
    let fits = name
        .rsplit_once('.')
        .is_some_and(|(_, extension)| MediaType::from_extension(extension) == Some(media_type));
    let parameter = if fits {
        file_name_parameter(name)
    } else {
        file_name_parameter(&format!("{name}.{}", media_type.extension()))
    };
    HeaderValue::try_from(format!("inline; {parameter}")).unwrap_or(HeaderValue::from_static("inline"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_carried_whole_and_ends_as_its_bytes_are() {
        for (name, media_type, expected) in [
            ("a.png", MediaType::Png, "inline; filename*=UTF-8''a.png"),
            ("A.JPEG", MediaType::Jpeg, "inline; filename*=UTF-8''A.JPEG"),
            ("a.jpg", MediaType::Png, "inline; filename*=UTF-8''a.jpg.png"),
            ("x.html", MediaType::Gif, "inline; filename*=UTF-8''x.html.gif"),
            (
                "noextension",
                MediaType::Mp4,
                "inline; filename*=UTF-8''noextension.mp4",
            ),
            (
                "截图.png",
                MediaType::Png,
                "inline; filename*=UTF-8''%E6%88%AA%E5%9B%BE.png",
            ),
            (
                "a\"; x=\r\n.png",
                MediaType::Png,
                "inline; filename*=UTF-8''a%22%3B%20x%3D%0D%0A.png",
            ),
        ] {
            assert_eq!(disposition(name, media_type), expected, "{name:?}");
        }
    }
}
