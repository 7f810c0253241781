use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};

use domain::{PurposeKey, Secret, Sha256};

const PURPOSE: &str = "idempotent answers";
const NONCE_BYTES: usize = 12;

/// Seals answers that are kept for a client that may ask again.
///
/// SECURITY: an answer may show a new token or a drawn password. What is kept of it is sealed with a key that follows from
/// `BERTH_SECRET` and from the `Idempotency-Key`, which is kept nowhere: neither the database nor the secret, nor both, opens it.
#[derive(Debug)]
pub(crate) struct AnswerSeal {
    /// The present key, then the one before it.
    keys: Vec<PurposeKey>,
}

impl AnswerSeal {
    pub(super) fn new(secret: &Secret, previous: Option<&Secret>) -> Self {
        let secrets = std::iter::once(secret).chain(previous);
        Self {
            keys: secrets
                .map(|secret| PurposeKey::derive(secret, PURPOSE))
                .collect(),
        }
    }

    /// Seals an answer for whoever knows `key`; it opens only together with the same `bound`. None when nothing can be sealed.
    pub(crate) fn seal(&self, key: &str, bound: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_BYTES] = process::random();
        let payload = Payload {
            msg: answer,
            aad: bound,
        };
        let sealed = cipher(self.keys.first()?, key)
            .encrypt(&Nonce::from(nonce), payload)
            .ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// What is kept of a request's fingerprint, to know the request again. None when nothing can be sealed.
    ///
    /// SECURITY: a request may hold a password. Whoever reads the database, without secret and `Idempotency-Key`, must have nothing to try guesses at that
    /// is quicker than the password's own hash.
    pub(crate) fn mark(&self, key: &str, fingerprint: &Sha256) -> Option<Sha256> {
        Some(mark(self.keys.first()?, key, fingerprint))
    }

    /// Whether this was kept of it, with this secret or the one before it, or by a release that kept the fingerprint itself.
    pub(crate) fn is_mark_of(&self, key: &str, fingerprint: &Sha256, kept: &Sha256) -> bool {
        fingerprint == kept
            || self
                .keys
                .iter()
                .any(|purpose| mark(purpose, key, fingerprint) == *kept)
    }

    /// Opens what was sealed, with this secret or the one before it.
    pub(crate) fn open(&self, key: &str, bound: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let open = |purpose: &PurposeKey| {
            let payload = Payload {
                msg: sealed,
                aad: bound,
            };
            cipher(purpose, key).decrypt(&Nonce::from(*nonce), payload).ok()
        };
        self.keys.iter().find_map(open)
    }
}

fn mark(purpose: &PurposeKey, key: &str, fingerprint: &Sha256) -> Sha256 {
    // No key has the first character in it.
    Sha256(purpose.subkey(&format!("{key}\0{fingerprint}")))
}

fn cipher(purpose: &PurposeKey, key: &str) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&purpose.subkey(key).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_opens_with_its_key_its_request_and_either_secret_and_with_nothing_else() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let old = AnswerSeal::new(&secret("old"), None);
        let sealed = old.seal("key", b"request", b"berth_token").unwrap();
        assert!(!sealed.windows(5).any(|window| window == b"berth"));
        let new = AnswerSeal::new(&secret("new"), Some(&secret("old")));
        for seal in [&old, &new] {
            assert_eq!(
                seal.open("key", b"request", &sealed).as_deref(),
                Some(&b"berth_token"[..])
            );
            assert_eq!(seal.open("other", b"request", &sealed), None);
            assert_eq!(seal.open("key", b"other", &sealed), None);
        }
        assert_eq!(
            AnswerSeal::new(&secret("new"), None).open("key", b"request", &sealed),
            None
        );
        assert_eq!(old.open("key", b"request", &sealed[..5]), None);
    }

    #[test]
    fn a_request_is_known_again_by_its_key_and_either_secret_and_is_not_told_by_the_mark() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let (request, other) = (Sha256([1; 32]), Sha256([2; 32]));
        let old = AnswerSeal::new(&secret("old"), None);
        let kept = old.mark("key", &request).unwrap();
        assert_ne!(kept, request);
        let new = AnswerSeal::new(&secret("new"), Some(&secret("old")));
        for (seal, key, fingerprint, kept, known) in [
            (&old, "key", &request, &kept, true),
            (&new, "key", &request, &kept, true),
            (&new, "key", &request, &request, true),
            (&old, "other", &request, &kept, false),
            (&old, "key", &other, &kept, false),
            (
                &AnswerSeal::new(&secret("new"), None),
                "key",
                &request,
                &kept,
                false,
            ),
        ] {
            assert_eq!(
                seal.is_mark_of(key, fingerprint, kept),
                known,
                "{key} {fingerprint}"
            );
        }
    }
}
