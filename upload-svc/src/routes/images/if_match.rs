use catalog::ImageRecord;
use http::{
    HeaderMap,
    header::{HeaderValue, IF_MATCH},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The `ETag` of an image's description, quotation marks included: it changes with everything that a client can change. The count of views
/// is left out, or nobody could ever change an image that is being looked at.
pub(crate) fn etag(image: &ImageRecord) -> String {
    let said = json!([
        image.public_id.as_str(),
        image.sha256.to_string(),
        image.name,
        image.description,
        image.album_id,
        image.visibility.as_str(),
        image.policy,
        image.expiry.at(),
        image.ended.is_some(),
    ]);
    tag_of(&said)
}

/// The `ETag` of what is said in these words.
pub(crate) fn tag_of(said: &Value) -> String {
    let digest = domain::Sha256(Sha256::digest(said.to_string()).into()).to_string();
    format!("\"{}\"", &digest[..32])
}

/// What a client believes an image to be: `If-Match` of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// It said nothing, or `*`.
    Anything,
    /// One of these.
    OneOf(Vec<String>),
}

impl IfMatch {
    /// Reads the header field. One that can't be read matches nothing.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut tags = Vec::new();
        let mut lines = headers.get_all(IF_MATCH).iter().peekable();
        if lines.peek().is_none() {
            return Self::Anything;
        }
        for line in lines.map(HeaderValue::to_str) {
            let line = line.unwrap_or_default();
            if line.trim() == "*" {
                return Self::Anything;
            }
            tags.extend(line.split(',').map(|tag| tag.trim().to_owned()));
        }
        Self::OneOf(tags)
    }

    /// Whether the image is still as believed. A weak tag (`W/"…"`) never says so (RFC 9110).
    pub(crate) fn allows(&self, image: &ImageRecord) -> bool {
        match self {
            Self::Anything => true,
            Self::OneOf(tags) => tags.contains(&etag(image)),
        }
    }

    /// Whether something else is still as believed that has this `ETag`.
    pub(crate) fn allows_tag(&self, tag: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::OneOf(tags) => tags.iter().any(|own| own == tag),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_is_a_list_of_strong_tags_or_a_star() {
        let tags = |all: &[&str]| IfMatch::OneOf(all.iter().map(|tag| (*tag).to_owned()).collect());
        for (lines, expected) in [
            (&[][..], IfMatch::Anything),
            (&["*"], IfMatch::Anything),
            (&["\"a\""], tags(&["\"a\""])),
            (&["\"a\", W/\"b\""], tags(&["\"a\"", "W/\"b\""])),
            (&["\"a\"", "\"b\""], tags(&["\"a\"", "\"b\""])),
            (&["a"], tags(&["a"])),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(IF_MATCH, HeaderValue::from_static(line));
            }
            assert_eq!(IfMatch::of(&headers), expected, "{lines:?}");
        }
    }
}
