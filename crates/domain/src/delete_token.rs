use std::{fmt, str::FromStr};

use crate::{KeyRing, PublicId, Secret, Signature};

/// The secret of `/d/{token}`: whoever has it may withdraw one image, without an account. 52 letters and digits: the image's
/// id and a signature over it and over the number of its links' generation, so that no list of tokens is kept anywhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DeleteToken {
    public_id: PublicId,
    signature: Signature,
}

/// The text is no delete token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("that is no delete token")]
pub struct InvalidDeleteToken;

impl DeleteToken {
    /// The image that it claims to be for. Nothing is proven yet.
    #[must_use]
    pub fn public_id(&self) -> PublicId {
        self.public_id
    }
}

impl FromStr for DeleteToken {
    type Err = InvalidDeleteToken;

    fn from_str(text: &str) -> Result<Self, InvalidDeleteToken> {
        let (id, signature) = text
            .split_at_checked(PublicId::LENGTH)
            .ok_or(InvalidDeleteToken)?;
        Ok(Self {
            public_id: id.parse().map_err(|_| InvalidDeleteToken)?,
            signature: signature.parse().map_err(|_| InvalidDeleteToken)?,
        })
    }
}

impl fmt::Display for DeleteToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.public_id, self.signature)
    }
}

/// SECURITY: what it opens is not for logs.
impl fmt::Debug for DeleteToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeleteToken({}…)", self.public_id)
    }
}

/// Makes delete tokens and tells which are good.
#[derive(Debug, Clone)]
pub struct DeleteTokens(KeyRing);

impl DeleteTokens {
    /// With keys from these secrets.
    #[must_use]
    pub fn new(secret: &Secret, previous: Option<&Secret>) -> Self {
        Self(KeyRing::new("berth delete link 1", secret, previous))
    }

    /// The token of an image whose links are of this generation.
    #[must_use]
    pub fn make(&self, public_id: PublicId, generation: i32) -> DeleteToken {
        DeleteToken {
            public_id,
            signature: self.0.sign(&message(public_id, generation)),
        }
    }

    /// Whether a token was made for its image while its links were of this generation.
    #[must_use]
    pub fn is_good(&self, token: DeleteToken, generation: i32) -> bool {
        self.0
            .has_signed(&message(token.public_id, generation), token.signature)
    }
}

fn message(public_id: PublicId, generation: i32) -> String {
    format!("{public_id}\n{generation}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_image_and_its_generation_alone() {
        let secret = Secret::new("s".to_owned());
        let tokens = DeleteTokens::new(&secret, None);
        let (a, b) = (PublicId::from_random([1; 16]), PublicId::from_random([2; 16]));
        let token = tokens.make(a, 0);
        let text = token.to_string();
        assert!(text.len() == 52 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(text.parse(), Ok(token));
        assert!(tokens.is_good(token, 0));
        assert!(!tokens.is_good(token, 1), "revoked");
        let moved: DeleteToken = format!("{b}{}", &text[12..]).parse().unwrap();
        assert!(!tokens.is_good(moved, 0), "of another image");
        let rotated = DeleteTokens::new(&Secret::new("t".to_owned()), Some(&secret));
        assert!(rotated.is_good(token, 0));
        assert!(!format!("{token:?}").contains(&text[12..]));
    }

    #[test]
    fn what_is_no_token_is_told_before_anything_is_looked_up() {
        for bad in [
            "",
            "short",
            "111111111111",
            &"1".repeat(53),
            &"0".repeat(52),
            "图片图片图片图片",
        ] {
            assert_eq!(bad.parse::<DeleteToken>(), Err(InvalidDeleteToken), "{bad}");
        }
    }
}
