//! Signed links: `?e={unix}&s={signature}`.

use domain::{Signature, SignedLink};
use jiff::Timestamp;

use crate::{service::Parts, shelf::Shelved};

/// Whether a query carries a signature, be it good or not.
pub(crate) fn claims(query: Option<&str>) -> bool {
    let mut names = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    names.any(|(name, _)| name == "s")
}

/// Until when the signature of a request's query opens the image; nothing where it does not. A query without `s` costs
/// nothing.
///
/// SECURITY: it opens the width that the query asks for, so a link that was signed for a small picture shows no large one.
pub(crate) fn opened_until(
    parts: &Parts,
    image: &Shelved,
    query: Option<&str>,
    now: Timestamp,
) -> Option<Timestamp> {
    let query = query.filter(|query| query.contains("s="))?;
    let (mut expires, mut signature, mut width) = (None, None, None);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "e" if expires.is_none() => expires = value.parse::<i64>().ok(),
            "s" if signature.is_none() => signature = value.parse::<Signature>().ok(),
            "w" if width.is_none() => width = Some(value.parse::<u32>().unwrap_or(u32::MAX)),
            // Whatever asks for a size in another way, or twice, is no width that a link is signed for.
            "w" | "width" | "height" => width = Some(u32::MAX),
            _ => {}
        }
    }
    let link = SignedLink {
        public_id: image.public_id,
        generation: image.link_generation,
        expires: expires?,
        width,
    };
    let opens = parts.signed_links.opens(signature?, link, now);
    // A link that is good for ten thousand years is good for as long as time goes.
    opens.then(|| Timestamp::from_second(link.expires).unwrap_or(Timestamp::MAX))
}
