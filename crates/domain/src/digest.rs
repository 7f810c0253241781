use std::{fmt, str::FromStr};

/// The text was not the lower- or upper-case hexadecimal form of a digest of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest is {expected} hexadecimal characters")]
pub struct InvalidDigest {
    expected: usize,
}

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $length]);

        impl $name {
            /// The digest from its raw bytes, as a database column holds them.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidDigest> {
                bytes.try_into().map(Self).map_err(|_| InvalidDigest { expected: $length * 2 })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidDigest;

            fn from_str(text: &str) -> Result<Self, InvalidDigest> {
                let mut bytes = [0; $length];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidDigest { expected: $length * 2 })?;
                Ok(Self(bytes))
            }
        }
    };
}

digest! {
    /// What clients call a file by, and what its place on disk is named after. Two different files can be made to
    /// share one (SECURITY: collisions cost nothing), so it never decides whether bytes are the same.
    Md5, 16
}

digest! {
    /// What the bytes are: equal digests mean equal bytes, and one blob.
    Sha256, 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_text_goes_in_and_out() {
        let text = "7d4496551a953ca22cbf92a45e0057d4";
        assert_eq!(text.parse::<Md5>().unwrap().to_string(), text);
        assert_eq!(text.to_uppercase().parse::<Md5>().unwrap().to_string(), text);
        for bad in [
            "",
            "7d",
            "zz4496551a953ca22cbf92a45e0057d4",
            "7d4496551a953ca22cbf92a45e0057d4a",
        ] {
            assert!(bad.parse::<Md5>().is_err(), "{bad:?}");
        }
    }
}
