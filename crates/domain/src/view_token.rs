use std::{fmt, str::FromStr};

use jiff::Timestamp;

use crate::{Expiry, KeyRing, PublicId, Secret, Signature};

/// What `/secure_get/{md5}?token=` shows an image for: its id, until when, and a signature over both. It holds no password, and
/// is worth nothing once the image has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ViewToken {
    /// The image that it claims to be for. Nothing is proven yet.
    pub public_id: PublicId,
    /// The second since 1970 from which on it is good for nothing; 0 for never.
    expires: i64,
    signature: Signature,
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
        Self(KeyRing::new("berth view token 1", secret, previous))
    }

    /// A token that is good as long as the image lives. The same image and end give the same token.
    #[must_use]
    pub fn make(&self, public_id: PublicId, expiry: Expiry) -> ViewToken {
        // Never before the image itself: the second in which it ends counts.
        let expires = expiry.at().map_or(0, |at| at.as_second() + 1);
        ViewToken {
            public_id,
            expires,
            signature: self.0.sign(&message(public_id, expires)),
        }
    }

    /// Whether a token was made here and its time is not over.
    #[must_use]
    pub fn is_good(&self, token: ViewToken, now: Timestamp) -> bool {
        let is_timely = token.expires == 0 || now.as_second() < token.expires;
        is_timely
            && self
                .0
                .has_signed(&message(token.public_id, token.expires), token.signature)
    }
}

fn message(public_id: PublicId, expires: i64) -> String {
    format!("{public_id}\n{expires}")
}

impl FromStr for ViewToken {
    type Err = InvalidViewToken;

    fn from_str(text: &str) -> Result<Self, InvalidViewToken> {
        let mut parts = text.split('.');
        let (Some(id), Some(expires), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidViewToken);
        };
        Ok(Self {
            public_id: id.parse().map_err(|_| InvalidViewToken)?,
            expires: expires.parse().map_err(|_| InvalidViewToken)?,
            signature: signature.parse().map_err(|_| InvalidViewToken)?,
        })
    }
}

impl fmt::Display for ViewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.public_id, self.expires, self.signature)
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
            let token = tokens.make(id, Expiry::At(at(1_000)));
            let text = token.to_string();
            assert_eq!(text.parse(), Ok(token), "none fails by chance");
            assert!(tokens.is_good(token, at(1_000)) && !tokens.is_good(token, at(1_001)));
            assert!(!other.is_good(token, at(0)));
            let longer: ViewToken = text.replacen(".1001.", ".2001.", 1).parse().unwrap();
            let moved: ViewToken = format!("{}{}", PublicId::from_random([seed ^ 1; 16]), &text[12..])
                .parse()
                .unwrap();
            assert!(!tokens.is_good(longer, at(0)) && !tokens.is_good(moved, at(0)));
            assert!(tokens.is_good(tokens.make(id, Expiry::Never), at(9_000_000_000)));
        }
        for text in ["", "a.b.c", "111111111111.0", "111111111111.0.x", "....."] {
            assert_eq!(text.parse::<ViewToken>(), Err(InvalidViewToken), "{text}");
        }
    }
}
