use std::{fmt, str::FromStr};

/// The name of an image in its URL: 12 random characters of base58 (70 bits), so that it can't be guessed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicId([u8; PublicId::LENGTH]);

/// The text was not 12 characters of base58.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an image id is 12 characters of base58")]
pub struct InvalidPublicId;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

impl PublicId {
    /// Characters in an id.
    pub const LENGTH: usize = 12;

    /// The id that 16 random bytes make. 128 bits are drawn for 70, so no character is more likely than another by
    /// more than 2^-58.
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Self {
        let mut rest = u128::from_le_bytes(random);
        Self(std::array::from_fn(|_| {
            let character = ALPHABET[usize::try_from(rest % 58).unwrap_or(0)];
            rest /= 58;
            character
        }))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: only characters of ALPHABET, all ASCII, ever get in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for PublicId {
    type Err = InvalidPublicId;

    fn from_str(text: &str) -> Result<Self, InvalidPublicId> {
        let bytes: [u8; Self::LENGTH] = text.as_bytes().try_into().map_err(|_| InvalidPublicId)?;
        if bytes.iter().all(|b| ALPHABET.contains(b)) {
            Ok(Self(bytes))
        } else {
            Err(InvalidPublicId)
        }
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_twelve_characters_and_reads_back() {
        for seed in 0..=255u8 {
            let id = PublicId::from_random([seed; 16]);
            assert_eq!(id.as_str().len(), 12);
            assert_eq!(id.as_str().parse::<PublicId>(), Ok(id));
        }
        assert_ne!(PublicId::from_random([1; 16]), PublicId::from_random([2; 16]));
    }

    #[test]
    fn look_alikes_and_paths_are_no_ids() {
        for bad in [
            "",
            "short",
            "0OIl11111111",
            "aaaaaaaaaaaaa",
            "../../passwd",
            "aaaaaaaaaaa\u{e9}",
        ] {
            assert_eq!(bad.parse::<PublicId>(), Err(InvalidPublicId), "{bad:?}");
        }
    }
}
