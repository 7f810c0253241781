use std::{fmt, str::FromStr};

use crate::Sha256;

/// An opaque credential of an account: `berth_` and 43 characters of URL-safe text (256 random bits). Shown once,
/// stored only as its [`TokenHash`].
///
/// SECURITY: the text never appears in `Debug`; write [`expose`](Self::expose) where it must be seen, and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// What the database keeps of a token: the SHA-256 of its text. A plain hash is enough, for nobody can try 2^256
/// tokens; a slow one would make every upload slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub Sha256);

/// The text can't be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token is berth_ followed by 43 letters, digits, - or _")]
pub struct InvalidToken;

const PREFIX: &str = "berth_";
const BODY_LENGTH: usize = 43;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Token {
    /// The token that 32 random bytes make.
    #[must_use]
    pub fn from_random(random: [u8; 32]) -> Self {
        let mut text = String::with_capacity(PREFIX.len() + BODY_LENGTH);
        text.push_str(PREFIX);
        for chunk in random.chunks(3) {
            let word = chunk
                .iter()
                .fold(0u32, |word, byte| (word << 8) | u32::from(*byte))
                << (8 * (3 - chunk.len()));
            for position in 0..=chunk.len() {
                let index = (word >> (18 - 6 * position)) & 63;
                text.push(char::from(ALPHABET[index as usize]));
            }
        }
        Self(text)
    }

    /// The secret text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// How a list shows which token is meant without giving it away: the first six characters behind the prefix.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.0[..PREFIX.len() + 6]
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let body = text.strip_prefix(PREFIX).ok_or(InvalidToken)?;
        if body.len() == BODY_LENGTH && body.bytes().all(|b| ALPHABET.contains(&b)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidToken)
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_never_shows_itself() {
        let token = Token::from_random([7; 32]);
        assert_eq!(token.expose().len(), 49);
        assert_eq!(token.expose().parse::<Token>(), Ok(token.clone()));
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_ne!(token, Token::from_random([8; 32]));
    }

    #[test]
    fn other_text_is_no_token() {
        for bad in [
            "",
            "berth_",
            "berth_short",
            "secret",
            "berth_\u{e9}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(bad.parse::<Token>(), Err(InvalidToken), "{bad:?}");
        }
    }
}
