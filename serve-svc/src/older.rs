//! The views of older hosts: `/images/{md5}.{ext}` (django), `/images/{user}/{photo|thumb|show}/{YYYY}/{MM}/{name}` (maple) and
//! `/secure_get/{md5}?token=` (image-proxy). Each comes down to an image that is then viewed like any other.

use bytes::Bytes;
use catalog::{MaplePath, find_by_maple_path};
use domain::{BlobKey, Dialect, Dialects, Md5, MediaType, ViewToken, Visibility};
use http::{HeaderValue, Response, StatusCode, Uri, header};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::{
    Service,
    delivery::Payload,
    headers::protect_new,
    shelf::{Found, Wanted},
};

/// What a URL names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// An image; nothing where it names nothing that could ever be one.
    Image(Option<Wanted>),
    /// maple's owner, year, month and name.
    Maple {
        username: String,
        month: Date,
        name: String,
    },
    /// image-proxy's MD5 and the text of its token.
    Secure { md5: String, token: String },
}

/// The label of the route and what is named, if this is the URL of a dialect that is spoken.
pub(crate) fn read(uri: &Uri, spoken: &Dialects) -> Option<(&'static str, Named)> {
    if let Some(rest) = uri.path().strip_prefix("/images/") {
        let segments: Vec<&str> = rest.split('/').collect();
        return match segments[..] {
            [name] if spoken.contains(Dialect::Django) => {
                Some(("GET /images/{md5}", Named::Image(by_content(name))))
            }
            [username, "photo" | "thumb" | "show", year, month, name] if spoken.contains(Dialect::Maple) => {
                let named = by_owner(username, year, month, name).unwrap_or(Named::Image(None));
                Some(("GET /images/{user}/{size}/{year}/{month}/{name}", named))
            }
            _ => None,
        };
    }
    let md5 = uri.path().strip_prefix("/secure_get/")?;
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let token = pairs.into_iter().find(|(name, _)| name == "token");
    let named = Named::Secure {
        md5: md5.to_owned(),
        token: token.map_or_else(String::new, |(_, value)| value.into_owned()),
    };
    spoken
        .contains(Dialect::ImageProxy)
        .then_some(("GET /secure_get/{md5}", named))
}

/// The size that maple's path means, as a query of our own says it; none where the URL says one itself.
pub(crate) fn size_of(uri: &Uri) -> Option<&'static str> {
    let mut segments = uri.path().strip_prefix("/images/")?.split('/').skip(1);
    if uri.query().is_some() {
        return None;
    }
    match segments.next()? {
        "thumb" => Some("width=300"),
        "show" => Some("width=810"),
        _ => None,
    }
}

/// `{md5}.{ext}`: the oldest image of these bytes that is shown. A file that shares its MD5 with another has a longer name.
fn by_content(name: &str) -> Option<Wanted> {
    let (stem, extension) = name.split_once('.')?;
    let extension = MediaType::from_extension(extension)?.extension();
    let (folder, rest) = stem.split_at_checked(2)?;
    let key: BlobKey = format!("{folder}/{rest}.{extension}").parse().ok()?;
    Some(Wanted::Key(key))
}

fn by_owner(username: &str, year: &str, month: &str, name: &str) -> Option<Named> {
    let month = Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
    let text = |part: &str| {
        let decoded = percent_decode_str(part).decode_utf8().ok()?;
        (!decoded.is_empty() && !decoded.contains('\0')).then(|| decoded.into_owned())
    };
    Some(Named::Maple {
        username: text(username)?,
        month,
        name: text(name)?,
    })
}

/// The image that is named and whether the URL opens it while it is private, or the answer that says why there is none.
pub(crate) async fn resolve(
    service: &Service,
    named: Named,
) -> Result<(Option<Wanted>, bool), Response<Payload>> {
    match named {
        Named::Image(wanted) => Ok((wanted, false)),
        Named::Maple {
            username,
            month,
            name,
        } => Ok((find_maple(service, &username, month, &name).await?, false)),
        Named::Secure { md5, token } => {
            let (wanted, opens_private) = find_secure(service, &md5, &token).await?;
            Ok((Some(wanted), opens_private))
        }
    }
}

async fn find_maple(
    service: &Service,
    username: &str,
    month: Date,
    name: &str,
) -> Result<Option<Wanted>, Response<Payload>> {
    let parts = service.parts();
    let begin = |date: Date| Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp());
    let next = month.checked_add(jiff::Span::new().months(1)).ok();
    let (Some(from), Some(until)) = (begin(month), next.and_then(begin)) else {
        return Ok(None);
    };
    let path = MaplePath {
        username,
        from,
        until,
        name,
    };
    match find_by_maple_path(&parts.catalog, path, parts.clock.now()).await {
        Ok(found) => Ok(found.map(Wanted::Id)),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the database did not say which image is meant");
            Err(away())
        }
    }
}

/// SECURITY: the signature is judged before anything is looked up, the token must be of the image's present generation of links, and the path
/// must name the bytes that the image has now.
async fn find_secure(service: &Service, md5: &str, token: &str) -> Result<(Wanted, bool), Response<Payload>> {
    let parts = service.parts();
    let now: Timestamp = parts.clock.now();
    let token = token.parse::<ViewToken>().ok();
    let worthless = || detail(StatusCode::FORBIDDEN, "无效或过期的 token");
    let Some(token) = token.filter(|token| parts.view_tokens.is_good(*token, now)) else {
        return Err(worthless());
    };
    let wanted = Wanted::Id(token.public_id);
    let missing = || detail(StatusCode::NOT_FOUND, "图片不存在");
    let image = match parts.shelf.find(&wanted).await {
        Found::Image(image) => image,
        Found::Nothing => return Err(missing()),
        Found::Away => return Err(away()),
    };
    if !domain::is_live(image.expiry, now) {
        return Err(missing());
    }
    if token.generation != image.link_generation {
        return Err(worthless());
    }
    if md5.parse::<Md5>() != Ok(image.key.md5()) {
        return Err(detail(StatusCode::FORBIDDEN, "Token与图片不匹配"));
    }
    if image.visibility == Visibility::Private && !token.opens_private {
        return Err(missing());
    }
    Ok((wanted, token.opens_private))
}

fn away() -> Response<Payload> {
    detail(StatusCode::SERVICE_UNAVAILABLE, "服务暂时不可用，请稍后再试")
}

/// `FastAPI`'s way to say no.
fn detail(status: StatusCode, words: &str) -> Response<Payload> {
    let body = Bytes::from(json!({ "detail": words }).to_string());
    let mut response = Response::new(Payload::Bytes(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    protect_new(headers);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_is_read_as_its_dialect_names_it() {
        let all = Dialects::all();
        let key = |text: &str| Named::Image(Some(Wanted::Key(text.parse().unwrap())));
        let maple = |username: &str, name: &str| Named::Maple {
            username: username.to_owned(),
            month: Date::new(2026, 11, 1).unwrap(),
            name: name.to_owned(),
        };
        let secure = |md5: &str, token: &str| Named::Secure {
            md5: md5.to_owned(),
            token: token.to_owned(),
        };
        for (uri, named) in [
            (
                "/images/7d4496551a953ca22cbf92a45e0057d4.png",
                Some(key("7d/4496551a953ca22cbf92a45e0057d4.png")),
            ),
            (
                "/images/7d4496551a953ca22cbf92a45e0057d4.jpeg",
                Some(key("7d/4496551a953ca22cbf92a45e0057d4.jpg")),
            ),
            (
                "/images/7d4496551a953ca22cbf92a45e0057d4-0123456789abcdef.png",
                Some(key("7d/4496551a953ca22cbf92a45e0057d4-0123456789abcdef.png")),
            ),
            ("/images/nonsense.png", Some(Named::Image(None))),
            ("/images/..%2f..%2fetc.png", Some(Named::Image(None))),
            ("/images/图", Some(Named::Image(None))),
            ("/images/bob/photo/2026/11/a.png", Some(maple("bob", "a.png"))),
            (
                "/images/bob/thumb/2026/11/%E5%9B%BE.png",
                Some(maple("bob", "图.png")),
            ),
            ("/images/bob/show/2026/13/a.png", Some(Named::Image(None))),
            ("/images/bob/photo/2026/11/%00.png", Some(Named::Image(None))),
            ("/images/bob/other/2026/11/a.png", None),
            ("/images/bob/photo/2026/11/", Some(Named::Image(None))),
            ("/secure_get/abc?token=T", Some(secure("abc", "T"))),
            ("/secure_get/abc", Some(secure("abc", ""))),
            ("/i/abc", None),
        ] {
            let parsed: Uri = uri.parse().unwrap();
            assert_eq!(read(&parsed, &all).map(|(_, named)| named), named, "{uri}");
            let none: Dialects = [].into_iter().collect();
            assert_eq!(read(&parsed, &none), None, "{uri}");
        }
    }
}
