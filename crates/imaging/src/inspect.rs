use std::{
    fs::File,
    io::{BufReader, Seek as _},
};

use domain::{Kind, MediaType};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspection {
    /// Its format.
    pub media_type: MediaType,
    /// Width and height in pixels; none for videos, whose containers are not read yet.
    pub dimensions: Option<(u32, u32)>,
}

/// Why a file is none that can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReadable {
    /// The bytes begin like no format that berth knows.
    #[error("the bytes are of no known format")]
    UnknownType,
    /// They begin like this format, but its header makes no sense.
    #[error("the header of the {0} file makes no sense")]
    BrokenHeader(MediaType),
}

/// Bytes from the beginning of a file after which its format can be told, whatever it is.
pub const SNIFF_BYTES: usize = 512;

/// Looks into a file. `head` is its beginning (64 KiB, or all of it); `file` is read further where a header
/// lies behind a large block of metadata. It may block for the disk.
pub fn inspect(head: &[u8], file: &File) -> Result<Inspection, NotReadable> {
    let media_type = sniff(head).ok_or(NotReadable::UnknownType)?;
    let dimensions = match media_type.kind() {
        Kind::Image => Some(measure(file).ok_or(NotReadable::BrokenHeader(media_type))?),
        Kind::Video => None,
    };
    Ok(Inspection {
        media_type,
        dimensions,
    })
}

/// The format that the first bytes tell. SECURITY: what the client says (its name, its `Content-Type`) is not asked.
#[must_use]
pub fn sniff(head: &[u8]) -> Option<MediaType> {
    match infer::get(head)?.mime_type() {
        "image/heif" => Some(MediaType::Heic),
        mime => MediaType::from_mime(mime),
    }
}

fn measure(mut file: &File) -> Option<(u32, u32)> {
    file.rewind().ok()?;
    let size = imagesize::reader_size(BufReader::new(file)).ok()?;
    let (width, height) = (u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?);
    (width > 0 && height > 0).then_some((width, height))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn look(bytes: &[u8]) -> Result<Inspection, NotReadable> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        inspect(&bytes[..bytes.len().min(65_536)], &file)
    }

    fn gif(width: u16, height: u16) -> Vec<u8> {
        [
            b"GIF89a".as_slice(),
            &width.to_le_bytes(),
            &height.to_le_bytes(),
            &[0, 0, 0, b';'],
        ]
        .concat()
    }

    #[test]
    fn a_header_tells_the_format_and_the_dimensions() {
        let expected = Inspection {
            media_type: MediaType::Gif,
            dimensions: Some((3, 5)),
        };
        assert_eq!(look(&gif(3, 5)), Ok(expected));
    }

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
            assert_eq!(look(bytes), Err(NotReadable::UnknownType), "{bytes:?}");
        }
    }

    #[test]
    fn a_beginning_alone_is_a_broken_header() {
        for (bytes, media_type) in [
            (b"\xff\xd8\xff".as_slice(), MediaType::Jpeg),
            (b"\x89PNG\r\n\x1a\n", MediaType::Png),
            (b"GIF89a", MediaType::Gif),
            (gif(0, 0).as_slice(), MediaType::Gif),
            (b"RIFF\0\0\0\0WEBP", MediaType::Webp),
        ] {
            assert_eq!(
                look(bytes),
                Err(NotReadable::BrokenHeader(media_type)),
                "{bytes:?}"
            );
        }
    }
}
