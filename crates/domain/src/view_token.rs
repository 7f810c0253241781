use std::{fmt, str::FromStr};

use jiff::Timestamp;

use crate::{Expiry, KeyRing, PublicId, Secret, Signature, Visibility};

/// What `/secure_get/{md5}?token=` shows an image for: its id, until when, the generation of its links, and a signature over them. It holds no
/// password, and is worth nothing once the image has ended or its links were taken back.
///
/// One that was made while the image was private opens it while it is private, as a signed link does. One that was made before shows what the
/// image's other URLs show, so that an image that is made private is private.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ViewToken {
    /// The image that it claims to be for. Nothing is proven yet.
    pub public_id: PublicId,
    /// The second since 1970 from which on it is good for nothing; 0 for never.
    expires: i64,
    /// The generation of the image's links when it was made. It opens an image of that generation alone.
    pub generation: i32,
    /// Whether it opens the image while it is private.
    pub opens_private: bool,
    signature: Signature,
}

/// What a token is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewable {
    /// The image.
    pub public_id: PublicId,
    /// When it ends.
    pub expiry: Expiry,
    /// How often its links were taken back.
    pub generation: i32,
    /// Who may see it now.
    pub visibility: Visibility,
}

/// The text is no view token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("that is no view token")]
pub struct InvalidViewToken;

/// Makes view tokens and tells which are good.
#[derive(Debug, Clone)]
pub struct ViewTokens(KeyRing);

impl ViewTokens {
    /// With keys from these secrets.
    #[must_use]
    pub fn new(secret: &Secret, previous: Option<&Secret>) -> Self {
        Self(KeyRing::new("berth view token 2", secret, previous))
    }

    /// A token that is good as long as the image lives and its links are not taken back. The same image in the same state gives the same token.
    #[must_use]
    pub fn make(&self, image: Viewable) -> ViewToken {
        // Never before the image itself: the second in which it ends counts.
        let expires = image.expiry.at().map_or(0, |at| at.as_second() + 1);
        let opens_private = image.visibility == Visibility::Private;
        let claim = claim(image.public_id, expires, image.generation, opens_private);
        ViewToken {
            public_id: image.public_id,
            expires,
            generation: image.generation,
            opens_private,
            signature: self.0.sign(&claim),
        }
    }

    /// Whether a token was made here and its time is not over. Whether its generation is the image's is for who knows the image.
    #[must_use]
    pub fn is_good(&self, token: ViewToken, now: Timestamp) -> bool {
        let is_timely = token.expires == 0 || now.as_second() < token.expires;
        is_timely && self.0.has_signed(&token.claim(), token.signature)
    }
}

impl ViewToken {
    fn claim(&self) -> String {
        claim(self.public_id, self.expires, self.generation, self.opens_private)
    }
}

/// What is signed, and stands in the token before the signature.
fn claim(public_id: PublicId, expires: i64, generation: i32, opens_private: bool) -> String {
    let private = if opens_private { "p" } else { "" };
    format!("{public_id}.{expires}.{generation}{private}")
}

impl FromStr for ViewToken {
    type Err = InvalidViewToken;

    fn from_str(text: &str) -> Result<Self, InvalidViewToken> {
        let mut parts = text.split('.');
        let (Some(id), Some(expires), Some(generation), Some(signature), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err(InvalidViewToken);
        };
        let (generation, opens_private) = match generation.strip_suffix('p') {
            Some(generation) => (generation, true),
            None => (generation, false),
        };
        Ok(Self {
            public_id: id.parse().map_err(|_| InvalidViewToken)?,
            expires: expires.parse().map_err(|_| InvalidViewToken)?,
            generation: generation.parse().map_err(|_| InvalidViewToken)?,
            opens_private,
            signature: signature.parse().map_err(|_| InvalidViewToken)?,
        })
    }
}

impl fmt::Display for ViewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.claim(), self.signature)
    }
}

/// SECURITY: what it opens is not for logs.
impl fmt::Debug for ViewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ViewToken({}…)", self.public_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_image_until_its_end_and_reads_back_every_time() {
        let tokens = ViewTokens::new(&Secret::new("s".to_owned()), None);
        let other = ViewTokens::new(&Secret::new("t".to_owned()), None);
        let at = |second| Timestamp::from_second(second).unwrap();
        for seed in 0..=255 {
            let id = PublicId::from_random([seed; 16]);
            let image = Viewable {
                public_id: id,
                expiry: Expiry::At(at(1_000)),
                generation: i32::from(seed),
                visibility: if seed % 2 == 0 {
                    Visibility::Unlisted
                } else {
                    Visibility::Private
                },
            };
            let token = tokens.make(image);
            let text = token.to_string();
            assert_eq!(text.parse(), Ok(token), "none fails by chance");
            assert!(tokens.is_good(token, at(1_000)) && !tokens.is_good(token, at(1_001)));
            assert!(!other.is_good(token, at(0)));
            assert_eq!(
                (token.generation, token.opens_private),
                (i32::from(seed), seed % 2 == 1)
            );
            let changed = |from: &str, to: &str| text.replacen(from, to, 1).parse::<ViewToken>().unwrap();
            let mark = if seed % 2 == 0 { "" } else { "p" };
            for forged in [
                changed(".1001.", ".2001."),
                changed(".1001.", ".0."),
                changed(
                    &format!(".1001.{seed}{mark}."),
                    &format!(".1001.{}{mark}.", i32::from(seed) + 1),
                ),
                changed(
                    &format!(".{seed}{mark}."),
                    &format!(".{seed}{}.", if mark.is_empty() { "p" } else { "" }),
                ),
                changed(id.as_str(), PublicId::from_random([seed ^ 1; 16]).as_str()),
            ] {
                assert!(!tokens.is_good(forged, at(0)), "{text} {forged}");
            }
            let forever = Viewable {
                expiry: Expiry::Never,
                ..image
            };
            assert!(tokens.is_good(tokens.make(forever), at(9_000_000_000)));
        }
        for text in ["", "a.b.c.d", "111111111111.0.0", "111111111111.0.0.x", "......"] {
            assert_eq!(text.parse::<ViewToken>(), Err(InvalidViewToken), "{text}");
        }
    }
}
