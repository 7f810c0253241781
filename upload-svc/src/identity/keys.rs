use std::fmt;

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
pub(super) struct PurposeKey {
    /// Names the key in what it signed, and tells nothing about it.
    pub(super) id: String,
    pub(super) bytes: [u8; 32],
}

impl PurposeKey {
    /// The key that a secret gives for a purpose.
    pub(super) fn derive(secret: &Secret, purpose: &str) -> Self {
        let bytes = hmac(secret.0.as_bytes(), purpose);
        let id = hex::encode(&hmac(&bytes, "key id")[..8]);
        Self { id, bytes }
    }
}

impl fmt::Debug for PurposeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PurposeKey({})", self.id)
    }
}

fn hmac(key: &[u8], message: &str) -> [u8; 32] {
    // INVARIANT: HMAC takes keys of any length.
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_its_secret_and_its_purpose_and_never_shows_itself() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let key = PurposeKey::derive(&secret("a"), "session");
        assert_eq!(key.bytes, PurposeKey::derive(&secret("a"), "session").bytes);
        assert_ne!(key.bytes, PurposeKey::derive(&secret("b"), "session").bytes);
        assert_ne!(key.bytes, PurposeKey::derive(&secret("a"), "link").bytes);
        assert_eq!(key.id.len(), 16);
        assert_eq!(format!("{key:?}"), format!("PurposeKey({})", key.id));
        assert_eq!(format!("{:?}", secret("a")), "Secret(…)");
    }
}
