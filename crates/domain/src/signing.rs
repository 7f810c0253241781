//! Keys that are derived from the operator's secret, one a purpose, and what is signed with them. Pure arithmetic: the same
//! secret gives the same keys in every process.

use std::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What keys are derived from. SECURITY: never in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret that a setting holds.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A key for one purpose, so that what was signed for one can't be used for another.
#[derive(Clone)]
pub struct PurposeKey {
    /// Names the key in what it signed, in 16 hexadecimal digits, and tells nothing about it.
    pub id: String,
    /// The key itself.
    pub bytes: [u8; 32],
}

impl PurposeKey {
    /// The key that a secret gives for a purpose.
    #[must_use]
    pub fn derive(secret: &Secret, purpose: &str) -> Self {
        let bytes: [u8; 32] = hmac(secret.0.as_bytes(), purpose).finalize().into_bytes().into();
        let named: [u8; 32] = hmac(&bytes, "key id").finalize().into_bytes().into();
        Self {
            id: hex::encode(&named[..8]),
            bytes,
        }
    }

    /// A key of this purpose for one thing.
    #[must_use]
    pub fn subkey(&self, of: &str) -> [u8; 32] {
        hmac(&self.bytes, of).finalize().into_bytes().into()
    }
}

impl fmt::Debug for PurposeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PurposeKey({})", self.id)
    }
}

/// The keys of a purpose: the current one signs; what the one before it has signed is still good, so that a secret can be
/// changed without breaking every link on that day.
#[derive(Debug, Clone)]
pub struct KeyRing {
    current: PurposeKey,
    previous: Option<PurposeKey>,
}

/// A signature: 8 hexadecimal digits that name its key, and 128 bits of HMAC-SHA256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; Signature::BYTES]);

/// The text is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signature is {} hexadecimal digits", Signature::DIGITS)]
pub struct InvalidSignature;

/// Bytes of a key's name within a signature.
const KEY_BYTES: usize = 4;

impl Signature {
    const BYTES: usize = 20;
    /// Characters of its text.
    pub const DIGITS: usize = 2 * Self::BYTES;
}

impl KeyRing {
    /// The keys that these secrets give for a purpose.
    #[must_use]
    pub fn new(purpose: &str, secret: &Secret, previous: Option<&Secret>) -> Self {
        Self {
            current: PurposeKey::derive(secret, purpose),
            previous: previous.map(|previous| PurposeKey::derive(previous, purpose)),
        }
    }

    /// Signs a message with the current key.
    #[must_use]
    pub fn sign(&self, message: &str) -> Signature {
        let mac = hmac(&self.current.bytes, message).finalize().into_bytes();
        let mut bytes = [0; Signature::BYTES];
        bytes[..KEY_BYTES].copy_from_slice(&name(&self.current));
        bytes[KEY_BYTES..].copy_from_slice(&mac[..Signature::BYTES - KEY_BYTES]);
        Signature(bytes)
    }

    /// Whether one of the keys has signed this message. SECURITY: takes as long for a wrong signature as for a right one.
    #[must_use]
    pub fn has_signed(&self, message: &str, signature: Signature) -> bool {
        let (named, mac) = signature.0.split_at(KEY_BYTES);
        std::iter::once(&self.current)
            .chain(&self.previous)
            .filter(|key| name(key) == named)
            .any(|key| hmac(&key.bytes, message).verify_truncated_left(mac).is_ok())
    }
}

fn name(key: &PurposeKey) -> [u8; KEY_BYTES] {
    let mut bytes = [0; KEY_BYTES];
    // INVARIANT: an id is 16 hexadecimal digits.
    let _ = hex::decode_to_slice(&key.id[..2 * KEY_BYTES], &mut bytes);
    bytes
}

fn hmac(key: &[u8], message: &str) -> Hmac<Sha256> {
    // INVARIANT: HMAC takes keys of any length.
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.chain_update(message)
}

impl FromStr for Signature {
    type Err = InvalidSignature;

    fn from_str(text: &str) -> Result<Self, InvalidSignature> {
        // Capitals are refused: one signature, one text.
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(InvalidSignature);
        }
        let mut bytes = [0; Self::BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidSignature)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// SECURITY: what it opens is not for logs.
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_key_depends_on_its_secret_and_its_purpose_and_never_shows_itself() {
        let key = PurposeKey::derive(&secret("a"), "session");
        assert_eq!(key.bytes, PurposeKey::derive(&secret("a"), "session").bytes);
        assert_ne!(key.bytes, PurposeKey::derive(&secret("b"), "session").bytes);
        assert_ne!(key.bytes, PurposeKey::derive(&secret("a"), "link").bytes);
        assert_eq!(key.id.len(), 16);
        assert_eq!(format!("{key:?}"), format!("PurposeKey({})", key.id));
        assert_eq!(format!("{:?}", secret("a")), "Secret(…)");
    }

    #[test]
    fn a_signature_is_good_for_its_message_its_purpose_and_two_secrets_long() {
        let (old, new) = (secret("old"), secret("new"));
        let before = KeyRing::new("link", &old, None);
        let signature = before.sign("a\n1");
        let text = signature.to_string();
        assert_eq!(text.len(), Signature::DIGITS);
        assert_eq!(text.parse(), Ok(signature));
        for (ring, message, good) in [
            (before.clone(), "a\n1", true),
            (before.clone(), "a\n2", false),
            (KeyRing::new("link", &new, Some(&old)), "a\n1", true),
            (KeyRing::new("link", &new, None), "a\n1", false),
            (KeyRing::new("other", &old, None), "a\n1", false),
        ] {
            assert_eq!(ring.has_signed(message, signature), good, "{message} {ring:?}");
        }
        for place in 0..Signature::BYTES {
            let mut other = signature;
            other.0[place] ^= 1;
            assert!(!before.has_signed("a\n1", other), "byte {place} is not looked at");
        }
    }

    #[test]
    fn only_one_text_is_a_signature() {
        let good = KeyRing::new("x", &secret("x"), None).sign("x").to_string();
        for bad in [
            "",
            "00",
            &good[1..],
            &format!("{good}0"),
            &"g".repeat(40),
            &"A".repeat(40),
        ] {
            assert_eq!(bad.parse::<Signature>(), Err(InvalidSignature), "{bad}");
        }
    }
}
