//! The pictures that stand in for one that is not shown, and the headers around them. Two of them an operator may replace by
//! files of their own.

use std::{
    fs::File,
    io::{self, Read as _},
};

use bytes::Bytes;
use domain::{Kind, hotlink::RefusalAnswer};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use crate::{delivery::Payload, headers::protect_new, service::Parts};

/// The most bytes of a picture of the operator's own. It is kept in memory, and goes out with every refusal.
const MOST_BYTES: u64 = 1 << 20;

/// A picture that stands in for another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    bytes: Bytes,
    media_type: &'static str,
}

/// Why a file can't be a placeholder, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum NotAPlaceholder {
    /// There is none, or we may not read it.
    #[error("can't be read: {0}; name a picture that serve-svc may read, or take the setting out")]
    Unreadable(io::Error),
    /// It would go out with every refusal.
    #[error("is larger than {} KiB, and goes out with every refusal; make it smaller", MOST_BYTES >> 10)]
    TooLarge,
    /// Its bytes are of no format that every browser shows.
    #[error("is no PNG, JPEG, WebP or GIF; save the picture as one of them")]
    NoPicture,
}

impl Placeholder {
    /// 非法读取图片: a site that may not embed.
    pub(crate) const REFUSED: Self = Self::drawn(include_bytes!(concat!(env!("OUT_DIR"), "/refused.png")));
    /// 图片没有找到: no such image, or not any more.
    pub(crate) const MISSING: Self = Self::drawn(include_bytes!(concat!(env!("OUT_DIR"), "/missing.png")));
    /// A video of which a picture is asked for, with none in it.
    const VIDEO: Self = Self::drawn(include_bytes!(concat!(env!("OUT_DIR"), "/video.png")));
    /// The same for a photograph of a format that berth does not decode.
    const PHOTO: Self = Self::drawn(include_bytes!(concat!(env!("OUT_DIR"), "/photo.png")));

    const fn drawn(png: &'static [u8]) -> Self {
        Self {
            bytes: Bytes::from_static(png),
            media_type: "image/png",
        }
    }

    /// The picture in the file at `path`, or the drawn one where no path is set.
    pub(crate) fn choose(path: &str, drawn: Self) -> Result<Self, NotAPlaceholder> {
        if path.is_empty() {
            return Ok(drawn);
        }
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
            .map_err(NotAPlaceholder::Unreadable)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(NotAPlaceholder::TooLarge);
        }
        let media_type = media_type(&bytes).ok_or(NotAPlaceholder::NoPicture)?;
        Ok(Self {
            bytes: bytes.into(),
            media_type,
        })
    }

    /// It, with this status. The next request may be an allowed one, and the image may be there by then: nobody keeps it.
    pub(crate) fn answer(&self, method: &Method, status: StatusCode) -> Response<Payload> {
        let payload = if method == Method::HEAD {
            Payload::Empty
        } else {
            Payload::Bytes(self.bytes.clone())
        };
        let mut response = Response::new(payload);
        *response.status_mut() = status;
        let mut headers = HeaderMap::with_capacity(12);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.bytes.len()));
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        protect_new(&mut headers);
        *response.headers_mut() = headers;
        response
    }
}

/// The format that the first bytes tell. SVG is left out on purpose: it is a program, and no `<img>` needs it.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
    const JPEG: &[u8] = b"\xff\xd8\xff";
    if bytes.starts_with(PNG) {
        Some("image/png")
    } else if bytes.starts_with(JPEG) {
        Some("image/jpeg")
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some("image/gif")
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}

/// A poster: what stands for a file of this kind where a picture is asked for. An answer like any other, in caches for as long
/// as `cache_control` lets them.
pub(crate) fn poster(method: &Method, kind: Kind, cache_control: HeaderValue) -> Response<Payload> {
    let drawn = match kind {
        Kind::Video => Placeholder::VIDEO,
        Kind::Image => Placeholder::PHOTO,
    };
    let mut response = drawn.answer(method, StatusCode::OK);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, cache_control);
    response
}

/// What a site that may not embed is answered with.
pub(crate) fn refused(parts: &Parts, method: &Method, answer: &RefusalAnswer) -> Response<Payload> {
    match answer {
        RefusalAnswer::Placeholder => parts.refused.answer(method, StatusCode::FORBIDDEN),
        RefusalAnswer::Bare => bare(StatusCode::FORBIDDEN),
        RefusalAnswer::Redirect(page) => {
            let mut response = bare(StatusCode::FOUND);
            // INVARIANT: a redirect is a URL as a browser writes it, plain ASCII.
            let location = HeaderValue::from_str(page.as_str()).unwrap_or(HeaderValue::from_static("/"));
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
    }
}

fn bare(status: StatusCode) -> Response<Payload> {
    let mut response = Response::new(Payload::Empty);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    protect_new(headers);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_the_operators_own_is_one_that_every_browser_shows_and_not_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let large = [&b"GIF89a"[..], &vec![0; 1 << 20]].concat();
        for (name, content, expected) in [
            ("a.png", &b"\x89PNG\r\n\x1a\nand so on"[..], Ok("image/png")),
            // Its name says nothing.
            ("b.png", b"\xff\xd8\xff\xe0", Ok("image/jpeg")),
            ("c.gif", b"GIF89a", Ok("image/gif")),
            ("d.webp", b"RIFF\0\0\0\0WEBPVP8 ", Ok("image/webp")),
            ("e.wav", b"RIFF\0\0\0\0WAVEfmt ", Err("no PNG, JPEG, WebP or GIF")),
            (
                "f.svg",
                b"<svg xmlns='http://www.w3.org/2000/svg'/>",
                Err("no PNG"),
            ),
            ("g.png", b"", Err("no PNG")),
            ("h.gif", &large, Err("larger than 1024 KiB")),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            let chosen = Placeholder::choose(path.to_str().unwrap(), Placeholder::MISSING);
            match (chosen, expected) {
                (Ok(chosen), Ok(media_type)) => {
                    assert_eq!(
                        (chosen.media_type, &*chosen.bytes),
                        (media_type, content),
                        "{name}"
                    );
                }
                (Err(error), Err(says)) => assert!(error.to_string().contains(says), "{name}: {error}"),
                (chosen, _) => panic!("{name}: {chosen:?}"),
            }
        }
        let gone = Placeholder::choose("/no/such/file.png", Placeholder::MISSING).unwrap_err();
        assert!(gone.to_string().contains("take the setting out"), "{gone}");
        let drawn = Placeholder::choose("", Placeholder::REFUSED).unwrap();
        assert_eq!(drawn, Placeholder::REFUSED);
    }
}
