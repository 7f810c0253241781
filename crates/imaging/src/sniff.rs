use domain::MediaType;

/// Bytes from the beginning of a file after which its format can be told, whatever it is.
pub const SNIFF_BYTES: usize = 512;

/// The format that the first bytes tell. SECURITY: what the client says (its name, its `Content-Type`) is not asked.
#[must_use]
pub fn sniff(head: &[u8]) -> Option<MediaType> {
    if matches!(head.get(..4), Some(b"II+\0" | b"MM\0+")) {
        return Some(MediaType::Tiff);
    }
    match infer::get(head)?.mime_type() {
        "image/heif" => Some(MediaType::Heic),
        mime => MediaType::from_mime(mime),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_picture_is_of_no_known_format() {
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".as_slice();
        for bytes in [
            b"".as_slice(),
            b"hello",
            b"<html><script>",
            b"\x7fELF\x02\x01\x01",
            svg,
            b"%PDF-1.7",
            b"<?php 1;",
        ] {
            assert_eq!(sniff(bytes), None, "{bytes:?}");
        }
    }
}
